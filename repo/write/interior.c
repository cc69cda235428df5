/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>
#include "repo/base/auto.h"
#include "repo/crypto/id.h"
#include "repo/write/run.h"

/* The kernel reads no less at a time. */
#define UNIT_MIN 4096u
/* With fewer there is little to gain. */
#define UNITS_MIN 8
/* Frames that wait for the others of the file, to lie beside them. */
#define WAITING_MAX (4u << 20)
/* Places that wait with them. */
#define KEPT_MAX 4096
/* More than a 16th of the file is no tree of pages. */
#define FREE_BYTES (1u << 20)
#define SHARE 16

/* -- Picking ------------------------------------------------------------- */

uint32_t
interior_unit(uint32_t page_size)
{
	if (page_size < 512 || page_size > 65536)
		return 0;
	return page_size < UNIT_MIN ? UNIT_MIN : page_size;
}

/* Whether a page looks like an interior page of a table or an index (SQLite,
 * "Database File Format", 1.6).  A mistake costs room, nothing else. */
static bool
is_interior(const uint8_t *page, uint32_t page_size)
{
	uint32_t cells = get_be16(page + 3);
	uint32_t content = get_be16(page + 5);

	if (content == 0)
		content = 65536;
	return (page[0] == 2 || page[0] == 5) && cells > 0 && page[7] <= 60 &&
	       get_be16(page + 1) < page_size && content <= page_size &&
	       12 + 2 * cells <= content && get_be32(page + 8) > 1;
}

static bool
has_interior(const uint8_t *unit, uint32_t len, uint32_t page_size)
{
	for (uint32_t at = 0; at < len; at += page_size) {
		if (is_interior(unit + at, page_size))
			return true;
	}
	return false;
}

static void
pick(struct pickings *ps, uint64_t off, const uint8_t *unit)
{
	if (ps->n == ps->cap) {
		ps->cap = ps->cap ? ps->cap * 2 : 8;
		ps->p = xrealloc(ps->p, ps->cap * sizeof(*ps->p));
	}
	ps->p[ps->n++] = (struct picked){ off, ps->bytes.len };
	buf_append(&ps->bytes, unit, ps->unit);
}

void
interior_pick(struct pickings *ps, uint32_t page_size, uint64_t off,
	const uint8_t *data, size_t len)
{
	size_t at;

	ps->unit = interior_unit(page_size);
	if (!ps->unit)
		return;
	at = (ps->unit - off % ps->unit) % ps->unit;
	for (; at + ps->unit <= len; at += ps->unit) {
		/* the first page is read with what follows it */
		if (off + at > 0 && has_interior(data + at, ps->unit, page_size))
			pick(ps, off + at, data + at);
	}
}

void
pickings_release(struct pickings *ps)
{
	free(ps->p);
	buf_release(&ps->bytes);
}

/* -- Storing ------------------------------------------------------------- */

struct place {
	uint64_t off;
	struct ref ref;
};

struct interior {
	uint32_t unit;
	uint64_t n; /* units of the file so far */
	bool too_many;
	struct place *places; /* not in the map yet */
	size_t n_places, cap_places;
	struct packed *waiting; /* frames */
	size_t n_waiting, waiting_len;
	struct buf plain; /* the frame being filled */
	struct pack_chunk *chunks;
	uint32_t n_chunks, cap_chunks;
	struct map_builder *map;
	uint64_t mapped; /* bytes of the file */
};

static void
free_waiting(struct interior *in)
{
	for (size_t i = 0; i < in->n_waiting; i++) {
		buf_release(&in->waiting[i].bytes);
		free(in->waiting[i].chunks);
	}
	in->n_waiting = in->waiting_len = 0;
}

void
interior_free(struct interior *in)
{
	if (!in)
		return;
	free_waiting(in);
	free(in->waiting);
	free(in->places);
	free(in->chunks);
	buf_release(&in->plain);
	map_builder_free(in->map);
	free(in);
}

/* The frame being filled is complete. */
static int
end_frame(struct run *run, struct interior *in, struct err *e)
{
	auto_free uint32_t *lens = NULL;
	enum frame_codec codec;
	struct packed *p;
	int r;

	if (!in->n_chunks)
		return 0;
	in->waiting = xrealloc(
		in->waiting, (in->n_waiting + 1) * sizeof(*in->waiting));
	p = &in->waiting[in->n_waiting++];
	*p = (struct packed){ .type = FRAME_DATA, .n_chunks = in->n_chunks };
	p->chunks = steal(in->chunks);
	lens = xcalloc(p->n_chunks, sizeof(*lens));
	for (uint32_t i = 0; i < p->n_chunks; i++)
		lens[i] = p->chunks[i].len;
	if (p->n_chunks > 1) {
		solid_table_encode(&in->plain, lens, p->n_chunks);
		p->flags = FRAME_SOLID;
	}
	p->plain_len = (uint32_t)in->plain.len;
	r = packer_pack(run->packer, 0, in->plain.data, in->plain.len,
		&p->bytes, &codec, e);
	p->codec = (uint8_t)codec;
	in->waiting_len += p->bytes.len;
	in->plain.len = 0;
	in->n_chunks = in->cap_chunks = 0;
	return r;
}

