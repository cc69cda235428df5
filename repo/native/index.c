/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Segments are listed once; of each only its directory is kept, the pages are
 * loaded when an id falls into them and kept in a small cache.  A segment that
 * another one supersedes is not looked at.  One lock guards everything; a miss
 * reads the store with the lock held: only writers and
 * readers whose hint failed come here.
 *
 * A segment is read from its end, where its directory is: one get of what is
 * most often all of it, or of all but the pages.  Its type and ids need not be
 * looked at, since nothing unseals under others.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "repo/base/auto.h"
#include "repo/base/log.h"
#include "repo/crypto/seal.h"
#include "repo/fetch/together.h"
#include "repo/format/object.h"
#include "repo/format/segment.h"
#include "repo/native/index.h"

#define TAIL_LEN (64u << 10)

struct segment {
	char name[96];
	unsigned level;
	uint64_t size; /* as listed; 0: not told */
	uint8_t *tail; /* its last bytes, kept if they are all */
	size_t tail_len;
	bool loaded;
	uint8_t id[OBJECT_ID_LEN];
	struct object_key key;
	struct segment_directory dir;
	struct slot_page **cached; /* one a page */
	bool *complained;	   /* one a page: it was said to be unreadable */
};

struct slot_page {
	struct slot_page *newer, *older;
	struct segment *seg;
	uint32_t page;
	uint32_t n;
	struct segment_entry *en;
};

struct index {
	pthread_mutex_t lock;
	struct repository *rp;
	struct segment **segs;
	size_t n_segs;
	bool listed;
	size_t memory, max;
	struct slot_page *newest, *oldest;
};

struct index *
index_new(struct repository *rp, size_t memory)
{
	struct index *ix = xcalloc(1, sizeof(*ix));

	pthread_mutex_init(&ix->lock, NULL);
	ix->rp = rp;
	ix->max = memory ? memory : 8u << 20;
	return ix;
}

static void
drop_page(struct index *ix, struct slot_page *p)
{
	*(p->newer ? &p->newer->older : &ix->newest) = p->older;
	*(p->older ? &p->older->newer : &ix->oldest) = p->newer;
	ix->memory -= p->n * sizeof(*p->en);
	p->seg->cached[p->page] = NULL;
	free(p->en);
	free(p);
}

static void
segment_free(struct segment *s)
{
	segment_directory_release(&s->dir);
	free(s->cached);
	free(s->complained);
	free(s->tail);
	free(s);
}

static void
forget_segments(struct index *ix)
{
	while (ix->oldest)
		drop_page(ix, ix->oldest);
	for (size_t i = 0; i < ix->n_segs; i++)
		segment_free(ix->segs[i]);
	free(ix->segs);
	ix->segs = NULL;
	ix->n_segs = 0;
	ix->listed = false;
}

void
index_free(struct index *ix)
{
	if (!ix)
		return;
	forget_segments(ix);
	pthread_mutex_destroy(&ix->lock);
	free(ix);
}

void
index_refresh(struct index *ix)
{
	auto_lock(&ix->lock);
	forget_segments(ix);
}

static bool
add_segment(void *ctx, const char *name, uint64_t size)
{
	struct index *ix = ctx;
	unsigned level;
	struct segment *s;
	uint8_t id[OBJECT_ID_LEN];

	if (segment_name_parse(name, &level, id))
		return true;
	s = xcalloc(1, sizeof(*s));
	snprintf(s->name, sizeof(s->name), "%s", name);
	s->level = level;
	s->size = size;
	memcpy(s->id, id, sizeof(id));
	object_key_init(&s->key, ix->rp->keys, OBJECT_INDEX, id);
	ix->segs = xrealloc(ix->segs, (ix->n_segs + 1) * sizeof(*ix->segs));
	ix->segs[ix->n_segs++] = s;
	return true;
}

/* Sealed bytes, from the tail as far as they are in it. */
static int
read_sealed(struct index *ix, struct segment *s, uint64_t off, uint32_t len,
	uint8_t *sealed, struct err *e)
{
	uint64_t tail = s->size - s->tail_len;

	if (s->tail && off >= tail && off <= s->size && len <= s->size - off) {
		memcpy(sealed, s->tail + (off - tail), len);
		return 0;
	}
	return store_get(ix->rp->store, s->name, off, len, sealed, NULL, e);
}

