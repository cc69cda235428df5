# SPDX-License-Identifier: GPL-2.0-or-later

libyorecodec_a_SOURCES += \
	repo/format/catalog.c \
	repo/format/delta.c \
	repo/format/delta.h \
	repo/format/delta_places.c \
	repo/format/delta_places.h \
	repo/format/delta_times.c \
	repo/format/delta_times.h \
	repo/format/entry.h \
	repo/format/fields.c \
	repo/format/fields.h \
	repo/format/gc.c \
	repo/format/gc.h \
	repo/format/header.c \
	repo/format/header.h \
	repo/format/object.c \
	repo/format/object.h \
	repo/format/page.c \
	repo/format/page.h \
	repo/format/page_decode.c \
	repo/format/page_decode.h \
	repo/format/page_entries.c \
	repo/format/page_extents.c \
	repo/format/paper.c \
	repo/format/paper.h \
	repo/format/record.c \
	repo/format/record.h \
	repo/format/ref.h \
	repo/format/segment.c \
	repo/format/segment.h \
	repo/format/totals.c \
	repo/format/xattrs.c
