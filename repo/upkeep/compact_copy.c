/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Chunks come in walk order, those of a frame that goes on as it is packed one
 * behind the other; their frames have been read (compact_ahead.h).
 *
 * Chunks of file content that lose their frame gather in a solid frame, as a
 * writer would have put them; databases and big files are cut into frames of a
 * chunk each, which stay so.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/crypto/id.h"
#include "repo/format/object.h"
#include "repo/upkeep/compact_ahead.h"
#include "repo/upkeep/compact_out.h"

#define SOLID_LEN (512u << 10)

struct copier {
	struct compact *c;
	struct compact_out *out;
	/* the chunks of a frame that goes on as it is packed */
	struct packed whole;
	/* the solid frame that is being filled */
	struct buf plain;
	struct packed solid;
	uint32_t cap_solid, cap_whole;
};

static void
add_chunk(struct packed *p, uint32_t *cap, const struct compact_item *it,
	uint32_t off)
{
	struct pack_chunk *ch;

	if (p->n_chunks == *cap) {
		*cap = *cap ? *cap * 2 : 256;
		p->chunks = xrealloc(p->chunks, *cap * sizeof(*p->chunks));
	}
	ch = &p->chunks[p->n_chunks++];
	*ch = (struct pack_chunk){ .off = off, .len = it->chunk_len };
	memcpy(ch->id, it->key, CHUNK_KEY_LEN);
}

static void
forget_chunks(struct packed *p, uint32_t *cap)
{
	free(p->chunks);
	*p = (struct packed){ .n_chunks = 0 };
	*cap = 0;
}

/* -- Chunks alone -------------------------------------------------- */

static int
flush_solid(struct copier *cp, struct err *e)
{
	if (!cp->solid.n_chunks)
		return 0;
	cp->cap_solid = 0;
	return compact_out_plain(
		cp->out, OBJECT_DATA, &cp->plain, &cp->solid, e);
}

static int
gather(struct copier *cp, const struct compact_item *it, const uint8_t *data,
	struct err *e)
{
	add_chunk(&cp->solid, &cp->cap_solid, it, (uint32_t)cp->plain.len);
	buf_append(&cp->plain, data, it->chunk_len);
	return cp->plain.len >= SOLID_LEN ? flush_solid(cp, e) : 0;
}

static bool
has_key(struct copier *cp, const struct compact_item *it, uint8_t object,
	const uint8_t *data)
{
	static const enum chunk_type types[] = { CHUNK_DATA, CHUNK_PAGE,
		CHUNK_XATTRS };
	uint8_t id[CHUNK_ID_LEN];

	for (unsigned i = object == OBJECT_META;
		i < (object == OBJECT_META ? 3 : 1); i++) {
		chunk_id(cp->c->o->rp->keys, types[i], data, it->chunk_len, id);
		if (!memcmp(id, it->key, CHUNK_KEY_LEN))
			return true;
	}
	return false;
}

static int
write_chunk(struct copier *cp, const struct compact_item *it,
	const uint8_t *data, struct err *e)
{
	uint8_t object = cp->c->o->stock->packs[it->pack].object;
	auto_buf struct buf plain = BUF_INIT;
	struct packed p = { .n_chunks = 0 };
	uint32_t cap = 0;

	if (object == OBJECT_DATA && it->chunk_len <= SOLID_LEN)
		return gather(cp, it, data, e);
	add_chunk(&p, &cap, it, 0);
	buf_append(&plain, data, it->chunk_len);
	return compact_out_plain(cp->out, object, &plain, &p, e);
}

static int
copy_chunk(struct copier *cp, const struct compact_item *it,
	const struct compact_frame *f, struct err *e)
{
	uint8_t object = cp->c->o->stock->packs[it->pack].object;
	struct err why = f->why;

	if (!why.code &&
		((uint64_t)it->chunk_off + it->chunk_len > f->frame->len ||
			!has_key(cp, it, object,
				f->frame->data + it->chunk_off)))
		err_set(&why, EUCLEAN, "a chunk is not what its id says");
	if (why.code) {
		compact_drop(cp->c, it->pack, &why);
		return 0;
	}
	return write_chunk(cp, it, f->frame->data + it->chunk_off, e);
}

/* -- A frame as it is packed --------------------------------------- */

static int
reseal(struct copier *cp, uint8_t object, const struct compact_frame *f,
	struct err *e)
{
	struct packed *p = &cp->whole;

	p->plain_len = f->prefix.plain_len;
	p->type = f->prefix.type;
	p->codec = f->prefix.codec;
	p->flags = f->prefix.flags;
	buf_append(&p->bytes, f->sealed + FRAME_PREFIX_LEN,
		f->prefix.body_len - FRAME_TAG_LEN);
	cp->cap_whole = 0;
	return compact_out_packed(cp->out, object, p, e);
}

/* The next chunk of one; with its last one it goes. */
static int
copy_packed(struct copier *cp, const struct compact_item *it,
	const struct compact_frame *f, struct err *e)
{
	uint8_t object = cp->c->o->stock->packs[it->pack].object;
	struct err why = f->why;

	if (!why.code &&
		f->prefix.type !=
			(object == OBJECT_DATA ? FRAME_DATA : FRAME_PAGES))
		err_set(&why, EUCLEAN, "a frame of the wrong type");
	if (why.code) {
		compact_drop(cp->c, it->pack, &why);
		return 0;
	}
	add_chunk(&cp->whole, &cp->cap_whole, it, it->chunk_off);
	return cp->whole.n_chunks == it->packed ? reseal(cp, object, f, e) : 0;
}

/* -- All ----------------------------------------------------------- */

static int
copy_all(struct copier *cp, struct compact_ahead *a, struct err *e)
{
	const struct compact_options *o = cp->c->o;
	const struct compact_item *it;
	const struct compact_frame *f;
	int r = 0, got = 0;

	while (!r && (got = compact_ahead_next(a, &it, &f, e)) > 0) {
		if (o->interrupted && *o->interrupted)
			r = err_set(e, EINTR, "interrupted");
		else if (!(o->stock->packs[it->pack].flags & STOCK_COPY))
			forget_chunks(&cp->whole, &cp->cap_whole);
		else if (it->packed)
			r = copy_packed(cp, it, f, e);
		else
			r = copy_chunk(cp, it, f, e);
	}
	if (!r && got < 0)
		r = got;
	if (!r)
		r = flush_solid(cp, e);
	return r ? r : compact_out_finish(cp->out, e);
}

int
compact_copy(struct compact *c, struct err *e)
{
	auto_compact_ahead struct compact_ahead *a = NULL;
	auto_compact_out struct compact_out *out = NULL;
	struct copier cp = { .c = c };
	int r = compact_out_new(c, &out, e);

	cp.out = out;
	if (!r)
		r = compact_ahead_new(c, &a, e);
	if (!r)
		r = copy_all(&cp, a, e);
	buf_release(&cp.plain);
	forget_chunks(&cp.solid, &cp.cap_solid);
	forget_chunks(&cp.whole, &cp.cap_whole);
	return r;
}
