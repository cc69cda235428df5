/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/fetch/cached.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/base/clock.h"
#include "repo/cache/listing.h"
#include "repo/fetch/gaps.h"

/* keys/ is listed before anything can be sealed: names, one a line. */
#define KEYS "keys/"
#define KEYS_LIST "list/keys"
#define KEYS_LIST_MAX (64u << 10)

struct cached {
	struct store store;
	struct store *inner;
	struct cache *cache;
	const struct keyring *keys; /* NULL before the repository is unlocked */
	bool offline;
	struct flights flights; /* of cached_bring */
	struct line line;

	/* A listing that was made before it could be sealed. */
	pthread_mutex_t lock; /* a leaf */
	char pending[8];      /* its prefix, or "" */
	struct cache_listing seen;
	int64_t seen_ns;
};

static const struct store_ops cached_ops;

static struct cached *
cached_of(struct store *s)
{
	return (struct cached *)s;
}

static int
absent(const struct cached *c, const char *name, struct err *e)
{
	return err_set(e, ENETDOWN, "%s: %s is not in the cache, and offline "
		"nothing else is asked", c->store.name, name);
}

/* -- Objects cached as a whole ------------------------------------------- */

static bool
is_whole(const char *name)
{
	return strcmp(name, "format") == 0 || strncmp(name, "keys/", 5) == 0 ||
	       strncmp(name, "snap/", 5) == 0 || strncmp(name, "cat/", 4) == 0;
}

/* The part of a whole object that was asked for. */
static size_t
slice(const uint8_t *data, size_t data_len, uint64_t off, size_t len, void *buf)
{
	if (off >= data_len)
		return 0;
	if (len > data_len - off)
		len = data_len - (size_t)off;
	memcpy(buf, data + off, len);
	return len;
}

static int
get_whole(struct cached *c, const char *name, uint64_t off, size_t len,
	void *buf, size_t *got, const struct store_call *call, struct err *e)
{
	auto_free uint8_t *data = NULL;
	size_t data_len;
	int r;

	if (cache_get(c->cache, name, CACHE_WHOLE_MAX, &data, &data_len) == 0) {
		*got = slice(data, data_len, off, len, buf);
		return 0;
	}
	if (c->offline)
		return absent(c, name, e);
	r = store_get_call(c->inner, name, off, len, buf, got, call, e);
	if (r == 0 && off == 0 && *got < len)
		cache_put(c->cache, name, buf, *got);
	return r;
}

/* -- Objects cached by range ----------------------------------------------- */

/* Ask the store for [off, off + len) of what begins at base in buf.  *end is
 * set to where the object turned out to end, if before. */
static int
fill(struct cached *c, const char *name, uint64_t base, uint8_t *buf,
	uint64_t off, uint64_t len, uint64_t *end,
	const struct store_call *call, struct err *e)
{
	uint8_t *to = buf + (off - base);
	int64_t began = clock_mono_ns();
	size_t got = 0;
	int r = store_get_call(
		c->inner, name, off, (size_t)len, to, &got, call, e);

	if (r < 0)
		return r;
	line_note(&c->line, got, clock_mono_ns() - began);
	if (got < len)
		*end = off + got;
	if (got > 0)
		cache_write(c->cache, name, off, to, got);
	return 0;
}

/* Whether what f wants is on its way, and then is in buf; else *gaps is what
 * lacks, as far as that has changed. */
static bool
comes(struct cached *c, const struct flight *f, void *buf,
	struct cache_gaps *gaps, const struct store_call *call)
{
	enum flights_outcome o = flights_wait(
		&c->flights, f, buf, call ? call->cancel : NULL);

	return o == FLIGHTS_TAKEN ||
	       (o == FLIGHTS_LANDED && cache_read(c->cache, f->name, f->off,
					       (size_t)f->len, buf, gaps));
}

