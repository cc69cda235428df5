/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading: the pages of the stretch are looked up together with those around
 * them (so that what else lies in memory can be offered), then each run of
 * pages that lie together becomes a piece.
 */
#include "repo/native/database.h"

#include <sys/stat.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include "repo/base/hex.h"
#include "repo/base/zeros.h"
#include "repo/format/entry.h"

/* Bytes looked up together around a read, and given at most. */
#define AROUND (64u << 10)
#define READ_MAX (128u << 10)

static struct native_database *
native_of(struct database *d)
{
	return (struct native_database *)d; /* its first member */
}

static void
release_owner(void *owner)
{
	frame_put(owner);
}

int
native_database_error(const struct native_database *d, int r, struct err *e)
{
	if (e)
		err_prefix(e, "%s:%s", d->label, d->database.name);
	return r;
}

/* -- Pieces --------------------------------------------------------------------- */

/* A read under way: sources of pages from `first` on. */
struct reading {
	struct native_database *d;
	uint32_t first, n;
	struct page_source s[DATABASE_LOOKUP_MAX];
	struct view_data *data;
	size_t len; /* asked for */
};

static uint32_t
page_at(const struct native_database *d, uint64_t off)
{
	return (uint32_t)(off / d->state.page_size) + 1;
}

static const struct page_source *
source_at(const struct reading *rd, uint64_t off)
{
	return &rd->s[page_at(rd->d, off) - rd->first];
}

/* owner is taken over. */
static void
add_piece(struct view_data *v, const void *p, size_t len, void *owner)
{
	v->iov[v->n] = (struct iovec){ .iov_base = (void *)(uintptr_t)p,
		.iov_len = len };
	v->owner[v->n++] = owner;
	v->len += len;
}

/* Where the run of pages of one origin, and in one frame if it is a delta's,
 * that the one at off belongs to, begins and ends. */
static void
run_around(const struct reading *rd, uint64_t off, uint64_t *from, uint64_t *to)
{
	uint64_t size = rd->d->state.page_size;
	uint32_t i = page_at(rd->d, off) - rd->first, lo = i, hi = i + 1;

	while (lo > 0 && native_database_follows(&rd->s[lo - 1], &rd->s[lo]))
		lo--;
	while (hi < rd->n &&
		native_database_follows(&rd->s[hi - 1], &rd->s[hi]))
		hi++;
	*from = (rd->first - 1 + lo) * size;
	*to = (rd->first - 1 + hi) * size;
}

/* What a piece may be taken from: bytes of the database that lie together in
 * memory, which begin at `at` and are `len`. */
struct stretch {
	const uint8_t *p;
	uint64_t at;
	uint64_t len;
	struct frame *frame; /* owned */
};

static int
delta_stretch(const struct reading *rd, uint64_t off, uint64_t from,
	uint64_t to, struct stretch *st, struct err *e)
{
	const struct page_source *s = source_at(rd, from);
	uint32_t size = rd->d->state.page_size;
	struct frame_place at;
	int r = native_database_place(rd->d, s, &at, e);

	(void)off;
	if (!r)
		r = fetch_frame(rd->d->fetch, &at, &st->frame, e);
	if (r == -ENOENT)
		r = -EIO; /* the point is there, part of it is not */
	if (!r)
		r = deltas_check_slots(st->frame, size, s->slot, page_at(rd->d, from),
			(uint32_t)((to - from) / size), e);
	if (r)
		return r;
	st->p = st->frame->data + (size_t)s->slot * size;
	st->at = from;
	st->len = to - from;
	return 0;
}

/* The page at off, if it is one of those that were put together; as much of it
 * as lies in [from, to). */
static bool
interior_stretch(const struct reading *rd, uint64_t off, uint64_t from,
	uint64_t to, struct stretch *st)
{
	struct interior *in = &rd->d->interior;
	auto_map_at struct map_at at = MAP_AT_INIT;
	const struct extent *x;
	struct map m;

	if (rd->len > INTERIOR_READ_MAX ||
		!interior_find(in, rd->d->base, off, 1, &m, &at))
		return false;
	x = map_at_extent(&at);
	if (page_cache_chunk(rd->d->pages, &x->ref, FRAME_DATA, &st->frame,
		    &st->p, NULL)) {
		in->failed = true;
		return false;
	}
	st->at = x->off > from ? x->off : from;
	st->len = (x->off + x->len < to ? x->off + x->len : to) - st->at;
	st->p += st->at - x->off;
	return true;
}

