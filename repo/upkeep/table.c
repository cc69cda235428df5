/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A pack is read from its end: what comes in one get is most often all of the
 * table.  Its header need not be looked at, since nothing unseals under other
 * ids.
 */
#include "repo/upkeep/table.h"

#include <errno.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/crypto/seal.h"

#define TAIL_LEN (64u << 10)
#define TABLE_LEN_MAX (16u << 20)

/* The last bytes of a pack, from where its table begins. */
static int
read_end(struct repository *rp, const char *name, uint64_t size,
	struct object_trailer *t, uint8_t **table, struct err *e)
{
	size_t len = size < TAIL_LEN ? (size_t)size : TAIL_LEN;
	auto_free uint8_t *tail = xmalloc(len);
	uint64_t from = size - len;
	int r = store_get(rp->store, name, from, len, tail, NULL, e);

	if (!r)
		r = object_trailer_decode(
			tail + len - OBJECT_TRAILER_LEN, t, e);
	if (!r && (t->toc_len > TABLE_LEN_MAX || t->toc_off > size ||
			  t->toc_len != size - OBJECT_TRAILER_LEN - t->toc_off))
		r = err_set(e, EBADMSG, "its table of contents lies outside");
	if (r)
		return r;
	*table = xmalloc(t->toc_len + 1);
	if (t->toc_off >= from) {
		memcpy(*table, tail + (t->toc_off - from), t->toc_len);
		return 0;
	}
	return store_get(rp->store, name, t->toc_off, t->toc_len, *table, NULL,
		e);
}

static int
load(struct repository *rp, const char *name, uint8_t object,
	const uint8_t *id, uint64_t size, struct toc *toc, struct err *e)
{
	auto_free uint8_t *sealed = NULL, *plain = NULL;
	struct object_trailer t;
	struct object_key key;
	struct frame_prefix p;
	int r;

	if (size < OBJECT_HEADER_LEN + OBJECT_TRAILER_LEN)
		return err_set(e, EBADMSG, "cut off");
	r = read_end(rp, name, size, &t, &sealed, e);
	if (r)
		return r;
	object_key_init(&key, rp->keys, object, id);
	r = frame_unseal(&key, t.toc_off, sealed, t.toc_len, &p, &plain, e);
	secret_wipe(&key, sizeof(key));
	if (!r && p.type != FRAME_TOC)
		r = err_set(e, EUCLEAN, "its table of contents is none");
	return r ? r : toc_decode(plain, p.plain_len, toc, e);
}

int
table_load(struct repository *rp, uint8_t object,
	const uint8_t id[OBJECT_ID_LEN], uint64_t size, struct toc *toc,
	struct err *e)
{
	char name[OBJECT_NAME_MAX];
	int r;

	object_pack_name(name, object, id);
	r = load(rp, name, object, id, size, toc, e);
	return r && e ? err_prefix(e, "%s", name) : r;
}
