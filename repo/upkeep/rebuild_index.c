/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The index is written anew, as one segment above all levels that supersedes
 * every other, when it lacks a chunk of a pack, has an entry that leads
 * nowhere, or has a segment that cannot be read.
 */
#include "repo/upkeep/rebuild_private.h"

#include <errno.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/format/segment.h"
#include "repo/native/id_set.h"
#include "repo/native/index.h"
#include "repo/write/segments.h"

#define LEVEL_MAX 9

struct segments {
	struct rebuild *rb;
	struct index *ix;
	struct id_set all, good; /* of all that are listed; in use or
				  * superseded by those */
	unsigned level;		 /* the highest */
};

/* -- What is there
 * ------------------------------------------------------------------ */

static bool
look(void *ctx, const char *name, uint64_t size)
{
	struct segments *s = ctx;
	uint8_t id[OBJECT_ID_LEN];
	unsigned level;

	(void)size;
	if (segment_name_parse(name, &level, id))
		return true;
	id_set_add(&s->all, id);
	if (level > s->level)
		s->level = level;
	return true;
}

static int
add_page(struct rebuild *rb, const struct segment_directory *d,
	const struct segment_entry *en, uint32_t n, struct err *e)
{
	int r = 0;

	for (uint32_t i = 0; i < n && !r; i++) {
		const struct segment_pack *p =
			en[i].pack < d->n_packs ? &d->packs[en[i].pack] : NULL;
		const struct check_pack *cp =
			p ? check_packs_find(&rb->packs, p->object, p->id)
			  : NULL;
		struct rebuild_entry x = { .kind = 1,
			.off = en[i].frame_off,
			.len = en[i].frame_len,
			.chunk_off = en[i].chunk_off,
			.chunk_len = en[i].chunk_len };

		memcpy(x.key, en[i].id, CHUNK_KEY_LEN);
		x.pack = cp ? (uint32_t)(cp - rb->packs.p) : UINT32_MAX;
		r = sorter_add(rb->entries, &x, e);
	}
	return r;
}

static int
add_segment(struct segments *s, size_t i, struct err *e)
{
	const struct segment_directory *d = index_segment_directory(s->ix, i);
	uint8_t id[OBJECT_ID_LEN];
	int r = 0;

	index_segment_id(s->ix, i, id);
	id_set_add(&s->good, id);
	for (uint32_t k = 0; k < d->n_supersedes; k++)
		id_set_add(&s->good, d->supersedes[k]);
	for (uint32_t k = 0; k < d->n_pages && !r; k++) {
		auto_free struct segment_entry *en = NULL;
		struct err why = ERR_INIT;
		uint32_t n = 0;

		r = index_segment_page(s->ix, i, k, &en, &n, &why);
		if (r == -EBADMSG || r == -EUCLEAN) {
			s->rb->res->bad_segments++;
			return 0;
		}
		if (r)
			*e = why;
		else
			r = add_page(s->rb, d, en, n, e);
	}
	return r;
}

static int
look_at_index(struct segments *s, struct err *e)
{
	size_t n = 0;
	int r = store_list_names(s->rb->u->rp->store, "idx/", "", look, s, e);

	if (!r)
		r = index_segments(s->ix, &n, e);
	for (size_t i = 0; i < n && !r; i++)
		r = add_segment(s, i, e);
	id_set_sort(&s->all);
	id_set_sort(&s->good);
	for (size_t i = 0; i < s->all.n && !r; i++)
		s->rb->res->bad_segments +=
			!id_set_has(&s->good, s->all.ids[i]);
	return r;
}

/* -- Comparing
 * ---------------------------------------------------------------------- */

static bool
same_place(const struct rebuild_entry *a, const struct rebuild_entry *b)
{
	return memcmp(a->key, b->key, CHUNK_KEY_LEN) == 0 &&
	       a->pack == b->pack && a->off == b->off && a->len == b->len &&
	       a->chunk_off == b->chunk_off && a->chunk_len == b->chunk_len;
}

/* Entries are ordered by key and place, what packs say before what the index
 * says: equal places stand together. */
