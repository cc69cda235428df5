# SPDX-License-Identifier: GPL-2.0-or-later

libyore_a_SOURCES += \
	repo/native/data.c \
	repo/native/early.c \
	repo/native/early.h \
	repo/native/history.c \
	repo/native/history.h \
	repo/native/id_set.c \
	repo/native/id_set.h \
	repo/native/index.c \
	repo/native/index.h \
	repo/native/keep.c \
	repo/native/keep.h \
	repo/native/listing.c \
	repo/native/listing.h \
	repo/native/lookahead.c \
	repo/native/lookahead.h \
	repo/native/map.c \
	repo/native/map.h \
	repo/native/newest.c \
	repo/native/newest.h \
	repo/native/open.c \
	repo/native/open.h \
	repo/native/pages.c \
	repo/native/pages.h \
	repo/native/places.c \
	repo/native/records.c \
	repo/native/records.h \
	repo/native/remote.c \
	repo/native/remote.h \
	repo/native/repository.c \
	repo/native/repository.h \
	repo/native/roster.c \
	repo/native/roster.h \
	repo/native/scout.c \
	repo/native/scout.h \
	repo/native/slots.c \
	repo/native/slots.h \
	repo/native/state.c \
	repo/native/state.h \
	repo/native/tree.c \
	repo/native/tree.h \
	repo/native/view.c \
	repo/native/view.h \
	repo/native/xattr.c
