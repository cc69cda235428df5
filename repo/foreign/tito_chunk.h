/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Chunks of tito backups: gzip of a JSON array of
 *	{"op":"put"|"delete","key":string,"data":value|null}
 * What one decodes to is kept, once it has been read to its end and verified,
 * so that a value is found without decoding it again.
 */
#ifndef YORE_FOREIGN_TITO_CHUNK_H
#define YORE_FOREIGN_TITO_CHUNK_H

#include "repo/foreign/kept.h"
#include "repo/store/store.h"

#define TITO_CHUNK_MAX (4ULL << 30) /* decoded */
#define TITO_ENTRY_MAX (64u << 20)  /* of it, one entry */

struct tito_source {
	struct store *store;
	struct kept *kept;
	const char *object; /* name of the chunk */
	uint64_t size;
	int64_t modified_ns;
};

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
int tito_chunk_entries(const struct tito_source *src,
	int (*each)(void *ctx, const struct tito_entry *en, struct err *e),
	void *ctx, struct err *e);

/* Bytes [off, off + len) of the decoded chunk, which tito_chunk_entries has
 * told of. */
int tito_chunk_read(const struct tito_source *src, uint64_t off, size_t len,
	void *to, struct err *e);

#endif