/* What was read of it does not verify: once more, if that may help. */
static bool
forget(struct index *ix, struct segment *s)
{
	bool tail = s->tail != NULL;

	free(steal(s->tail));
	s->tail_len = 0;
	return store_forget(ix->rp->store, s->name, 0, UINT64_MAX) || tail;
}

static int
unseal(struct index *ix, struct segment *s, uint64_t off, uint32_t len,
	uint8_t **plain, size_t *plain_len, struct err *e)
{
	auto_free uint8_t *sealed = xmalloc(len + 1);
	struct frame_prefix p;
	int r = read_sealed(ix, s, off, len, sealed, e);

	if (!r)
		r = frame_unseal(&s->key, off, sealed, len, &p, plain, e);
	if (r)
		return r;
	*plain_len = p.plain_len;
	if (p.type == FRAME_INDEX)
		return 0;
	free(steal(*plain));
	return err_set(e, EUCLEAN, "a frame of the wrong type");
}

/* The frame at off of len bytes, unsealed. */
static int
load_frame(struct index *ix, struct segment *s, uint64_t off, uint32_t len,
	uint8_t **plain, size_t *plain_len, struct err *e)
{
	int r = unseal(ix, s, off, len, plain, plain_len, e);

	if (r == -EBADMSG && forget(ix, s))
		r = unseal(ix, s, off, len, plain, plain_len, e);
	return r;
}

/* The end of the segment, and where its directory is. */
static int
load_tail(struct index *ix, struct segment *s, struct object_trailer *t,
	struct err *e)
{
	int r = 0;

	if (!s->size)
		r = store_size(ix->rp->store, s->name, &s->size, e);
	if (!r && s->size < OBJECT_HEADER_LEN + OBJECT_TRAILER_LEN)
		r = err_set(e, EBADMSG, "cut off");
	if (r)
		return r;
	s->tail_len = s->size < TAIL_LEN ? (size_t)s->size : TAIL_LEN;
	s->tail = xmalloc(s->tail_len);
	r = store_get(ix->rp->store, s->name, s->size - s->tail_len,
		s->tail_len, s->tail, NULL, e);
	if (!r)
		r = object_trailer_decode(
			s->tail + s->tail_len - OBJECT_TRAILER_LEN, t, e);
	if (!r && (t->toc_len > SEGMENT_DIRECTORY_MAX || t->toc_off > s->size ||
			  t->toc_len > s->size - t->toc_off))
		r = err_set(e, EBADMSG, "its directory lies outside");
	return r;
}

static int
load_directory_once(struct index *ix, struct segment *s, struct err *e)
{
	auto_free uint8_t *plain = NULL;
	struct object_trailer t;
	size_t n;
	int r = load_tail(ix, s, &t, e);

	if (!r)
		r = load_frame(ix, s, t.toc_off, t.toc_len, &plain, &n, e);
	return r ? r : segment_directory_decode(plain, n, &s->dir, e);
}

/* Again if what was kept, or the size that was listed, may be wrong. */
static int
load_directory(struct index *ix, struct segment *s, struct err *e)
{
	int r = load_directory_once(ix, s, e);

	if (r == -EBADMSG) {
		forget(ix, s);
		s->size = 0;
		r = load_directory_once(ix, s, e);
	}
	if (s->tail_len < s->size)
		free(steal(s->tail));
	if (r)
		return r;
	s->cached = xcalloc(s->dir.n_pages + 1, sizeof(*s->cached));
	s->complained = xcalloc(s->dir.n_pages + 1, sizeof(*s->complained));
	return 0;
}

/* Whether one of the first n segments contains s whole. */
static bool
superseded(const struct index *ix, size_t n, const struct segment *s)
{
	for (size_t i = 0; i < n; i++) {
		const struct segment_directory *d = &ix->segs[i]->dir;

		for (uint32_t k = 0; k < d->n_supersedes; k++) {
			if (!memcmp(d->supersedes[k], s->id, OBJECT_ID_LEN))
				return true;
		}
	}
	return false;
}

static int
higher_level_first(const void *a, const void *b)
{
	const struct segment *x = *(struct segment *const *)a;
	const struct segment *y = *(struct segment *const *)b;

	if (x->level != y->level)
		return x->level > y->level ? -1 : 1;
	return strcmp(x->name, y->name);
}

struct loading {
	struct index *ix;
	struct segment **segs;
};

