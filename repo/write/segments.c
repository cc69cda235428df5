/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "repo/base/auto.h"
#include "repo/crypto/seal.h"
#include "repo/format/object.h"
#include "repo/write/segments.h"

#define LEVEL_MAX 9
#define ZSTD_LEVEL 3

/* -- A segment being written, page by page ------------------------------------- */

struct output {
	struct upload *up;
	char name[96];
	struct object_key key;
	struct packer *packer;
	uint64_t off;
	struct segment_directory dir;
	uint32_t cap_pages, cap_packs;
	struct segment_entry page[SEGMENT_PAGE_ENTRIES];
	uint32_t n;
};

static int
append(struct output *o, const void *data, size_t len, struct err *e)
{
	o->off += len;
	return upload_append(o->up, data, len, e);
}

static int
output_begin(struct output *o, struct repository *rp, struct sink *sink,
	unsigned level, uint64_t n_entries, struct err *e)
{
	struct object_header h = { .type = OBJECT_INDEX };
	uint8_t head[OBJECT_HEADER_LEN];
	int r;

	memset(o, 0, sizeof(*o));
	random_bytes(h.id, sizeof(h.id));
	memcpy(h.repository_id, rp->header.id, sizeof(h.repository_id));
	object_key_init(&o->key, rp->keys, OBJECT_INDEX, h.id);
	object_header_encode(head, &h);
	segment_name(o->name, level, n_entries, h.id);
	o->packer = packer_new(ZSTD_LEVEL);
	r = sink_begin(sink, o->name, &o->up, e);
	return r ? r : append(o, head, sizeof(head), e);
}

static void
output_release(struct output *o)
{
	upload_abort(o->up);
	packer_free(o->packer);
	segment_directory_release(&o->dir);
	secret_wipe(&o->key, sizeof(o->key));
}

static int
put_frame(struct output *o, const struct buf *plain, struct err *e)
{
	auto_buf struct buf packed = BUF_INIT, sealed = BUF_INIT;
	struct frame_prefix p = { .type = FRAME_INDEX,
		.plain_len = (uint32_t)plain->len };
	enum frame_codec codec;
	int r = packer_pack(o->packer, 0, plain->data, plain->len, &packed,
		&codec, e);

	p.codec = (uint8_t)codec;
	if (!r)
		r = frame_seal(&o->key, o->off, &p, &packed, &sealed, e);
	return r ? r : append(o, sealed.data, sealed.len, e);
}

static int
end_page(struct output *o, struct err *e)
{
	auto_buf struct buf plain = BUF_INIT;
	struct segment_page *p;
	int r;

	if (!o->n)
		return 0;
	if (o->dir.n_pages == o->cap_pages) {
		o->cap_pages = o->cap_pages ? o->cap_pages * 2 : 64;
		o->dir.pages = xrealloc(o->dir.pages,
			o->cap_pages * sizeof(*o->dir.pages));
	}
	p = &o->dir.pages[o->dir.n_pages++];
	memcpy(p->first, o->page[0].id, CHUNK_KEY_LEN);
	p->off = o->off;
	segment_page_encode(o->page, o->n, &plain);
	o->dir.n_entries += o->n;
	o->n = 0;
	r = put_frame(o, &plain, e);
	p->len = (uint32_t)(o->off - p->off);
	return r;
}

static int
put_entry(struct output *o, const struct segment_entry *en, uint32_t pack,
	struct err *e)
{
	o->page[o->n] = *en;
	o->page[o->n++].pack = pack;
	return o->n == SEGMENT_PAGE_ENTRIES ? end_page(o, e) : 0;
}

static void
add_pack(struct output *o, const struct segment_pack *p)
{
	if (o->dir.n_packs == o->cap_packs) {
		o->cap_packs = o->cap_packs ? o->cap_packs * 2 : 64;
		o->dir.packs = xrealloc(o->dir.packs,
			o->cap_packs * sizeof(*o->dir.packs));
	}
	o->dir.packs[o->dir.n_packs++] = *p;
}

static int
output_end(struct output *o, struct err *e)
{
	auto_buf struct buf plain = BUF_INIT;
	uint8_t tail[OBJECT_TRAILER_LEN];
	struct object_trailer t;
	int r = end_page(o, e);

	if (r)
		return r;
	t.toc_off = o->off;
	segment_directory_encode(&o->dir, &plain);
	r = put_frame(o, &plain, e);
	t.toc_len = (uint32_t)(o->off - t.toc_off);
	object_trailer_encode(tail, &t);
	if (!r)
		r = append(o, tail, sizeof(tail), e);
	return r ? r : upload_commit(steal(o->up), e);
}

