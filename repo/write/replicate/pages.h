/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A database at one commit, for making a base of, while it goes on: a page is
 * the newest frame of the log for it up to there, or what the database's file
 * has.  While a reader of ours that began at or before that commit lives, no
 * later frame is copied into the file, and of those up to it none that this
 * does not find in the log first; unless all were copied when it began: then
 * the file alone is it, and nobody may copy anything.
 *
 * Immutable once made; borrows both descriptors.
 */
#ifndef YORE_WRITE_REPLICATE_PAGES_H
#define YORE_WRITE_REPLICATE_PAGES_H

#include "repo/write/replicate/log.h"

struct pages;

/* The state at ix, which was read after the reader had begun.  *p is given. */
int pages_new(int db_fd, struct wal_log *l, const struct wal_index *ix,
	struct pages **p, struct err *e);
void pages_free(struct pages *p);
/* As delta_writer_pages.read; ctx is a struct pages. */
int pages_read(void *ctx, uint32_t first, uint32_t n, void *buf, struct err *e);

#endif
