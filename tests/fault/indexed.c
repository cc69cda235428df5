/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/fault/indexed.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "repo/base/auto.h"
#include "repo/base/buf.h"
#include "repo/base/hex.h"
#include "repo/format/object.h"
#include "repo/native/index.h"

#define PACK_MAX (64u << 20)

struct places {
	struct repository *rp;
	enum object_type type; /* of the packs being listed */
	struct ref *refs;      /* of an id its key only */
	size_t n;
	struct err *e;
	int r;
};

static void
add_chunks(struct places *p, const uint8_t *pack, const struct toc *toc)
{
	p->refs = xrealloc(p->refs, (p->n + toc->n_chunks) * sizeof(*p->refs));
	for (uint32_t i = 0; i < toc->n_frames; i++) {
		const struct toc_frame *f = &toc->frames[i];

		for (uint32_t k = 0; k < f->n_chunks; k++) {
			const struct toc_chunk *c =
				&toc->chunks[f->first_chunk + k];
			struct ref *r = &p->refs[p->n++];

			memset(r, 0, sizeof(*r));
			memcpy(r->id, c->id, CHUNK_KEY_LEN);
			memcpy(r->place.pack, pack, OBJECT_ID_LEN);
			r->place.off = f->off;
			r->place.len = f->len;
			r->place.object = (uint8_t)p->type;
			r->chunk_off = c->off;
			r->chunk_len = c->len;
		}
	}
}

static int
read_toc(struct places *p, const char *name, struct toc *toc,
	uint8_t id[OBJECT_ID_LEN], struct err *e)
{
	auto_free uint8_t *data = NULL, *plain = NULL;
	struct object_header h;
	struct object_trailer t;
	struct object_key key;
	struct frame_prefix prefix;
	size_t len;
	int r = store_get_all(p->rp->store, name, PACK_MAX, &data, &len, e);

	if (!r)
		r = object_header_decode(data, &h, e);
	if (!r)
		r = object_trailer_decode(
			data + len - OBJECT_TRAILER_LEN, &t, e);
	if (r)
		return r;
	memcpy(id, h.id, OBJECT_ID_LEN);
	object_key_init(&key, p->rp->keys, p->type, id);
	r = frame_unseal(&key, t.toc_off, data + t.toc_off, t.toc_len, &prefix,
		&plain, e);
	return r ? r : toc_decode(plain, prefix.plain_len, toc, e);
}

static bool
add_pack(void *ctx, const char *name, uint64_t size)
{
	struct places *p = ctx;
	auto_toc struct toc toc = TOC_INIT;
	uint8_t id[OBJECT_ID_LEN];

	(void)size;
	p->r = read_toc(p, name, &toc, id, p->e);
	if (!p->r)
		add_chunks(p, id, &toc);
	return p->r == 0;
}

static int
by_key(const void *a, const void *b)
{
	return memcmp(((const struct ref *)a)->id, ((const struct ref *)b)->id,
		CHUNK_KEY_LEN);
}

/* Whether the found place is one that some table gives refs[i]. */
static bool
is_place_of(const struct places *p, size_t i, const struct ref *found)
{
	size_t k = i;

	while (k > 0 && by_key(&p->refs[k - 1], found) == 0)
		k--;
	for (; k < p->n && by_key(&p->refs[k], found) == 0; k++) {
		const struct ref *r = &p->refs[k];

		if (r->place.off == found->place.off &&
			r->place.len == found->place.len &&
			r->place.object == found->place.object &&
			r->chunk_off == found->chunk_off &&
			r->chunk_len == found->chunk_len &&
			!memcmp(r->place.pack, found->place.pack,
				OBJECT_ID_LEN))
			return true;
	}
	return false;
}

static int
look_up_all(struct places *p, struct err *e)
{
	struct index *ix = index_new(p->rp, 0);
	int r = 0;

	qsort(p->refs, p->n, sizeof(*p->refs), by_key);
	for (size_t i = 0; i < p->n && !r; i++) {
		struct ref found = { .chunk_off = 0 };
		char hex[OBJECT_ID_LEN * 2 + 1];

		hex_encode(hex, p->refs[i].place.pack, OBJECT_ID_LEN);
		memcpy(found.id, p->refs[i].id, CHUNK_KEY_LEN);
		r = index_find(ix, &found, e);
		if (r)
			err_prefix(e, "a chunk of pack %s", hex);
		else if (!is_place_of(p, i, &found))
			r = err_set(e, ENOENT,
				"a chunk of pack %s is said to lie elsewhere",
				hex);
	}
	index_free(ix);
	return r;
}

int
indexed_whole(const char *repo, struct err *e)
{
	auto_repository struct repository *rp = NULL;
	struct places p = { .e = e };
	int r = repository_open(repo, NULL, &rp, e);

	p.rp = rp;
	p.type = OBJECT_DATA;
	if (!r)
		r = store_list(rp->store, "data/", "", add_pack, &p, e);
	p.type = OBJECT_META;
	if (!r && !p.r)
		r = store_list(rp->store, "meta/", "", add_pack, &p, e);
	if (!r && !p.r)
		r = look_up_all(&p, e);
	free(p.refs);
	return r ? r : p.r;
}
