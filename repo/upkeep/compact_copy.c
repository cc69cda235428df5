/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Chunks come in walk order, those of a whole frame one behind the other.
 * Packs are in walk order too, so what is read next mostly lies behind what was
 * read last: a few windows, one a pack, read that far ahead.
 *
 * Chunks of file content that lose their frame gather in a solid frame, as a
 * writer would have put them; databases and big files are cut into frames of a
 * chunk each, which stay so.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/base/bytes.h"
#include "repo/crypto/id.h"
#include "repo/format/object.h"
#include "repo/upkeep/compact_private.h"
#include "repo/write/pack.h"

#define DATA_PACK_LEN (32u << 20) /* as writers (FORMAT, "Packs") */
#define META_PACK_LEN (8u << 20)
#define SOLID_LEN (512u << 10)
/* A frame that has less than this is put together with others: a solid one,
 * and one with a single small file, which no database is cut into. */
#define SMALL_SOLID (256u << 10)
#define SMALL_ALONE (16u << 10)
#define ZSTD_LEVEL 3
#define WINDOWS 8
#define WINDOW_LEN (2u << 20)

struct window {
	uint32_t pack;
	uint64_t off, used; /* used: when, counted */
	size_t len;
	struct buf bytes;
};

struct copier {
	struct compact *c;
	struct pack_writer *data, *meta;
	struct packer *packer;
	struct window windows[WINDOWS];
	uint64_t tick;
	/* a whole frame */
	struct compact_item *frame;
	uint32_t n_frame, cap_frame;
	/* the solid frame that is being filled */
	struct buf plain;
	struct pack_chunk *chunks;
	uint32_t n_chunks, cap_chunks;
};

/* -- Reading ---------------------------------------------------------------------- */

static struct window *
oldest(struct copier *cp)
{
	struct window *w = cp->windows;

	for (unsigned i = 1; i < WINDOWS; i++) {
		if (cp->windows[i].used < w->used)
			w = &cp->windows[i];
	}
	return w;
}

static int
fill(struct copier *cp, struct window *w, const struct compact_item *it,
	struct err *e)
{
	const struct stock_pack *p = &cp->c->o->stock->packs[it->pack];
	uint64_t left = p->size - it->frame_off;
	size_t len = it->frame_len > WINDOW_LEN ? it->frame_len : WINDOW_LEN;
	char name[OBJECT_NAME_MAX];
	int r;

	if (len > left)
		len = (size_t)left;
	object_pack_name(name, p->object, p->id);
	w->bytes.len = 0;
	w->len = 0;
	r = store_get(cp->c->o->rp->store, name, it->frame_off, len,
		buf_reserve(&w->bytes, len), NULL, e);
	if (r)
		return r;
	w->pack = it->pack;
	w->off = it->frame_off;
	w->len = len;
	return 0;
}

/* The sealed bytes of a frame, to be overwritten. */
static int
sealed_frame(struct copier *cp, const struct compact_item *it, struct buf *out,
	struct err *e)
{
	struct window *w = NULL;
	int r = 0;

	for (unsigned i = 0; i < WINDOWS && !w; i++) {
		struct window *x = &cp->windows[i];

		if (x->len && x->pack == it->pack &&
			it->frame_off >= x->off &&
			it->frame_off + it->frame_len <= x->off + x->len)
			w = x;
	}
	if (!w) {
		w = oldest(cp);
		r = fill(cp, w, it, e);
	}
	if (r)
		return r;
	w->used = ++cp->tick;
	buf_append(out, w->bytes.data + (it->frame_off - w->off),
		it->frame_len);
	return 0;
}

static int
unsealed_frame(struct copier *cp, const struct compact_item *it,
	struct frame **frame, struct err *e)
{
	const struct stock_pack *p = &cp->c->o->stock->packs[it->pack];
	struct frame_place at = { .off = it->frame_off,
		.len = it->frame_len,
		.object = p->object };
	auto_buf struct buf sealed = BUF_INIT;
	int r;

	memcpy(at.pack, p->id, OBJECT_ID_LEN);
	*frame = fetch_peek(cp->c->o->fetch, &at);
	if (*frame)
		return 0;
	r = sealed_frame(cp, it, &sealed, e);
	return r ? r
		 : fetch_frame_from(
			   cp->c->o->fetch, &at, sealed.data, frame, e);
}

/* -- Writing ----------------------------------------------------------------------- */

static void
note_pack(struct compact *c, const struct frame_place *at)
{
	for (uint32_t i = c->n_written; i-- > 0;) {
		if (!memcmp(c->written[i].id, at->pack, OBJECT_ID_LEN))
			return;
	}
	if (c->n_written == c->cap_written) {
		c->cap_written = c->cap_written ? c->cap_written * 2 : 64;
		c->written = xrealloc(
			c->written, c->cap_written * sizeof(*c->written));
	}
	c->written[c->n_written].object = at->object;
	memcpy(c->written[c->n_written++].id, at->pack, OBJECT_ID_LEN);
}

