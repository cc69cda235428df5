/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The cache is cut into shards, each a hash table and a queue under one lock.
 * A hit only marks the page as used.  Eviction takes the oldest page of the
 * shards in turn; one that was used since goes to the back once more, so that
 * the spine of a tree survives a walk over all its leaves.  One counter bounds
 * the bytes of all shards together.
 */
#include <errno.h>
#include <stdatomic.h>
#include "repo/crypto/seal.h"
#include "repo/native/pages.h"

#define SHARDS 16
#define BUCKETS_FIRST 64
/* What malloc adds around the allocations of a page. */
#define ALLOCATION_OVERHEAD 96

struct shard {
	pthread_mutex_t lock;
	struct cached_page **buckets;
	size_t n_buckets; /* a power of two */
	size_t n;
	struct cached_page *oldest, *newest;
};

struct page_cache {
	struct fetch *fetch;
	size_t memory;
	_Atomic size_t used;
	_Atomic unsigned turn; /* shard that evicts next */
	struct shard shards[SHARDS];
};

struct page_cache *
page_cache_new(struct fetch *f, size_t memory)
{
	struct page_cache *pc = xcalloc(1, sizeof(*pc));

	pc->fetch = f;
	pc->memory = memory;
	for (int i = 0; i < SHARDS; i++) {
		struct shard *s = &pc->shards[i];

		pthread_mutex_init(&s->lock, NULL);
		s->n_buckets = BUCKETS_FIRST;
		s->buckets = xcalloc(s->n_buckets, sizeof(*s->buckets));
	}
	return pc;
}

void
page_cache_free(struct page_cache *pc)
{
	if (!pc)
		return;
	for (int i = 0; i < SHARDS; i++) {
		struct shard *s = &pc->shards[i];
		struct cached_page *cp = s->oldest;

		while (cp) {
			struct cached_page *next = cp->newer;

			cached_page_put(cp);
			cp = next;
		}
		free(s->buckets);
		pthread_mutex_destroy(&s->lock);
	}
	free(pc);
}

size_t
page_cache_memory(const struct page_cache *pc)
{
	return pc->used;
}

/* -- Pages --------------------------------------------------------------- */

static bool
is_of_extents(const struct page *p)
{
	return p->kind == PAGE_EXTENT_LEAF || p->kind == PAGE_EXTENT_INNER;
}

int
cached_page_new(const uint8_t *bytes, size_t len, struct cached_page **cp,
	struct err *e)
{
	struct cached_page *made = xmalloc(sizeof(*made) + len);
	struct page *page;
	int r;

	memset(made, 0, sizeof(*made));
	memcpy(made->bytes, bytes, len);
	r = page_decode(made->bytes, len, &page, e);
	if (r) {
		free(made);
		return r;
	}
	made->page = page;
	made->refs = 1;
	made->cost = sizeof(*made) + len + page->memory + ALLOCATION_OVERHEAD;
	*cp = made;
	return 0;
}

struct cached_page *
cached_page_get(struct cached_page *cp)
{
	atomic_fetch_add_explicit(&cp->refs, 1, memory_order_relaxed);
	return cp;
}

void
cached_page_put(struct cached_page *cp)
{
	if (!cp || --cp->refs > 0)
		return;
	/* What the decoder gave is ours to free again. */
	page_free((struct page *)(uintptr_t)cp->page);
	free(cp);
}

/* -- One shard ----------------------------------------------------------- */

static struct page_key
key_of(const struct ref *r)
{
	struct page_key k = { .off = r->place.off,
		.chunk_off = r->chunk_off,
		.chunk_len = r->chunk_len };

	memcpy(k.pack, r->place.pack, sizeof(k.pack));
	return k;
}

static uint64_t
hash_of(const struct page_key *k)
{
	uint64_t h;

	memcpy(&h, k->pack, sizeof(h)); /* random already */
	h ^= k->off + ((uint64_t)k->chunk_off << 32);
	h *= 0x9e3779b97f4a7c15;
	return h ^ h >> 29;
}

