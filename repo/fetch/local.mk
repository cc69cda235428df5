# SPDX-License-Identifier: GPL-2.0-or-later

libyore_a_SOURCES += \
	repo/fetch/fetch.h
