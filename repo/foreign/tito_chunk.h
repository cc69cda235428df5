/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Chunks of tito backups: gzip of a JSON array of
 *	{"op":"put"|"delete","key":string,"data":value|null}
 */
#ifndef YORE_FOREIGN_TITO_CHUNK_H
#define YORE_FOREIGN_TITO_CHUNK_H

#include "repo/foreign/unpacked.h"

#define TITO_CHUNK_MAX (4ULL << 30) /* decoded */
#define TITO_ENTRY_MAX (64u << 20)  /* of it, one entry */

/* Fills in what is the same for all chunks. */
static inline void
tito_chunk_source(struct unpacked_source *src)
{
	src->kind = UNPACK_GZIP;
	src->max = TITO_CHUNK_MAX;
}

struct tito_entry {
	const char *key; /* not terminated */
	size_t key_len;
	bool put;     /* else: delete */
	uint64_t off; /* of what is put, in the decoded chunk */
	uint64_t len;
};

/*
 * Call each entry that says something, in order: not those of another op, nor
 * a put of null.  Entries may be wrong as long as this has not returned 0.
 * -EBADMSG, -EUCLEAN damaged; -EINTR; errors of each.
 */
int tito_chunk_entries(const struct unpacked_source *src,
	int (*each)(void *ctx, const struct tito_entry *en, struct err *e),
	void *ctx, struct err *e);

#endif
