# SPDX-License-Identifier: GPL-2.0-or-later

libyore_a_SOURCES += \
	repo/versions/alike.c \
	repo/versions/find.c \
	repo/versions/look.c \
	repo/versions/look.h \
	repo/versions/names.c \
	repo/versions/versions.h \
	repo/versions/views.c