/* The chunk of the base that has off; st covers what of [from, to) is in it. */
static int
base_stretch(const struct reading *rd, uint64_t off, uint64_t from, uint64_t to,
	struct stretch *st, struct err *e)
{
	const struct entry *en = rd->d->base;
	auto_map_at struct map_at at = MAP_AT_INIT;
	struct extent x = { .off = 0, .len = en->size, .ref = en->ref };
	struct map m;
	uint64_t end;
	int r = 0;

	if (interior_stretch(rd, off, from, to, st))
		return 0;
	if (native_database_map(rd->d, &m)) {
		r = map_find_offset(&m, off, &at, e);
		if (r == -ENOENT)
			r = err_set(e, EUCLEAN, "the base is too short");
		if (r)
			return r;
		x = *map_at_extent(&at);
	}
	end = x.off + x.len;
	st->at = x.off > from ? x.off : from;
	st->len = (end < to ? end : to) - st->at;
	if (x.hole) {
		st->at = off;
		st->len = end - off < ZEROS_LEN ? end - off : ZEROS_LEN;
		st->p = zeros;
		return 0;
	}
	r = page_cache_chunk(
		rd->d->pages, &x.ref, FRAME_DATA, &st->frame, &st->p, e);
	if (!r)
		st->p += st->at - x.off;
	return r;
}

static int
find_stretch(const struct reading *rd, uint64_t off, struct stretch *st,
	struct err *e)
{
	uint64_t from, to;

	run_around(rd, off, &from, &to);
	switch (source_at(rd, off)->origin) {
	case PAGE_OF_DELTA:
		return delta_stretch(rd, off, from, to, st, e);
	case PAGE_OF_BASE:
		return base_stretch(rd, off, from, to, st, e);
	default:
		*st = (struct stretch){ .p = zeros, .at = off,
			.len = to - off < ZEROS_LEN ? to - off : ZEROS_LEN };
		return 0;
	}
}

static int
gather(struct reading *rd, uint64_t off, size_t len, struct err *e)
{
	struct view_data *v = rd->data;

	while (len > 0 && v->n < VIEW_DATA_PIECES) {
		struct stretch st = { .frame = NULL };
		int r = find_stretch(rd, off, &st, e);
		uint64_t n;

		if (r) {
			frame_put(st.frame);
			return r;
		}
		n = st.at + st.len - off;
		v->after = st.frame && n > len ? (size_t)(n - len) : 0;
		if (n > len)
			n = len;
		if (v->n == 0 && st.frame)
			v->before = (size_t)(off - st.at);
		add_piece(v, st.p + (off - st.at), (size_t)n, st.frame);
		off += n;
		len -= (size_t)n;
	}
	return 0;
}

/* Ask for all frames of deltas that the pages need, at once, if there is more
 * than one: they lie in as many objects. */
static void
ask_together(const struct reading *rd, uint64_t off, size_t len)
{
	uint32_t i = page_at(rd->d, off) - rd->first;
	uint32_t end = page_at(rd->d, off + len - 1) - rd->first + 1;
	struct frame_place at[VIEW_DATA_PIECES];
	size_t n = 0;

	for (; i < end && n < VIEW_DATA_PIECES; i++) {
		const struct page_source *s = &rd->s[i];

		if (s->origin != PAGE_OF_DELTA ||
			(i > 0 && native_database_follows(s - 1, s)))
			continue;
		if (!native_database_place(rd->d, s, &at[n], NULL))
			n++;
	}
	/* the first one is this reader's own to fetch */
	if (n > 1)
		fetch_ahead(rd->d->fetch, at + 1, n - 1);
}

/* The pages that are wanted; of those around them what can be told without
 * asking for more. */
static int
look_up(struct reading *rd, uint64_t off, size_t len, struct err *e)
{
	struct native_database *d = rd->d;
	uint32_t from = page_at(d, off), end = page_at(d, off + len - 1) + 1;
	uint32_t before = from - rd->first, n = end - from;
	uint32_t after = rd->n - before - n;
	int r = native_database_find(
		d, from, n, LOOK_UP, rd->s + before, e);

	if (!r && before)
		r = native_database_find(
			d, rd->first, before, LOOK_PEEK, rd->s, e);
	if (!r && after)
		r = native_database_find(d, end, after, LOOK_PEEK,
			rd->s + before + n, e);
	return r;
}

