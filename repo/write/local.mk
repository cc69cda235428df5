# SPDX-License-Identifier: GPL-2.0-or-later

libyorewrite_a_SOURCES += \
	repo/write/init.c \
	repo/write/init.h \
	repo/write/writer.h