static int
put(struct copier *cp, uint8_t object, const struct packed *p, struct err *e)
{
	struct frame_place at;
	int r = pack_writer_add(
		object == OBJECT_DATA ? cp->data : cp->meta, p, &at, e);

	if (!r)
		note_pack(cp->c, &at);
	return r;
}

static int
pack_and_put(struct copier *cp, uint8_t object, struct buf *plain,
	struct pack_chunk *chunks, uint32_t n, struct err *e)
{
	struct packed p = { .type = object == OBJECT_DATA ? FRAME_DATA
							  : FRAME_PAGES,
		.chunks = chunks,
		.n_chunks = n };
	enum frame_codec codec = CODEC_RAW;
	int r;

	if (n > 1) {
		auto_free uint32_t *lens = xcalloc(n, sizeof(*lens));

		for (uint32_t i = 0; i < n; i++)
			lens[i] = chunks[i].len;
		solid_table_encode(plain, lens, n);
		p.flags = FRAME_SOLID;
	}
	p.plain_len = (uint32_t)plain->len;
	r = packer_pack(cp->packer, 0, plain->data, plain->len, &p.bytes,
		&codec, e);
	p.codec = (uint8_t)codec;
	if (!r)
		r = put(cp, object, &p, e);
	buf_release(&p.bytes);
	return r;
}

static int
flush_solid(struct copier *cp, struct err *e)
{
	int r = cp->n_chunks ? pack_and_put(cp, OBJECT_DATA, &cp->plain,
				       cp->chunks, cp->n_chunks, e)
			     : 0;

	cp->plain.len = 0;
	cp->n_chunks = 0;
	return r;
}

static int
gather(struct copier *cp, const struct compact_item *it, const uint8_t *data,
	struct err *e)
{
	struct pack_chunk *ch;

	if (cp->n_chunks == cp->cap_chunks) {
		cp->cap_chunks = cp->cap_chunks ? cp->cap_chunks * 2 : 256;
		cp->chunks = xrealloc(
			cp->chunks, cp->cap_chunks * sizeof(*cp->chunks));
	}
	ch = &cp->chunks[cp->n_chunks++];
	*ch = (struct pack_chunk){ .off = (uint32_t)cp->plain.len,
		.len = it->chunk_len };
	memcpy(ch->id, it->key, CHUNK_KEY_LEN);
	buf_append(&cp->plain, data, it->chunk_len);
	return cp->plain.len >= SOLID_LEN ? flush_solid(cp, e) : 0;
}

/* -- One chunk of a frame that is not whole ------------------------------------------ */