static int
get_range(struct cached *c, const char *name, uint64_t off, size_t len,
	void *buf, size_t *got, const struct store_call *call, struct err *e)
{
	struct cache_gaps gaps = { .n = 1, .gap = { { off, len } } };
	struct flight flight = { .name = name, .off = off, .len = len };
	uint64_t end = off + len;
	int r = 0;

	*got = len;
	if (cache_read(c->cache, name, off, len, buf, &gaps) ||
		comes(c, &flight, buf, &gaps, call))
		return 0;
	if (call && call->wanted)
		gaps_trim(&gaps, call, end);
	if (gaps.n == 0)
		return 0;
	/* the rest would have been welcome, but not for a request */
	if (call && call->enough > 0 && gaps.gap[0].off - off >= call->enough) {
		*got = (size_t)(gaps.gap[0].off - off);
		return 0;
	}
	if (c->offline)
		return absent(c, name, e);
	gaps_join(&gaps);
	flights_begin(&c->flights, &flight);
	for (unsigned i = 0; i < gaps.n && r == 0; i++) {
		if (gaps.gap[i].off < end)
			r = fill(c, name, off, buf, gaps.gap[i].off,
				gaps.gap[i].len, &end, call, e);
	}
	flights_end(&c->flights, &flight);
	*got = (size_t)(end - off);
	return r;
}

/* There is no hurry, so what found the cache's queue full is given to it again
 * once that is empty. */
static void
keep(struct cached *c, const char *name, const struct cache_extent *x,
	const uint8_t *bytes)
{
	cache_sync(c->cache, NULL);
	if (cache_read(c->cache, name, x->off, x->len, NULL, NULL))
		return;
	cache_write(c->cache, name, x->off, bytes, x->len);
	cache_sync(c->cache, NULL);
}

/* Into the cache; who waits for a part has it from here. */
static int
bring_gap(struct cached *c, struct flight *f, const struct cache_extent *gap,
	uint64_t *end, const struct store_call *how, struct err *e)
{
	struct store_arrival arrival = { .lock = PTHREAD_MUTEX_INITIALIZER };
	auto_free uint8_t *buf = xmalloc(gap->len);
	struct cache_extent came = *gap;
	struct store_call call = *how;
	int r;

	call.arrival = &arrival;
	flights_show(&c->flights, f, gap->off, buf, &arrival);
	r = fill(c, f->name, gap->off, buf, gap->off, gap->len, end, &call, e);
	if (*end - gap->off < gap->len)
		came.len = *end - gap->off;
	if (r == 0)
		keep(c, f->name, &came, buf);
	flights_hide(&c->flights, f);
	return r;
}

static int
bring_gaps(struct cached *c, struct flight *f, const struct cache_gaps *gaps,
	const struct store_call *call, struct err *e)
{
	uint64_t end = f->off + f->len;
	int r = 0;

	for (unsigned i = 0; !r && i < gaps->n && gaps->gap[i].off < end; i++)
		r = bring_gap(c, f, &gaps->gap[i], &end, call, e);
	return r;
}

int
cached_bring(struct store *s, struct flight *f,
	const struct store_call *call, bool *kept, struct err *e)
{
	struct cached *c = cached_of(s);
	struct cache_gaps gaps;
	int r;

	if (c->offline)
		return absent(c, f->name, e);
	flights_wait(&c->flights, f, NULL, call->cancel);
	cache_sync(c->cache, NULL); /* somebody may have brought it just now */
	*kept = cache_read(c->cache, f->name, f->off, f->len, NULL, &gaps);
	if (*kept)
		return 0;
	gaps_join(&gaps);
	r = bring_gaps(c, f, &gaps, call, e);
	*kept = r == 0 &&
		cache_read(c->cache, f->name, f->off, f->len, NULL, NULL);
	return r;
}

void
cached_expect(struct store *s, struct flight *f)
{
	flights_begin(&cached_of(s)->flights, f);
}

void
cached_expected(struct store *s, struct flight *f)
{
	flights_end(&cached_of(s)->flights, f);
}

static int
cached_get(struct store *s, const char *name, uint64_t off, size_t len,
	void *buf, size_t *got, const struct store_call *call, struct err *e)
{
	struct cached *c = cached_of(s);
	size_t n = 0;
	int r = is_whole(name)
			? get_whole(c, name, off, len, buf, &n, call, e)
			: get_range(c, name, off, len, buf, &n, call, e);

	if (r < 0)
		return r;
	if (got)
		*got = n;
	else if (n < len)
		return err_set(e, EBADMSG,
			"%s is cut off: %zu of %zu bytes at %llu", name, n, len,
			(unsigned long long)off);
	return 0;
}