static struct cached_page *
shard_find(const struct shard *s, const struct page_key *k, uint64_t hash)
{
	struct cached_page *cp = s->buckets[(hash >> 8) & (s->n_buckets - 1)];

	while (cp && memcmp(&cp->key, k, sizeof(*k)))
		cp = cp->chain;
	return cp;
}

static void
shard_grow(struct shard *s)
{
	size_t n = s->n_buckets * 2;
	struct cached_page **buckets = xcalloc(n, sizeof(*buckets));

	for (struct cached_page *cp = s->oldest; cp; cp = cp->newer) {
		struct cached_page **b =
			&buckets[(hash_of(&cp->key) >> 8) & (n - 1)];

		cp->chain = *b;
		*b = cp;
	}
	free(s->buckets);
	s->buckets = buckets;
	s->n_buckets = n;
}

static void
queue_append(struct shard *s, struct cached_page *cp)
{
	cp->newer = NULL;
	cp->older = s->newest;
	if (s->newest)
		s->newest->newer = cp;
	else
		s->oldest = cp;
	s->newest = cp;
}

static void
queue_remove(struct shard *s, struct cached_page *cp)
{
	*(cp->older ? &cp->older->newer : &s->oldest) = cp->newer;
	*(cp->newer ? &cp->newer->older : &s->newest) = cp->older;
}

static void
shard_remove(struct shard *s, struct cached_page *cp)
{
	struct cached_page **b =
		&s->buckets[(hash_of(&cp->key) >> 8) & (s->n_buckets - 1)];

	while (*b != cp)
		b = &(*b)->chain;
	*b = cp->chain;
	queue_remove(s, cp);
	s->n--;
}

static void
shard_add(struct shard *s, struct cached_page *cp, uint64_t hash)
{
	struct cached_page **b;

	if (s->n == s->n_buckets)
		shard_grow(s);
	b = &s->buckets[(hash >> 8) & (s->n_buckets - 1)];
	cp->chain = *b;
	*b = cp;
	queue_append(s, cp);
	s->n++;
}

/* Unlink the page that eviction chooses; NULL when there is none. */
static struct cached_page *
shard_evict(struct shard *s)
{
	struct cached_page *cp;

	while ((cp = s->oldest) && cp->used) {
		cp->used = false;
		queue_remove(s, cp);
		queue_append(s, cp);
	}
	if (cp)
		shard_remove(s, cp);
	return cp;
}

/* -- The cache ----------------------------------------------------------- */

static void
evict(struct page_cache *pc)
{
	for (int empty = 0; pc->used > pc->memory && empty < SHARDS;) {
		struct shard *s = &pc->shards[pc->turn++ % SHARDS];
		struct cached_page *cp;

		pthread_mutex_lock(&s->lock);
		cp = shard_evict(s);
		pthread_mutex_unlock(&s->lock);
		if (cp) {
			pc->used -= cp->cost;
			cached_page_put(cp);
		}
		empty = cp ? 0 : empty + 1;
	}
}

/* Give a page to the cache, or take the one that came first. */
static struct cached_page *
insert(struct page_cache *pc, struct cached_page *made)
{
	uint64_t hash = hash_of(&made->key);
	struct shard *s = &pc->shards[hash % SHARDS];
	struct cached_page *there;

	pthread_mutex_lock(&s->lock);
	there = shard_find(s, &made->key, hash);
	if (there) {
		cached_page_get(there);
	} else {
		shard_add(s, cached_page_get(made), hash);
		pc->used += made->cost;
	}
	pthread_mutex_unlock(&s->lock);
	if (there) {
		cached_page_put(made);
		return there;
	}
	evict(pc);
	return made;
}