int
segments_put_new(struct repository *rp, struct sink *sink,
	const struct segments_new *s, char name[STORE_NAME_MAX + 1],
	uint64_t *stored, struct err *e)
{
	struct output *o = xcalloc(1, sizeof(*o));
	int r = output_begin(o, rp, sink, 0, s->n, e);

	for (uint32_t i = 0; i < s->n_packs; i++)
		add_pack(o, &s->packs[i]);
	for (size_t i = 0; i < s->n && !r; i++)
		r = put_entry(o, &s->en[i], s->en[i].pack, e);
	if (!r)
		r = output_end(o, e);
	snprintf(name, STORE_NAME_MAX + 1, "%s", o->name);
	*stored += o->off;
	output_release(o);
	free(o);
	return r;
}

int
segments_put(struct repository *rp, struct sink *sink,
	const struct segment_entry *en, size_t n,
	const struct segment_pack *packs, uint32_t n_packs, uint64_t *stored,
	struct err *e)
{
	const struct segments_new s = { en, n, packs, n_packs };
	char name[STORE_NAME_MAX + 1];

	return segments_put_new(rp, sink, &s, name, stored, e);
}

/* -- Merging ----------------------------------------------------------------------- */

struct cursor {
	size_t segment; /* number in the index */
	const struct segment_directory *dir;
	uint32_t page;	/* the next one to load */
	struct segment_entry *en;
	uint32_t i, n;
	uint32_t *packs; /* number of each pack in the output */
};

struct merging {
	struct cursor *cs;
	size_t n;
	struct output *o;
	const struct avoid *avoid;
};

static int
load_next(struct index *ix, struct cursor *c, struct err *e)
{
	free(steal(c->en));
	c->i = c->n = 0;
	if (c->page == c->dir->n_pages)
		return 0;
	return index_segment_page(ix, c->segment, c->page++, &c->en, &c->n, e);
}

static uint32_t
pack_number(struct output *o, const struct segment_pack *p)
{
	for (uint32_t i = o->dir.n_packs; i-- > 0;) {
		if (!memcmp(o->dir.packs[i].id, p->id, OBJECT_ID_LEN))
			return i;
	}
	add_pack(o, p);
	return o->dir.n_packs - 1;
}

static int
cursor_begin(struct index *ix, struct cursor *c, size_t segment,
	struct output *o, struct err *e)
{
	c->segment = segment;
	c->dir = index_segment_directory(ix, segment);
	c->packs = xcalloc(c->dir->n_packs + 1, sizeof(*c->packs));
	for (uint32_t i = 0; i < c->dir->n_packs; i++)
		c->packs[i] = pack_number(o, &c->dir->packs[i]);
	return load_next(ix, c, e);
}

/* The cursor at the smallest key, or NULL at the end of all. */
static struct cursor *
smallest(struct cursor *cs, size_t n)
{
	struct cursor *best = NULL;

	for (size_t i = 0; i < n; i++) {
		if (cs[i].i < cs[i].n &&
			(!best || memcmp(cs[i].en[cs[i].i].id,
					  best->en[best->i].id,
					  CHUNK_KEY_LEN) < 0))
			best = &cs[i];
	}
	return best;
}

/* Whether the entry at the cursor is a place that writers may refer to. */
static bool
is_good(const struct cursor *c, const struct avoid *avoid)
{
	const struct segment_entry *en = &c->en[c->i];
	struct frame_place at = { .off = en->frame_off, .len = en->frame_len };

	if (en->pack >= c->dir->n_packs)
		return false;
	at.object = c->dir->packs[en->pack].object;
	memcpy(at.pack, c->dir->packs[en->pack].id, OBJECT_ID_LEN);
	return !avoid_has(avoid, &at);
}

/* Of the cursors at the key of `first` the one whose place is to stay. */
static struct cursor *
best(struct merging *m, struct cursor *first)
{
	const uint8_t *id = first->en[first->i].id;

	for (size_t i = 0; i < m->n; i++) {
		struct cursor *c = &m->cs[i];

		if (c->i < c->n && !memcmp(c->en[c->i].id, id, CHUNK_KEY_LEN) &&
			is_good(c, m->avoid))
			return c;
	}
	return first;
}