static void
load_one(void *ctx, size_t i)
{
	struct loading *l = ctx;
	struct segment *s = l->segs[i];
	struct err why = ERR_INIT;

	s->loaded = !load_directory(l->ix, s, &why);
	if (!s->loaded)
		log_warn("%s: %s; going on without it", s->name, why.text);
}

/*
 * Of n segments of one level, load those that none of the first *kept
 * supersedes, and keep them behind those.
 */
static void
load_level(struct index *ix, struct segment **segs, size_t n, size_t *kept)
{
	bool far = !ix->rp->store->local_path;
	struct loading l = { .ix = ix, .segs = segs };
	size_t wanted = 0;

	for (size_t i = 0; i < n; i++) {
		struct segment *s = segs[i];

		if (superseded(ix, *kept, s))
			segment_free(s);
		else
			segs[wanted++] = s;
	}
	together_run(wanted, far, load_one, &l);
	for (size_t i = 0; i < wanted; i++) {
		if (segs[i]->loaded)
			ix->segs[(*kept)++] = segs[i];
		else
			segment_free(segs[i]);
	}
}

/*
 * A segment that cannot be read is left out: what it knew is then looked up in
 * vain, which costs readers a fallback and writers some deduplication.  A
 * merged segment names all that went into it, also by way of others, so that
 * those need not be opened.
 */
static int
list_segments(struct index *ix, struct err *e)
{
	int r = store_list_names(ix->rp->store, "idx/", "", add_segment, ix, e);
	size_t kept = 0;

	if (r) {
		forget_segments(ix); /* the next listing starts anew */
		return r;
	}
	if (ix->n_segs)
		qsort(ix->segs, ix->n_segs, sizeof(*ix->segs),
			higher_level_first);
	for (size_t i = 0, n; i < ix->n_segs; i += n) {
		unsigned level = ix->segs[i]->level;

		for (n = 1; i + n < ix->n_segs && ix->segs[i + n]->level == level;)
			n++;
		load_level(ix, ix->segs + i, n, &kept);
	}
	ix->n_segs = kept;
	ix->listed = true;
	return 0;
}

