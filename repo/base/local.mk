# SPDX-License-Identifier: GPL-2.0-or-later

libyore_a_SOURCES += \
	repo/base/auto.h \
	repo/base/buf.c \
	repo/base/buf.h \
	repo/base/bytes.c \
	repo/base/bytes.h \
	repo/base/cancel.c \
	repo/base/cancel.h \
	repo/base/clock.c \
	repo/base/clock.h \
	repo/base/err.c \
	repo/base/err.h \
	repo/base/hex.c \
	repo/base/hex.h \
	repo/base/histogram.c \
	repo/base/histogram.h \
	repo/base/jansson.c \
	repo/base/jansson.h \
	repo/base/library.c \
	repo/base/library.h \
	repo/base/library_ahead.c \
	repo/base/library_ahead.h \
	repo/base/log.c \
	repo/base/log.h \
	repo/base/memory.c \
	repo/base/memory.h \
	repo/base/sort.c \
	repo/base/sort.h \
	repo/base/sqlite.c \
	repo/base/sqlite.h \
	repo/base/state_dir.c \
	repo/base/state_dir.h \
	repo/base/thread.c \
	repo/base/thread.h \
	repo/base/zeros.c \
	repo/base/zeros.h \
	repo/base/zstd.c \
	repo/base/zstd.h