static int
put_best(struct merging *m, struct cursor *first, struct err *e)
{
	const struct cursor *c = best(m, first);
	const struct segment_entry *en = &c->en[c->i];

	if (en->pack >= c->dir->n_packs)
		return err_set(e, EUCLEAN, "an index entry names no pack");
	return put_entry(m->o, en, c->packs[en->pack], e);
}

static int
merge_entries(struct index *ix, struct merging *m, struct err *e)
{
	uint8_t last[CHUNK_KEY_LEN];
	bool any = false;
	struct cursor *c;
	int r = 0;

	while (!r && (c = smallest(m->cs, m->n))) {
		const struct segment_entry *en = &c->en[c->i];

		if (!any || memcmp(last, en->id, CHUNK_KEY_LEN)) {
			memcpy(last, en->id, CHUNK_KEY_LEN);
			any = true;
			r = put_best(m, c, e);
		}
		if (!r && ++c->i == c->n)
			r = load_next(ix, c, e);
	}
	return r;
}

/* The result supersedes the segment and all that one superseded. */
static void
supersede(struct output *o, struct index *ix, size_t segment)
{
	const struct segment_directory *d =
		index_segment_directory(ix, segment);
	uint32_t n = o->dir.n_supersedes;

	o->dir.supersedes = xrealloc(o->dir.supersedes,
		(size_t)(n + 1 + d->n_supersedes) * OBJECT_ID_LEN);
	index_segment_id(ix, segment, o->dir.supersedes[n]);
	if (d->n_supersedes)
		memcpy(o->dir.supersedes[n + 1], d->supersedes,
			(size_t)d->n_supersedes * OBJECT_ID_LEN);
	o->dir.n_supersedes += 1 + d->n_supersedes;
}

/* Merge the segments of these numbers into one of the level. */
static int
merge(const struct segments_merger *mr, const size_t *segments, size_t n, unsigned level,
	struct err *e)
{
	struct index *ix = mr->index;
	struct output *o = xcalloc(1, sizeof(*o));
	auto_free struct cursor *cs = xcalloc(n, sizeof(*cs));
	struct merging m = { cs, n, o, mr->avoid };
	uint64_t total = 0;
	int r;

	for (size_t i = 0; i < n; i++)
		total += index_segment_directory(ix, segments[i])->n_entries;
	r = output_begin(o, mr->rp, mr->sink, level, total, e);
	for (size_t i = 0; i < n && !r; i++) {
		supersede(o, ix, segments[i]);
		r = cursor_begin(ix, &cs[i], segments[i], o, e);
	}
	if (!r)
		r = merge_entries(ix, &m, e);
	if (!r)
		r = output_end(o, e);
	for (size_t i = 0; i < n; i++) {
		free(cs[i].en);
		free(cs[i].packs);
	}
	*mr->stored += o->off;
	output_release(o);
	free(o);
	return r;
}

/* Whether the directory of all of them together is one that readers take. */
static bool
fit_together(struct index *ix, const size_t *segments, size_t n)
{
	uint64_t packs = 0, len = 64;

	for (size_t i = 0; i < n; i++) {
		const struct segment_directory *d =
			index_segment_directory(ix, segments[i]);

		packs += d->n_packs;
		len += d->n_pages * (CHUNK_KEY_LEN + 10ULL) +
		       (1ULL + d->n_supersedes) * OBJECT_ID_LEN;
	}
	len += packs * (1 + OBJECT_ID_LEN);
	return packs <= SEGMENT_PACKS_MAX && len <= SEGMENT_DIRECTORY_MAX;
}

bool
segments_merge_is_due(struct index *ix)
{
	return index_is_crowded(ix, SEGMENTS_MERGED, 1);
}

int
segments_merge(const struct segments_merger *m, struct err *e)
{
	struct index *ix = m->index;

	for (unsigned level = 0; level < LEVEL_MAX; level++) {
		auto_free size_t *of_level = NULL;
		size_t n, n_all, k = 0;
		int r = index_segments(ix, &n_all, e);

		if (r)
			return r;
		of_level = xcalloc(n_all + 1, sizeof(*of_level));
		for (n = 0; n < n_all; n++) {
			if (index_segment_level(ix, n) == level)
				of_level[k++] = n;
		}
		if (k < SEGMENTS_MERGED || !fit_together(ix, of_level, k))
			continue;
		r = merge(m, of_level, k, level + 1, e);
		if (r)
			return r;
		index_refresh(ix);
	}
	return 0;
}

/* -- Leaving out what is gone ---------------------------------------------------- */

#define NOT_KEPT UINT32_MAX

