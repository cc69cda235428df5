/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bytes of others' objects by place, asked of the store once.
 *
 * An object of a remote store is read by the piece of 64 KiB: from memory, from
 * what is kept (kept.h), else from the store, neighbours in one request.
 * However many want a piece, it is fetched once, and no lock is held meanwhile.
 * A local store is read as it is: the kernel keeps it.
 *
 * Nothing here is verified: what an object's bytes are worth is for its format
 * to find out.
 */
#ifndef YORE_FOREIGN_PIECES_H
#define YORE_FOREIGN_PIECES_H

#include "repo/foreign/place.h"

struct pieces;

/* What is read.  Strings are borrowed for the call. */
struct pieces_object {
	const char *name; /* in the store */
	uint64_t size;
	/* Stands for these very bytes: name, and what tells the object from
	 * another that had the name before or will have it. */
	const char *key;
};

/* Of a place, which has it (foreign_place_pieces); memory: bytes of pieces
 * held.  kept NULL: memory is all there is. */
struct pieces *pieces_new(struct foreign_place *place, struct kept *kept,
	size_t memory);
/* Waits for what is on its way. */
void pieces_free(struct pieces *p);

/*
 * Bytes [off, off + len) into buf.  They must lie inside the object: -EBADMSG
 * otherwise, and when the store has less.  -ENETDOWN offline and not kept;
 * -EINTR when cancel_current() was raised; as store_get otherwise.
 */
int pieces_read(struct pieces *p, const struct pieces_object *o, uint64_t off,
	size_t len, void *buf, struct err *e);

/* Fetch what lacks of these bytes in the background; advice. */
void pieces_ahead(struct pieces *p, const struct pieces_object *o, uint64_t off,
	uint64_t len);

/* They turned out to be wrong: ask the store itself, the next time. */
void pieces_forget(struct pieces *p, const struct pieces_object *o);

void pieces_stats(struct pieces *p, struct history_stats *s);

#endif