static void
add_chunk(struct interior *in, const uint8_t id[CHUNK_ID_LEN],
	const uint8_t *data)
{
	struct pack_chunk *c;

	if (in->n_chunks == in->cap_chunks) {
		in->cap_chunks = in->cap_chunks ? in->cap_chunks * 2 : 64;
		in->chunks = xrealloc(
			in->chunks, in->cap_chunks * sizeof(*in->chunks));
	}
	c = &in->chunks[in->n_chunks++];
	memcpy(c->id, id, CHUNK_ID_LEN);
	c->off = (uint32_t)in->plain.len;
	c->len = in->unit;
	buf_append(&in->plain, data, in->unit);
}

/* The frames that wait go into the pack, their places into the map. */
static int
store_waiting(struct run *run, struct file_build *f, struct interior *in,
	struct err *e)
{
	int r = place_frames(
		run, f->data, in->waiting, in->n_waiting, e);

	free_waiting(in);
	if (!in->map)
		in->map = file_build_map(run);
	for (size_t i = 0; i < in->n_places && !r; i++) {
		struct place *p = &in->places[i];
		struct extent hole = { .off = in->mapped,
			.len = p->off - in->mapped, .hole = true };
		struct extent x = { .off = p->off, .len = in->unit };

		x.ref = p->ref;
		if (known_find(run->known, &x.ref))
			return err_set(e, EIO, "a chunk that was to come did not");
		if (hole.len)
			r = map_builder_extent(in->map, &hole, e);
		if (!r)
			r = map_builder_extent(in->map, &x, e);
		in->mapped = p->off + in->unit;
	}
	in->n_places = 0;
	return r;
}

static struct place *
add_place(struct interior *in, uint64_t off)
{
	struct place *p;

	if (in->n_places == in->cap_places) {
		in->cap_places = in->cap_places ? in->cap_places * 2 : 256;
		in->places = xrealloc(
			in->places, in->cap_places * sizeof(*in->places));
	}
	p = &in->places[in->n_places++];
	*p = (struct place){ .off = off, .ref = { .chunk_len = in->unit } };
	in->n++;
	return p;
}

static int
add_unit(struct run *run, struct file_build *f, uint64_t off,
	const uint8_t *data, struct err *e)
{
	struct interior *in = f->interior;
	struct place *p = add_place(in, off);
	int r = 0;

	chunk_id(run->w->rp->keys, CHUNK_DATA, data, in->unit, p->ref.id);
	if (known_find(run->known, &p->ref))
		add_chunk(in, p->ref.id, data);
	if (in->plain.len >= SOLID_LEN)
		r = end_frame(run, in, e);
	if (!r && in->waiting_len >= WAITING_MAX)
		r = store_waiting(run, f, in, e);
	return r;
}

static struct interior *
begun(struct file_build *f, uint32_t unit)
{
	if (!f->interior)
		f->interior = xcalloc(1, sizeof(*f->interior));
	f->interior->unit = unit;
	return f->interior;
}

int
interior_keep(struct run *run, struct file_build *f, uint64_t off, uint32_t len,
	const struct ref *r, struct err *e)
{
	struct interior *in = begun(f, len);
	struct place *p = add_place(in, off);

	memcpy(p->ref.id, r->id, CHUNK_ID_LEN);
	/* the map does not wait for the end: there may be many */
	return in->n_places < KEPT_MAX ? 0 : store_waiting(run, f, in, e);
}

int
interior_add(struct run *run, struct file_build *f, const struct pickings *ps,
	struct err *e)
{
	struct interior *in;
	int r = 0;

	if (!ps->n)
		return 0;
	in = begun(f, ps->unit);
	for (size_t i = 0; i < ps->n && !in->too_many && !r; i++) {
		r = add_unit(run, f, ps->p[i].off, ps->bytes.data + ps->p[i].at,
			e);
		in->too_many = in->n * in->unit >
			       FREE_BYTES + ps->p[i].off / SHARE;
	}
	return r;
}

int
interior_finish(struct run *run, struct file_build *f, uint64_t size,
	struct ref *ref, struct err *e)
{
	struct interior *in = steal(f->interior);
	struct extent hole = { .hole = true };
	const uint8_t *page;
	size_t len;
	bool any;
	int r = -ENOENT;

	if (in && !in->too_many && in->n >= UNITS_MIN && size >= in->mapped) {
		r = end_frame(run, in, e);
		if (!r)
			r = store_waiting(run, f, in, e);
		hole.off = in->mapped;
		hole.len = size - in->mapped;
		if (!r && hole.len)
			r = map_builder_extent(in->map, &hole, e);
		if (!r)
			r = map_builder_finish(
				in->map, &any, ref, &page, &len, e);
	}
	interior_free(in);
	return r;
}