/* The page that would hold id, or -1. */
static int64_t
page_for(const struct segment_directory *d, const uint8_t *id)
{
	uint32_t lo = 0, hi = d->n_pages;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (memcmp(d->pages[mid].first, id, CHUNK_KEY_LEN) <= 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return (int64_t)lo - 1;
}

static void
touch(struct index *ix, struct slot_page *p, bool linked)
{
	if (linked) {
		if (ix->newest == p)
			return;
		p->newer->older = p->older;
		*(p->older ? &p->older->newer : &ix->oldest) = p->newer;
	}
	p->newer = NULL;
	p->older = ix->newest;
	*(ix->newest ? &ix->newest->newer : &ix->oldest) = p;
	ix->newest = p;
}

static int
load_page(struct index *ix, struct segment *s, uint32_t i,
	struct slot_page **out, struct err *e)
{
	const struct segment_page *at = &s->dir.pages[i];
	auto_free uint8_t *plain = NULL;
	struct slot_page *p = s->cached[i];
	size_t n;
	int r;

	if (p) {
		touch(ix, p, true);
		*out = p;
		return 0;
	}
	r = load_frame(ix, s, at->off, at->len, &plain, &n, e);
	if (r)
		return err_prefix(e, "%s", s->name);
	p = xcalloc(1, sizeof(*p));
	r = segment_page_decode(plain, n, &p->en, &p->n, e);
	if (r) {
		free(p);
		return err_prefix(e, "%s", s->name);
	}
	p->seg = s;
	p->page = i;
	s->cached[i] = p;
	ix->memory += p->n * sizeof(*p->en);
	touch(ix, p, false);
	while (ix->memory > ix->max && ix->oldest != p)
		drop_page(ix, ix->oldest);
	*out = p;
	return 0;
}

static const struct segment_entry *
search(const struct slot_page *p, const uint8_t *id)
{
	uint32_t lo = 0, hi = p->n;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		int c = memcmp(p->en[mid].id, id, CHUNK_KEY_LEN);

		if (c == 0)
			return &p->en[mid];
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

/* A page that cannot be read: one line, however many ids it is asked for. */
static void
complain(struct segment *s, uint32_t page, const struct err *why)
{
	if (!s->complained[page])
		log_warn("%s; going on without it", why->text);
	s->complained[page] = true;
}

/* Whether the segment knows r->id; the rest of r is filled in then. */
static bool
find_in(struct index *ix, struct segment *s, struct ref *r)
{
	int64_t i = page_for(&s->dir, r->id);
	const struct segment_entry *en;
	struct slot_page *p = NULL;
	struct err why = ERR_INIT;
	int rc;

	if (i < 0)
		return false;
	rc = load_page(ix, s, (uint32_t)i, &p, &why);
	if (rc) {
		complain(s, (uint32_t)i, &why);
		return false;
	}
	en = search(p, r->id);
	if (!en)
		return false;
	if (en->pack >= s->dir.n_packs) {
		err_set(&why, EUCLEAN, "%s: an entry names no pack", s->name);
		complain(s, (uint32_t)i, &why);
		return false;
	}
	memcpy(r->place.pack, s->dir.packs[en->pack].id, OBJECT_ID_LEN);
	r->place.object = s->dir.packs[en->pack].object;
	r->place.off = en->frame_off;
	r->place.len = en->frame_len;
	r->chunk_off = en->chunk_off;
	r->chunk_len = en->chunk_len;
	return true;
}

bool
index_has_pack(struct index *ix, const uint8_t pack[OBJECT_ID_LEN])
{
	auto_lock(&ix->lock);
	if (!ix->listed && list_segments(ix, NULL))
		return false;
	for (size_t i = 0; i < ix->n_segs; i++) {
		const struct segment_directory *d = &ix->segs[i]->dir;

		for (uint32_t k = 0; k < d->n_packs; k++) {
			if (!memcmp(d->packs[k].id, pack, OBJECT_ID_LEN))
				return true;
		}
	}
	return false;
}

int
index_find_but(struct index *ix, struct ref *r,
	bool (*skip)(void *ctx, const struct ref *r), void *ctx, struct err *e)
{
	auto_lock(&ix->lock);
	if (!ix->listed) {
		int rc = list_segments(ix, e);

		if (rc)
			return rc;
	}
	for (size_t i = ix->n_segs; i-- > 0;) {
		if (find_in(ix, ix->segs[i], r) && !(skip && skip(ctx, r)))
			return 0;
	}
	return err_set(e, ENOENT, "the index does not know the chunk");
}

static bool
count_down(void *ctx, const struct ref *r)
{
	unsigned *left = ctx;

	(void)r;
	return (*left)-- > 0;
}

int
index_locate(void *ctx, struct ref *r, unsigned nth, struct err *e)
{
	return index_find_but(ctx, r, count_down, &nth, e);
}

/* -- For merging --------------------------------------------------------------- */

int
index_segments(struct index *ix, size_t *n, struct err *e)
{
	int r;

	auto_lock(&ix->lock);
	r = ix->listed ? 0 : list_segments(ix, e);
	*n = ix->n_segs;
	return r;
}

bool
index_is_crowded(struct index *ix, size_t max, size_t more)
{
	auto_lock(&ix->lock);
	if (!ix->listed)
		return true;
	for (size_t i = 0; i < ix->n_segs; i++) {
		unsigned level = ix->segs[i]->level;
		size_t n = level ? 0 : more;

		for (size_t k = 0; k < ix->n_segs; k++)
			n += ix->segs[k]->level == level;
		if (n >= max)
			return true;
	}
	return false;
}

unsigned
index_segment_level(struct index *ix, size_t segment)
{
	return ix->segs[segment]->level;
}

void
index_segment_id(struct index *ix, size_t segment, uint8_t id[OBJECT_ID_LEN])
{
	memcpy(id, ix->segs[segment]->id, OBJECT_ID_LEN);
}

const struct segment_directory *
index_segment_directory(struct index *ix, size_t segment)
{
	return &ix->segs[segment]->dir;
}

int
index_segment_page(struct index *ix, size_t segment, uint32_t page,
	struct segment_entry **en, uint32_t *n, struct err *e)
{
	struct segment *s = ix->segs[segment];
	const struct segment_page *at = &s->dir.pages[page];
	auto_free uint8_t *plain = NULL;
	size_t len;
	int r = load_frame(ix, s, at->off, at->len, &plain, &len, e);

	if (!r)
		r = segment_page_decode(plain, len, en, n, e);
	return r ? err_prefix(e, "%s", s->name) : 0;
}
