# SPDX-License-Identifier: GPL-2.0-or-later

libyore_a_SOURCES += \
	repo/foreign/lz4.c \
	repo/foreign/lz4.h