/* -- Operations ------------------------------------------------------------------- */

static int
read_(struct database *db, uint64_t off, size_t len, struct view_data *data,
	struct err *e)
{
	struct native_database *d = native_of(db);
	uint64_t from = off / AROUND * AROUND, to;
	auto_free struct reading *rd = xmalloc(sizeof(*rd));
	int r;

	*data = (struct view_data)VIEW_DATA_INIT;
	data->release_owner = release_owner;
	native_database_ahead(d, off, len);
	if (len > READ_MAX)
		len = READ_MAX;
	to = (off + len + AROUND - 1) / AROUND * AROUND;
	if (to > db->size)
		to = db->size;
	rd->d = d;
	rd->data = data;
	rd->len = len;
	rd->first = page_at(d, from);
	rd->n = page_at(d, to - 1) - rd->first + 1;
	if (rd->n > DATABASE_LOOKUP_MAX)
		rd->n = DATABASE_LOOKUP_MAX;
	to = (uint64_t)(rd->first - 1 + rd->n) * d->state.page_size;
	if (len > to - off)
		len = (size_t)(to - off);
	r = look_up(rd, off, len, e);
	if (!r)
		ask_together(rd, off, len);
	if (!r)
		r = gather(rd, off, len, e);
	if (!r)
		return 0;
	view_data_release(data);
	return native_database_error(d, r, e);
}

/* What of a run of pages lies in one object. */
static int
describe(struct reading *rd, uint64_t off, struct view_extent *x,
	struct err *e)
{
	const struct page_source *s = source_at(rd, off);
	auto_map_at struct map_at at = MAP_AT_INIT;
	const struct ref *ref = &rd->d->base->ref;
	uint64_t from, to, end;
	struct map m;
	int r;

	run_around(rd, off, &from, &to);
	*x = (struct view_extent){ .off = off, .len = to - off };
	if (s->origin == PAGE_OF_DELTA) {
		struct delta_place place = delta_place_of(
			&rd->d->chain.d[0]->base, s->n);

		delta_name(x->object, &place);
		x->object_off = s->off;
		x->object_len = s->len;
		return 0;
	}
	x->hole = s->origin == PAGE_ZEROS;
	if (x->hole)
		return 0;
	if (native_database_map(rd->d, &m)) {
		r = map_find_offset(&m, off, &at, e);
		if (r)
			return r == -ENOENT ? -EUCLEAN : r;
		end = map_at_extent(&at)->off + map_at_extent(&at)->len;
		x->len = (end < to ? end : to) - off;
		x->hole = map_at_extent(&at)->hole;
		ref = &map_at_extent(&at)->ref;
	}
	if (x->hole)
		return 0;
	object_pack_name(x->object, ref->place.object, ref->place.pack);
	x->object_off = ref->place.off;
	x->object_len = ref->place.len;
	return 0;
}

static int
extents(struct database *db, uint64_t from,
	bool (*each)(void *ctx, const struct view_extent *x), void *ctx,
	struct err *e)
{
	struct native_database *d = native_of(db);
	auto_free struct reading *rd = xmalloc(sizeof(*rd));
	uint64_t off = from;
	int r = 0;

	rd->d = d;
	while (!r && off < db->size) {
		uint32_t left = d->state.pages - page_at(d, off) + 1;
		uint64_t end;

		rd->first = page_at(d, off);
		rd->n = left < DATABASE_LOOKUP_MAX ? left : DATABASE_LOOKUP_MAX;
		end = (uint64_t)(rd->first - 1 + rd->n) * d->state.page_size;
		r = native_database_find(d, rd->first, rd->n, LOOK_UP,
			rd->s, e);
		while (!r && off < end) {
			struct view_extent x;

			r = describe(rd, off, &x, e);
			if (!r && !each(ctx, &x))
				return 0;
			off += r ? 0 : x.len;
		}
	}
	return r ? native_database_error(d, r, e) : 0;
}

static ssize_t
xattr_get(struct database *db, const char *name, void *value, size_t size,
	struct err *e)
{
	const struct native_database *d = native_of(db);
	char hex[PAGE_HASH_LEN * 2 + 1];