static void
cached_forget(struct store *s, const char *name, uint64_t off, uint64_t len)
{
	struct cached *c = cached_of(s);

	if (is_whole(name)) {
		cache_forget(c->cache, name, 0, UINT64_MAX);
	} else {
		cache_forget(c->cache, name, off, len);
		flights_spoil(&c->flights, name, off, len);
	}
	store_forget(c->inner, name, off, len);
}

static int
cached_size(struct store *s, const char *name, uint64_t *size, struct err *e)
{
	struct cached *c = cached_of(s);

	return c->offline ? absent(c, name, e)
			  : store_size(c->inner, name, size, e);
}

/* -- Listings ---------------------------------------------------------------- */

struct listing {
	bool (*each)(void *ctx, const char *name, uint64_t size);
	void *ctx;
	struct cache_listing seen;
	struct buf lines;
};

static bool
see(void *ctx, const char *name, uint64_t size)
{
	struct listing *l = ctx;

	cache_listing_add(&l->seen, name, size);
	buf_printf(&l->lines, "%s\n", name);
	return l->each(l->ctx, name, size);
}

static void
listing_release(struct listing *l)
{
	cache_listing_release(&l->seen);
	buf_release(&l->lines);
}

/* The names of key slots as they were listed last; -ENOENT. */
static int
list_cached_keys(struct cached *c, struct listing *l)
{
	auto_free uint8_t *data = NULL;
	size_t len;
	int r = cache_get(c->cache, KEYS_LIST, KEYS_LIST_MAX, &data, &len);
	uint8_t *p = data, *end;

	if (r < 0)
		return r;
	for (; p < data + len; p = end + 1) {
		end = memchr(p, '\n', (size_t)(data + len - p));
		if (!end)
			break;
		*end = '\0';
		if (store_name_ok((char *)p) &&
			!l->each(l->ctx, (char *)p, 0))
			break;
	}
	return 0;
}

/* The last one of those that came before the keys is sealed with them. */
static void
keep_for_later(struct cached *c, const char *prefix, struct listing *l)
{
	auto_lock(&c->lock);

	if (strlen(prefix) >= sizeof(c->pending))
		return;
	strcpy(c->pending, prefix);
	cache_listing_release(&c->seen);
	c->seen = l->seen;
	l->seen = (struct cache_listing)CACHE_LISTING_INIT;
	c->seen_ns = clock_wall_ns();
}

static void
keep_listing(struct cached *c, const char *prefix, struct listing *l)
{
	if (strcmp(prefix, KEYS) == 0)
		cache_put(c->cache, KEYS_LIST, l->lines.data, l->lines.len);
	else if (c->keys)
		cache_listing_put(c->cache, c->keys, prefix, &l->seen,
			clock_wall_ns());
	else
		keep_for_later(c, prefix, l);
}

static int
list_offline(struct cached *c, const char *prefix, struct listing *l,
	struct err *e)
{
	int r = -ENOENT;

	if (strcmp(prefix, KEYS) == 0)
		r = list_cached_keys(c, l);
	else if (c->keys)
		r = cache_listing_get(
			c->cache, c->keys, prefix, l->each, l->ctx, NULL);
	return r == -ENOENT ? absent(c, *prefix ? prefix : "a listing", e) : r;
}

static int
cached_list(struct store *s, const char *prefix, const char *after,
	bool (*each)(void *ctx, const char *name, uint64_t size), void *ctx,
	struct err *e)
{
	struct cached *c = cached_of(s);
	struct listing l = { .each = each, .ctx = ctx };
	int r;

	if (c->offline)
		return list_offline(c, prefix, &l, e);
	if (strcmp(prefix, KEYS) == 0 && list_cached_keys(c, &l) == 0)
		return 0;
	r = store_list_names(c->inner, prefix, after, see, &l, e);
	if (r == 0 && !*after)
		keep_listing(c, prefix, &l);
	listing_release(&l);
	return r;
}

static int
cached_list_few(struct store *s, const char *prefix,
	bool (*each)(void *ctx, const char *name, uint64_t size), void *ctx,
	struct err *e)
{
	struct cached *c = cached_of(s);
	struct listing l = { .each = each, .ctx = ctx };
	int r;

