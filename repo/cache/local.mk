# SPDX-License-Identifier: GPL-2.0-or-later

libyore_a_SOURCES += \
	repo/cache/admin.c \
	repo/cache/batch.c \
	repo/cache/cache.c \
	repo/cache/cache.h \
	repo/cache/evict.c \
	repo/cache/files.c \
	repo/cache/files.h \
	repo/cache/files_walk.c \
	repo/cache/ledger.c \
	repo/cache/ledger.h \
	repo/cache/ledger_pins.c \
	repo/cache/ledger_private.h \
	repo/cache/ledger_rows.c \
	repo/cache/listing.c \
	repo/cache/listing.h \
	repo/cache/objects.c \
	repo/cache/objects.h \
	repo/cache/pins.c \
	repo/cache/pins.h \
	repo/cache/private.h \
	repo/cache/queue.c \
	repo/cache/ranges.c \
	repo/cache/ranges.h \
	repo/cache/rebuild.c \
	repo/cache/uses.c \
	repo/cache/whole.c
