# SPDX-License-Identifier: GPL-2.0-or-later

libyorewrite_a_SOURCES += \
	repo/write/replicate/batch.c \
	repo/write/replicate/capture.c \
	repo/write/replicate/capture.h \
	repo/write/replicate/capture_private.h \
	repo/write/replicate/guard.c \
	repo/write/replicate/guard.h \
	repo/write/replicate/index.c \
	repo/write/replicate/index.h \
	repo/write/replicate/log.c \
	repo/write/replicate/log.h \
	repo/write/replicate/pages.c \
	repo/write/replicate/pages.h \
	repo/write/replicate/position.c \
	repo/write/replicate/position.h \
	repo/write/replicate/queue.c \
	repo/write/replicate/queue.h \
	repo/write/replicate/queue_file.c \
	repo/write/replicate/queue_private.h \
	repo/write/replicate/queue_recover.c \
	repo/write/replicate/replication.c \
	repo/write/replicate/replication.h \
	repo/write/replicate/replication_private.h \
	repo/write/replicate/replicator.c \
	repo/write/replicate/replicator.h \
	repo/write/replicate/uplink.c
