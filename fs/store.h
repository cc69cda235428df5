/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Handing files to the kernel's page cache before they are asked for.
 *
 * Small files are stored in walk order and decoded by the frame, so after a
 * READ of one file the next ones often lie decoded in memory.  When READs
 * follow the order of a directory, its next files go to the kernel with
 * NOTIFY_STORE, in growing batches, before the READ is answered: the reader
 * finds them cached.
 *
 * Why this cannot deadlock: NOTIFY_STORE waits for the lock of a page that
 * another READ in flight holds.  That READ is answered by a thread which
 * waits for nothing of ours, because only one thread stores at a time and the
 * others do not wait for their turn but go without (trylock).  The storing
 * thread holds no other lock, and the reader it keeps waiting holds only
 * pages of its own file, which are not among those stored.
 */
#ifndef YORE_FS_STORE_H
#define YORE_FS_STORE_H

#include "fs/call.h"

/* Hand bytes of a file to the kernel: 0, or what NOTIFY_STORE answers. */
int store_bytes(struct mount *m, uint64_t nodeid, uint64_t off,
	const void *data, size_t len);

/* To be called with a successful READ from the start of a file in a tree,
 * before it is answered. */
void store_neighbours(struct call *c);

/*
 * Likewise what lies around a short READ of `size` bytes at off, in the frames
 * it needed, which are decoded: then the next READ near by costs nothing.  To
 * be called before the READ is answered with d, and again after: a READ near
 * the one before is worth the delay, one elsewhere is not.  Before the answer
 * one thread stores at a time, as above; after it, a few, which hold no READ
 * and so keep nobody waiting.
 */
void store_around_before(struct call *c, const struct view_data *d,
	uint64_t off, size_t size);
void store_around_after(struct call *c, const struct view_data *d,
	uint64_t off, size_t size);

#endif