	if (c->offline)
		return list_offline(c, prefix, &l, e);
	r = store_list_few(c->inner, prefix, see, &l, e);
	if (r == 0)
		keep_listing(c, prefix, &l);
	listing_release(&l);
	return r;
}

/* Times are not kept: they are for stores of others, whose listings change. */
static int
cached_list_objects(struct store *s, const struct store_query *q,
	bool (*each)(void *ctx, const struct store_object *o), void *ctx,
	struct err *e)
{
	struct cached *c = cached_of(s);

	if (c->offline)
		return absent(c, *q->prefix ? q->prefix : "a listing", e);
	return q->folder ? store_list_folder(c->inner, q->prefix, each, ctx, e)
			 : store_list_objects(
				   c->inner, q->prefix, q->after, each, ctx, e);
}

static int
cached_metadata(struct store *s, const char *name, const char *key, char *out,
	size_t size, struct err *e)
{
	struct cached *c = cached_of(s);

	return c->offline ? absent(c, name, e)
			  : store_metadata(c->inner, name, key, out, size, e);
}

/* -- The rest ------------------------------------------------------------------ */

static void
cached_stats(struct store *s, struct store_stats *st)
{
	store_stats(cached_of(s)->inner, st);
}

static void
cached_free(struct store *s)
{
	struct cached *c = cached_of(s);

	cache_close(c->cache);
	cache_listing_release(&c->seen);
	flights_release(&c->flights);
	line_release(&c->line);
	pthread_mutex_destroy(&c->lock);
	store_free(c->inner);
	free(c->store.name);
	free(c);
}

static const struct store_ops cached_ops = {
	.get = cached_get,
	.size = cached_size,
	.list = cached_list,
	.list_few = cached_list_few,
	.list_objects = cached_list_objects,
	.metadata = cached_metadata,
	.forget = cached_forget,
	.stats = cached_stats,
	.free = cached_free,
};

struct store *
cached_new(struct store *inner, struct cache *cache,
	const struct cached_options *o)
{
	struct cached *c = xcalloc(1, sizeof(*c));

	c->store.ops = &cached_ops;
	c->store.name = xstrdup(inner->name);
	c->store.foreign = inner->foreign;
	c->inner = inner;
	c->cache = cache;
	c->offline = o->offline;
	pthread_mutex_init(&c->lock, NULL);
	flights_init(&c->flights);
	line_init(&c->line);
	return &c->store;
}

void
cached_set_keys(struct store *s, const struct keyring *keys)
{
	struct cached *c = cached_of(s);

	c->keys = keys;
	if (c->pending[0])
		cache_listing_put(
			c->cache, keys, c->pending, &c->seen, c->seen_ns);
	c->pending[0] = '\0';
}

static bool
forget_slot(void *ctx, const char *name, uint64_t size)
{
	struct cached *c = ctx;

	(void)size;
	cache_forget(c->cache, name, 0, UINT64_MAX);
	return true;
}

static bool
ignore(void *ctx, const char *name, uint64_t size)
{
	(void)ctx;
	(void)name;
	(void)size;
	return true;
}

void
cached_keep_names(struct store *s, const char *prefix, const char *const *names,
	size_t n)
{
	struct cached *c = cached_of(s);
	struct listing slots = { .each = forget_slot, .ctx = c };
	struct listing l = { .each = ignore };

	if (strcmp(prefix, KEYS) == 0)
		list_cached_keys(c, &slots);
	for (size_t i = 0; i < n; i++) {
		/* the list that was kept may be damaged, too */
		if (strcmp(prefix, KEYS) == 0)
			forget_slot(c, names[i], 0);
		see(&l, names[i], 0);
	}
	keep_listing(c, prefix, &l);
	listing_release(&l);
}

struct cache *
cached_cache(struct store *s)
{
	return s->ops == &cached_ops ? cached_of(s)->cache : NULL;
}

struct line *
cached_line(struct store *s)
{
	return &cached_of(s)->line;
}

struct store *
cached_inner(struct store *s)
{
	return cached_of(s)->inner;
}

bool
cached_holds(struct store *s, const char *name)
{
	auto_free uint8_t *data = NULL;
	size_t len;

	return cache_get(cached_of(s)->cache, name, CACHE_WHOLE_MAX, &data,
		       &len) == 0;
}
