# SPDX-License-Identifier: GPL-2.0-or-later

libyorewrite_a_SOURCES += \
	repo/write/attributes.c \
	repo/write/attributes.h \
	repo/write/cut.c \
	repo/write/cut.h \
	repo/write/exclude.c \
	repo/write/exclude.h \
	repo/write/glob.c \
	repo/write/glob.h \
	repo/write/init.c \
	repo/write/init.h \
	repo/write/scan.h \
	repo/write/wanted.h \
	repo/write/writer.h