struct cached_page *
page_cache_peek(struct page_cache *pc, const struct ref *r)
{
	struct page_key k = key_of(r);
	uint64_t hash = hash_of(&k);
	struct shard *s = &pc->shards[hash % SHARDS];
	struct cached_page *cp;

	pthread_mutex_lock(&s->lock);
	cp = shard_find(s, &k, hash);
	if (cp) {
		cached_page_get(cp);
		if (!cp->used)
			cp->used = true;
	}
	pthread_mutex_unlock(&s->lock);
	return cp;
}

struct cached_page *
page_cache_take(struct page_cache *pc, const struct ref *r)
{
	struct cached_page *cp = page_cache_peek(pc, r);
	auto_frame struct frame *frame = NULL;

	if (cp)
		return cp;
	frame = fetch_peek(pc->fetch, &r->place);
	return frame && !page_cache_get(pc, r, &cp, NULL) ? cp : NULL;
}

bool
page_cache_drop(struct page_cache *pc, const struct ref *r)
{
	struct page_key k = key_of(r);
	uint64_t hash = hash_of(&k);
	struct shard *s = &pc->shards[hash % SHARDS];
	struct cached_page *cp;

	pthread_mutex_lock(&s->lock);
	cp = shard_find(s, &k, hash);
	if (cp) {
		shard_remove(s, cp);
		pc->used -= cp->cost;
	}
	pthread_mutex_unlock(&s->lock);
	cached_page_put(cp);
	return cp != NULL;
}

/* page_cache_chunk, with what lies before it. */
static int
chunk(struct page_cache *pc, const struct ref *r, uint8_t type, size_t before,
	struct frame **frame, const uint8_t **data, struct err *e)
{
	int rc = fetch_spine(pc->fetch, r, before, frame, data, e);

	switch (rc) {
	case 0:
		break;
	case -EBADMSG:
	case -EUCLEAN:
	case -EINTR:
	case -ENETDOWN:
		return rc;
	default:
		if (e)
			e->code = EIO;
		return -EIO;
	}
	if ((*frame)->type == type)
		return 0;
	frame_put(steal(*frame));
	return err_set(e, EUCLEAN, "a reference names a frame of the wrong type");
}

int
page_cache_chunk(struct page_cache *pc, const struct ref *r, uint8_t type,
	struct frame **frame, const uint8_t **data, struct err *e)
{
	return chunk(pc, r, type, 0, frame, data, e);
}

static int
load(struct page_cache *pc, const struct ref *r, size_t before,
	struct cached_page **cp, struct err *e)
{
	auto_frame struct frame *fr = NULL;
	const uint8_t *data;
	int rc;

	if (r->chunk_len > PAGE_LEN_MAX)
		return err_set(e, EUCLEAN, "a page is too long");
	rc = chunk(pc, r, FRAME_PAGES, before, &fr, &data, e);
	if (rc)
		return rc;
	rc = cached_page_new(data, r->chunk_len, cp, e);
	if (!rc && is_of_extents((*cp)->page)) {
		frame_put(steal(fr));
		fetch_drop(pc->fetch, &r->place);
	}
	return rc;
}

static int
get(struct page_cache *pc, const struct ref *r, size_t before,
	struct cached_page **cp, struct err *e)
{
	struct cached_page *made = NULL;
	int rc;

	*cp = page_cache_peek(pc, r);
	if (*cp)
		return 0;
	rc = load(pc, r, before, &made, e);
	if (rc)
		return rc;
	made->key = key_of(r);
	*cp = insert(pc, made);
	return 0;
}

int
page_cache_get(struct page_cache *pc, const struct ref *r,
	struct cached_page **cp, struct err *e)
{
	return get(pc, r, 0, cp, e);
}

int
page_cache_get_root(struct page_cache *pc, const struct ref *r, size_t spine,
	struct cached_page **cp, struct err *e)
{
	size_t len = r->place.len;

	return get(pc, r, len < spine ? spine - len : 0, cp, e);
}
