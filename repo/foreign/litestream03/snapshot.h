/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The snapshots of a replica, decoded: once, into pieces that are kept. Nothing
 * of one is given before the sum of all of it was seen to be right.
 */
#ifndef YORE_FOREIGN_LITESTREAM03_SNAPSHOT_H
#define YORE_FOREIGN_LITESTREAM03_SNAPSHOT_H

#include "repo/foreign/litestream03/replica.h"

struct ls03_snapshot {
	struct ls03 *r; /* borrowed; NULL: not opened */
	struct ls03_object object;
	char *name;		   /* in the store */
	char *kept;		   /* what is known of it is kept as this */
	uint64_t size;		   /* bytes it holds */
	_Atomic uint64_t decoding; /* which its pieces are of */
};

/* Decodes it if need be.  -EBADMSG damaged, -ESTALE removed, -EPROTONOSUPPORT
 * encrypted, -EINTR, or why the store gave up. */
int ls03_snapshot_open(struct ls03 *r, const char *generation,
	const struct ls03_object *o, struct ls03_snapshot *s, struct err *e);
void ls03_snapshot_release(struct ls03_snapshot *s);

/* Piece number `piece` into buf (KEPT_PIECE bytes of room), *len of it, 0
 * behind its end.  Decodes all of it again if the piece is not kept any more.
 * By any thread. */
int ls03_snapshot_piece(struct ls03_snapshot *s, uint64_t piece, uint8_t *buf,
	size_t *len, struct err *e);

#endif