static bool
enough_are_dead(const struct segment_directory *dir,
	const struct segments_drop *d)
{
	uint64_t dead = 0;

	for (uint32_t i = 0; i < dir->n_packs; i++)
		dead += d->dead(d->ctx, &dir->packs[i]);
	return dead && dead * d->share >= dir->n_packs;
}

/* As supersede, but of what that one superseded only what exists. */
static void
supersede_what_is_there(struct output *o, struct index *ix, size_t segment,
	const struct segments_drop *d)
{
	uint32_t kept = o->dir.n_supersedes + 1;

	supersede(o, ix, segment);
	for (uint32_t i = kept; i < o->dir.n_supersedes; i++) {
		if (d->there(d->ctx, o->dir.supersedes[i]))
			memmove(o->dir.supersedes[kept++],
				o->dir.supersedes[i], OBJECT_ID_LEN);
	}
	o->dir.n_supersedes = kept;
}

static int
copy_entries(struct index *ix, struct cursor *c, struct output *o,
	struct err *e)
{
	int r = load_next(ix, c, e);

	while (!r && c->n) {
		for (; c->i < c->n && !r; c->i++) {
			const struct segment_entry *en = &c->en[c->i];

			if (en->pack >= c->dir->n_packs)
				return err_set(e, EUCLEAN,
					"an index entry names no pack");
			if (c->packs[en->pack] != NOT_KEPT)
				r = put_entry(o, en, c->packs[en->pack], e);
		}
		if (!r)
			r = load_next(ix, c, e);
	}
	return r;
}

static int
write_without(struct repository *rp, struct sink *sink, struct index *ix,
	size_t segment, const struct segments_drop *d, uint64_t *stored,
	struct err *e)
{
	const struct segment_directory *dir =
		index_segment_directory(ix, segment);
	struct output *o = xcalloc(1, sizeof(*o));
	struct cursor c = { .segment = segment, .dir = dir };
	int r = output_begin(o, rp, sink, index_segment_level(ix, segment),
		dir->n_entries, e);

	c.packs = xcalloc(dir->n_packs + 1, sizeof(*c.packs));
	for (uint32_t i = 0; i < dir->n_packs; i++) {
		c.packs[i] = d->dead(d->ctx, &dir->packs[i]) ? NOT_KEPT
							     : o->dir.n_packs;
		if (c.packs[i] != NOT_KEPT)
			add_pack(o, &dir->packs[i]);
	}
	if (!r) {
		supersede_what_is_there(o, ix, segment, d);
		r = copy_entries(ix, &c, o, e);
	}
	if (!r)
		r = output_end(o, e);
	*stored += o->off;
	free(c.en);
	free(c.packs);
	output_release(o);
	free(o);
	return r;
}

int
segments_drop(struct repository *rp, struct sink *sink, struct index *ix,
	const struct segments_drop *d, uint64_t *written, uint64_t *stored,
	struct err *e)
{
	uint64_t n_written = 0;
	size_t n;
	int r = index_segments(ix, &n, e);

	for (size_t i = 0; i < n && !r; i++) {
		if (!enough_are_dead(index_segment_directory(ix, i), d))
			continue;
		r = write_without(rp, sink, ix, i, d, stored, e);
		n_written++;
	}
	if (written)
		*written = n_written;
	if (n_written)
		index_refresh(ix);
	return r;
}

/* -- Entry by entry ------------------------------------------------------------------ */

struct segments_stream {
	struct output o; /* first */
};

int
segments_stream_begin(const struct segments_stream_options *so,
	struct segments_stream **ss, struct err *e)
{
	struct output *o;
	int r;

	*ss = xcalloc(1, sizeof(**ss));
	o = &(*ss)->o;
	r = output_begin(o, so->rp, so->sink, so->level, so->n, e);
	for (uint32_t i = 0; i < so->n_packs; i++)
		add_pack(o, &so->packs[i]);
	if (so->n_supersedes)
		o->dir.supersedes = xmemdup(so->supersedes,
			(size_t)so->n_supersedes * OBJECT_ID_LEN);
	o->dir.n_supersedes = so->n_supersedes;
	return r;
}

int
segments_stream_add(struct segments_stream *ss, const struct segment_entry *en,
	struct err *e)
{
	return put_entry(&ss->o, en, en->pack, e);
}

int
segments_stream_end(struct segments_stream *ss, bool commit, struct err *e)
{
	int r = commit ? output_end(&ss->o, e) : 0;

	output_release(&ss->o);
	free(ss);
	return r;
}
