# SPDX-License-Identifier: GPL-2.0-or-later

libyorewrite_a_SOURCES += \
	repo/write/adopt.c \
	repo/write/attributes.c \
	repo/write/attributes.h \
	repo/write/big.c \
	repo/write/catalogs.c \
	repo/write/catalogs.h \
	repo/write/cut.c \
	repo/write/cut.h \
	repo/write/delta_writer.h \
	repo/write/exclude.c \
	repo/write/exclude.h \
	repo/write/glob.c \
	repo/write/glob.h \
	repo/write/init.c \
	repo/write/init.h \
	repo/write/job.c \
	repo/write/known.c \
	repo/write/known.h \
	repo/write/map.c \
	repo/write/map.h \
	repo/write/pack.c \
	repo/write/pack.h \
	repo/write/parent.c \
	repo/write/parent.h \
	repo/write/place.c \
	repo/write/publish.c \
	repo/write/run.h \
	repo/write/scan.c \
	repo/write/scan.h \
	repo/write/scan_ahead.c \
	repo/write/scan_fd.c \
	repo/write/scan_private.h \
	repo/write/scan_read.c \
	repo/write/sealed.c \
	repo/write/sealed.h \
	repo/write/segments.c \
	repo/write/segments.h \
	repo/write/walk.c \
	repo/write/wanted.c \
	repo/write/wanted.h \
	repo/write/work.c \
	repo/write/writer.c \
	repo/write/writer.h