	if (strcmp(name, "user.yore.hash"))
		return err_set(e, ENODATA, "no such attribute");
	hex_encode(hex, d->state.hash, PAGE_HASH_LEN);
	return database_answer(hex, value, size, e);
}

static void
free_(struct database *db)
{
	struct native_database *d = native_of(db);
	void (*freed)(void *ctx) = d->freed;
	void *ctx = d->ctx;

	delta_chain_release(&d->chain);
	cached_page_put(d->base_page);
	pthread_mutex_destroy(&d->lock);
	free(d->label);
	free(db->name);
	free(d);
	if (freed)
		freed(ctx);
}

static const struct database_ops ops = {
	.read = read_,
	.is_scattered = native_database_is_scattered,
	.extents = extents,
	.xattr_get = xattr_get,
	.check = native_database_check,
	.pour = native_database_pour,
	.free = free_,
};

/* -- Opening ----------------------------------------------------------------------- */

static struct native_database *
begin(const struct native_database_options *o)
{
	struct native_database *d = xcalloc(1, sizeof(*d));

	d->database.ops = &ops;
	d->database.mtime = (struct timespec){
		.tv_sec = (time_t)(o->time_ns / 1000000000),
		.tv_nsec = (long)(o->time_ns % 1000000000)
	};
	if (d->database.mtime.tv_nsec < 0) {
		d->database.mtime.tv_sec--;
		d->database.mtime.tv_nsec += 1000000000;
	}
	d->deltas = o->deltas;
	d->fetch = o->fetch;
	d->pages = o->pages;
	d->interior.fetch = o->fetch;
	d->interior.pages = o->pages;
	d->interior.alone = INTERIOR_ALONE_MOMENT;
	d->keys = o->keys;
	d->label = xstrdup(o->label);
	pthread_mutex_init(&d->lock, NULL);
	return d;
}

/* The base's directory has one file: the database. */
static int
take_base(struct native_database *d, struct err *e)
{
	const struct page *p = d->base_page->page;
	const struct entry *en = p->kind == PAGE_DIR_LEAF ? p->entries : NULL;

	if (!en || p->n != 1 || !S_ISREG(en->mode) ||
		en->name_len > DATABASE_NAME_MAX ||
		(en->content != CONTENT_MAP && en->content != CONTENT_CHUNK &&
			en->size > 0) ||
		en->size % d->state.page_size)
		return err_set(e, EUCLEAN, "the base is no database");
	d->base = en;
	d->database.name = xcalloc(1, en->name_len + 1);
	memcpy(d->database.name, en->name, en->name_len);
	d->database.mode = en->mode & 0777;
	d->database.uid = en->uid;
	d->database.gid = en->gid;
	d->database.page_size = d->state.page_size;
	d->database.size = (uint64_t)d->state.pages * d->state.page_size;
	return 0;
}

void
native_database_free(struct native_database *d)
{
	if (d)
		free_(&d->database);
}

/* d's freed is set only when all went well: until then nobody holds it. */
static int
end(const struct native_database_options *o, struct native_database *d, int r,
	struct native_database **out, struct err *e)
{
	if (!r)
		r = take_base(d, e);
	if (r) {
		native_database_free(d);
		return r;
	}
	d->freed = o->freed;
	d->ctx = o->ctx;
	*out = d;
	return 0;
}

int
native_database_delta(const struct native_database_options *o,
	struct delta *top, struct native_database **out, struct err *e)
{
	struct native_database *d = begin(o);
	int r = deltas_chain(top, &d->chain, e);

	d->state = top->record.state;
	if (!r)
		r = cached_page_new(top->record.base_page,
			top->record.base_page_len, &d->base_page, e);
	return end(o, d, r, out, e);
}

int
native_database_base(const struct native_database_options *o,
	const struct record *rec, struct native_database **out, struct err *e)
{
	struct native_database *d = begin(o);
	int r;

	d->state = rec->database;
	if (rec->root_page)
		r = cached_page_new(rec->root_page, rec->root_page_len,
			&d->base_page, e);
	else if (rec->root.content == CONTENT_MAP)
		r = page_cache_get(d->pages, &rec->root.ref, &d->base_page, e);
	else
		r = err_set(e, EUCLEAN, "the base is empty");
	return end(o, d, r, out, e);
}
