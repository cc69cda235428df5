# SPDX-License-Identifier: GPL-2.0-or-later

libyore_a_SOURCES += \
	repo/native/index.c \
	repo/native/index.h \
	repo/native/repository.c \
	repo/native/repository.h
