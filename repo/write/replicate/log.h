/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The write-ahead log of a database in use, read from its file.  How far it
 * goes is the index's word (repo/write/replicate/index.h); every frame's salts
 * and sum are verified, and the last one's against the index.  Nothing is
 * locked here: the caller holds (repo/write/replicate/guard.h).
 */
#ifndef YORE_WRITE_REPLICATE_LOG_H
#define YORE_WRITE_REPLICATE_LOG_H

#include "repo/write/replicate/index.h"
#include "repo/write/replicate/position.h"

struct wal_log {
	char *path;
	int fd; /* or -1 */
};

/* path: the database's. */
void wal_log_init(struct wal_log *l, const char *path);
void wal_log_release(struct wal_log *l);
/* Open the file that has the log's name now; again, when another has it. */
int wal_log_open(struct wal_log *l, struct err *e);

/* A frame: its number from 1; page is borrowed until it returns. */
typedef int wal_log_frame(void *ctx, uint32_t frame, uint32_t pgno,
	const uint8_t *page, struct err *e);

/*
 * Read the frames from->frames + 1 to ix->frames; each may be NULL.  from is of
 * the same log as ix, or has no frames.  *to is where it ends (only what is
 * known of the log is set).  -ESTALE: the log is not what from and ix say.
 */
int wal_log_scan(struct wal_log *l, const struct position *from,
	const struct wal_index *ix, wal_log_frame *each, void *ctx,
	struct position *to, struct err *e);

/* Whether the first p->frames frames are those that led to p: 0, -ESTALE. */
int wal_log_leads_to(
	struct wal_log *l, const struct position *p, struct err *e);

#endif
