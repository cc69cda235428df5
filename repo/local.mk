# SPDX-License-Identifier: GPL-2.0-or-later

libyore_a_SOURCES += \
	repo/address.c \
	repo/address.h \
	repo/history.c \
	repo/history_moments.c \
	repo/open.c \
	repo/open.h \
	repo/history.h \
	repo/unlock.c \
	repo/unlock.h \
	repo/view.c \
	repo/view.h \
	repo/when.c \
	repo/when.h

EXTRA_DIST += repo/DESIGN repo/FORMAT