static bool
has_key(struct copier *cp, const struct compact_item *it, uint8_t object,
	const uint8_t *data)
{
	static const enum chunk_type types[] = { CHUNK_DATA, CHUNK_PAGE,
		CHUNK_XATTRS };
	uint8_t id[CHUNK_ID_LEN];

	for (unsigned i = object == OBJECT_META; i < (object == OBJECT_META ? 3 : 1);
		i++) {
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
	struct pack_chunk ch = { .len = it->chunk_len };
	auto_buf struct buf plain = BUF_INIT;

	if (object == OBJECT_DATA && it->chunk_len <= SOLID_LEN)
		return gather(cp, it, data, e);
	memcpy(ch.id, it->key, CHUNK_KEY_LEN);
	buf_append(&plain, data, it->chunk_len);
	return pack_and_put(cp, object, &plain, &ch, 1, e);
}

static int
copy_chunk(struct copier *cp, const struct compact_item *it, struct err *e)
{
	auto_frame struct frame *frame = NULL;
	uint8_t object = cp->c->o->stock->packs[it->pack].object;
	struct err why = ERR_INIT;
	int r = unsealed_frame(cp, it, &frame, &why);

	if (!r && ((uint64_t)it->chunk_off + it->chunk_len > frame->len ||
			  !has_key(cp, it, object,
				  frame->data + it->chunk_off)))
		r = err_set(&why, EUCLEAN, "a chunk is not what its id says");
	if (r) {
		compact_drop(cp->c, it->pack, &why);
		return 0;
	}
	return write_chunk(cp, it, frame->data + it->chunk_off, e);
}

/* -- A whole frame --------------------------------------------------------------------- */

static int
reseal(struct copier *cp, struct buf *sealed, struct frame_prefix *prefix,
	struct err *e)
{
	const struct compact_item *it = cp->frame;
	const struct stock_pack *p = &cp->c->o->stock->packs[it->pack];
	struct packed out = { .plain_len = prefix->plain_len,
		.type = prefix->type,
		.codec = prefix->codec,
		.flags = prefix->flags,
		.n_chunks = cp->n_frame };
	int r;

	out.chunks = xcalloc(cp->n_frame, sizeof(*out.chunks));
	for (uint32_t i = 0; i < cp->n_frame; i++) {
		out.chunks[i].off = cp->frame[i].chunk_off;
		out.chunks[i].len = cp->frame[i].chunk_len;
		memcpy(out.chunks[i].id, cp->frame[i].key, CHUNK_KEY_LEN);
	}
	buf_append(&out.bytes, sealed->data + FRAME_PREFIX_LEN,
		prefix->body_len - FRAME_TAG_LEN);
	r = put(cp, p->object, &out, e);
	buf_release(&out.bytes);
	free(out.chunks);
	return r;
}

static int
copy_packed(struct copier *cp, struct err *e)
{
	const struct compact_item *it = cp->frame;
	const struct stock_pack *p = &cp->c->o->stock->packs[it->pack];
	auto_buf struct buf sealed = BUF_INIT;
	struct frame_prefix prefix;
	struct object_key key;
	struct err why = ERR_INIT;
	int r = sealed_frame(cp, it, &sealed, &why);

	object_key_init(&key, cp->c->o->rp->keys, p->object, p->id);
	if (!r)
		r = frame_unseal_packed(&key, it->frame_off, sealed.data,
			sealed.len, &prefix, &why);
	secret_wipe(&key, sizeof(key));
	if (!r && prefix.type != (p->object == OBJECT_DATA ? FRAME_DATA
							   : FRAME_PAGES))
		r = err_set(&why, EUCLEAN, "a frame of the wrong type");
	if (!r)
		return reseal(cp, &sealed, &prefix, e);
	compact_drop(cp->c, it->pack, &why);
	return 0;
}

static bool
is_small(const struct copier *cp)
{
	const struct compact_item *last = &cp->frame[cp->n_frame - 1];
	uint64_t len = (uint64_t)last->chunk_off + last->chunk_len;

	if (cp->c->o->stock->packs[last->pack].object != OBJECT_DATA)
		return false;
	return len < (cp->n_frame > 1 ? SMALL_SOLID : SMALL_ALONE);
}

static int
end_frame(struct copier *cp, struct err *e)
{
	int r = 0;

	if (!cp->n_frame)
		return 0;
	if (!(cp->c->o->stock->packs[cp->frame->pack].flags & STOCK_COPY)) {
		;
	} else if (is_small(cp)) {
		for (uint32_t i = 0; i < cp->n_frame && !r; i++)
			r = copy_chunk(cp, &cp->frame[i], e);
	} else {
		r = copy_packed(cp, e);
	}
	cp->n_frame = 0;
	return r;
}

static int
take(struct copier *cp, const struct compact_item *it, struct err *e)
{
	const struct compact *c = cp->c;
	int r = 0;

	if (cp->n_frame && (cp->frame->pack != it->pack ||
				   cp->frame->frame_off != it->frame_off))
		r = end_frame(cp, e);
	if (r || !(c->o->stock->packs[it->pack].flags & STOCK_COPY))
		return r;
	if (!it->whole)
		return copy_chunk(cp, it, e);
	if (cp->n_frame == cp->cap_frame) {
		cp->cap_frame = cp->cap_frame ? cp->cap_frame * 2 : 256;
		cp->frame = xrealloc(
			cp->frame, cp->cap_frame * sizeof(*cp->frame));
	}
	cp->frame[cp->n_frame++] = *it;
	return 0;
}

static int
copy_all(struct copier *cp, struct err *e)
{
	const struct compact_options *o = cp->c->o;
	const void *record;
	int r = sorter_read(cp->c->items, e), got = 0;

	while (!r && (got = sorter_next(cp->c->items, &record, e)) > 0) {
		if (o->interrupted && *o->interrupted)
			r = err_set(e, EINTR, "interrupted");
		else
			r = take(cp, record, e);
	}
	if (!r && got < 0)
		r = got;
	if (!r)
		r = end_frame(cp, e);
	if (!r)
		r = flush_solid(cp, e);
	if (!r)
		r = pack_writer_finish(cp->data, e);
	return r ? r : pack_writer_finish(cp->meta, e);
}

int
compact_copy(struct compact *c, struct err *e)
{
	const struct compact_options *o = c->o;
	struct copier cp = { .c = c };
	int r;

	cp.data = pack_writer_new(o->sink, o->rp->keys, OBJECT_DATA,
		o->data_pack_len ? o->data_pack_len : DATA_PACK_LEN, 0);
	cp.meta = pack_writer_new(o->sink, o->rp->keys, OBJECT_META,
		o->meta_pack_len ? o->meta_pack_len : META_PACK_LEN, 0);
	cp.packer = packer_new(ZSTD_LEVEL);
	r = copy_all(&cp, e);
	pack_writer_free(cp.data);
	pack_writer_free(cp.meta);
	packer_free(cp.packer);
	for (unsigned i = 0; i < WINDOWS; i++)
		buf_release(&cp.windows[i].bytes);
	buf_release(&cp.plain);
	free(cp.frame);
	free(cp.chunks);
	return r;
}