static int
compare(struct rebuild *rb, struct err *e)
{
	struct rebuild_entry last = { .kind = 0 };
	bool open = false; /* last is of a pack and the index lacks it so far */
	const void *next;
	int r = sorter_read(rb->entries, e);

	while (!r && (r = sorter_next(rb->entries, &next, e)) == 1) {
		const struct rebuild_entry *x = next;

		r = 0;
		if (x->kind && same_place(x, &last)) {
			open = false;
			continue;
		}
		rb->res->unindexed += open;
		open = !x->kind;
		rb->res->stale += x->kind;
		last = *x;
	}
	rb->res->unindexed += open;
	return r;
}

/* -- Writing
 * ------------------------------------------------------------------------- */

static bool
is_avoided(const struct rebuild *rb, const struct rebuild_entry *x)
{
	struct frame_place at = { .object = rb->packs.p[x->pack].object,
		.off = x->off,
		.len = x->len };

	memcpy(at.pack, rb->packs.p[x->pack].id, OBJECT_ID_LEN);
	return gc_state_avoids(&rb->state, &at);
}

static int
put_entry(struct segments_stream *ss, const struct rebuild_entry *x,
	struct err *e)
{
	struct segment_entry en = { .pack = x->pack,
		.frame_off = x->off,
		.frame_len = x->len,
		.chunk_off = x->chunk_off,
		.chunk_len = x->chunk_len };

	memcpy(en.id, x->key, CHUNK_KEY_LEN);
	return segments_stream_add(ss, &en, e);
}

/* Of each key one place, which writers may refer to if there is such a one. */
static int
put_all(struct rebuild *rb, struct segments_stream *ss, struct err *e)
{
	struct rebuild_entry best = { .kind = 1 };
	bool any = false, avoided = false;
	const void *next;
	int r = sorter_read(rb->entries, e);

	while (!r && (r = sorter_next(rb->entries, &next, e)) == 1) {
		const struct rebuild_entry *x = next;
		bool same = any && !memcmp(best.key, x->key, CHUNK_KEY_LEN);

		r = 0;
		if (x->kind || (same && !avoided))
			continue;
		if (any && !same)
			r = put_entry(ss, &best, e);
		if (!same || !is_avoided(rb, x)) {
			best = *x;
			avoided = is_avoided(rb, x);
		}
		any = true;
	}
	return r || !any ? r : put_entry(ss, &best, e);
}

static int
write_segment(struct segments *s, struct err *e)
{
	struct rebuild *rb = s->rb;
	struct segment_pack *packs;
	struct segments_stream_options so = { .rp = rb->u->rp,
		.sink = rb->u->sink,
		.level = s->level < LEVEL_MAX ? s->level + 1 : LEVEL_MAX,
		.n = rb->res->chunks,
		.n_packs = rb->packs.n,
		.supersedes = s->all.ids,
		.n_supersedes = (uint32_t)s->all.n };
	struct segments_stream *ss;
	int r;

	if (rb->packs.n > SEGMENT_PACKS_MAX)
		return err_set(e, EFBIG, "too many packs for one segment");
	packs = xcalloc(rb->packs.n + 1, sizeof(*packs));
	for (uint32_t i = 0; i < rb->packs.n; i++) {
		memcpy(packs[i].id, rb->packs.p[i].id, OBJECT_ID_LEN);
		packs[i].object = rb->packs.p[i].object;
	}
	so.packs = packs;
	r = segments_stream_begin(&so, &ss, e);
	if (!r)
		r = put_all(rb, ss, e);
	if (r)
		segments_stream_end(ss, false, NULL);
	else
		r = segments_stream_end(ss, true, e);
	free(packs);
	return r;
}

int
rebuild_index(struct rebuild *rb, struct err *e)
{
	struct segments s = { .rb = rb, .ix = index_new(rb->u->rp, 0) };
	struct rebuild_result *res = rb->res;
	int r = look_at_index(&s, e);

	if (!r)
		r = compare(rb, e);
	res->index = res->unindexed || res->stale || res->bad_segments;
	if (!r && res->index && rb->o->write)
		r = write_segment(&s, e);
	index_free(s.ix);
	id_set_release(&s.all);
	id_set_release(&s.good);
	return r;
}
