/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/foreign/litestream05_pages.h"

#include <errno.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/base/cancel.h"

enum state { LOADING, KNOWN, DAMAGED };

struct entry {
	struct litestream05_pages pages; /* first */
	char *key;			 /* of its struct pieces_object */
	enum state state;
	struct err e;	    /* why it is DAMAGED */
	unsigned refs;	    /* of holders and of who waits */
	struct entry *next; /* in order of use, the newest first */
};

struct litestream05_pages_cache {
	size_t limit;
	pthread_mutex_t lock;
	pthread_cond_t changed; /* an entry is no longer LOADING */
	struct entry *newest;
	size_t bytes; /* of all entries */
};

struct litestream05_pages_cache *
litestream05_pages_cache_new(size_t memory)
{
	struct litestream05_pages_cache *c = xcalloc(1, sizeof(*c));

	c->limit = memory;
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->changed, NULL);
	return c;
}

static size_t
size_of(const struct entry *x)
{
	return sizeof(*x) + x->pages.n * sizeof(struct litestream05_page);
}

static void
free_entry(struct entry *x)
{
	free((void *)(uintptr_t)x->pages.page);
	free(x->key);
	free(x);
}

void
litestream05_pages_cache_free(struct litestream05_pages_cache *c)
{
	while (c->newest) {
		struct entry *x = c->newest;

		c->newest = x->next;
		free_entry(x);
	}
	pthread_mutex_destroy(&c->lock);
	pthread_cond_destroy(&c->changed);
	free(c);
}

/* -- The table; with the lock held -------------------------------------------
 */

static struct entry **
place_of(struct litestream05_pages_cache *c, const char *key)
{
	struct entry **at = &c->newest;

	while (*at && strcmp((*at)->key, key) != 0)
		at = &(*at)->next;
	return at;
}

static void
to_front(struct litestream05_pages_cache *c, struct entry **at)
{
	struct entry *x = *at;

	*at = x->next;
	x->next = c->newest;
	c->newest = x;
}

/* The oldest that nobody holds, or NULL. */
static struct entry **
oldest_free(struct litestream05_pages_cache *c)
{
	struct entry **found = NULL;

	for (struct entry **at = &c->newest; *at; at = &(*at)->next) {
		if ((*at)->refs == 0)
			found = at;
	}
	return found;
}

static void
evict(struct litestream05_pages_cache *c)
{
	struct entry **at;

	while (c->bytes > c->limit && (at = oldest_free(c))) {
		struct entry *x = *at;

		*at = x->next;
		c->bytes -= size_of(x);
		free_entry(x);
	}
}

static void
remove_entry(struct litestream05_pages_cache *c, struct entry *x)
{
	struct entry **at = place_of(c, x->key);

	if (*at == x)
		*at = x->next;
}

/* -- Loading ------------------------------------------------------------------
 */

struct loading {
	struct pieces *pieces;
	const struct pieces_object *o;
	struct litestream05_page *page;
	size_t n, room;
};

static int
read_input(void *ctx, uint64_t off, size_t len, void *buf, struct err *e)
{
	struct loading *l = ctx;
	const uint64_t ahead = 4ull << 20;

	pieces_ahead(l->pieces, l->o, off + len, ahead);
	return pieces_read(l->pieces, l->o, off, len, buf, e);
}

static bool
take_page(void *ctx, const struct ltx_entry *x, uint32_t sum)
{
	struct loading *l = ctx;

	if (l->n == l->room) {
		l->room = l->room ? 2 * l->room : 64;
		l->page = xrealloc(l->page, l->room * sizeof(*l->page));
	}
	l->page[l->n++] = (struct litestream05_page){ .pgno = x->pgno,
		.off = (uint32_t)x->off,
		.len = (uint32_t)x->len,
		.sum = sum };
	return true;
}

static bool
is_damage(int rc)
{
	return rc == -EBADMSG || rc == -EUCLEAN;
}

/* Read the whole file; once more when what was read may have been an accident
 * of a line or a disk on the way. */
static int
load(struct pieces *pieces, const struct pieces_object *o, struct entry *x,
	struct err *e)
{
	const struct ltx_input in = { .size = o->size, .read = read_input };
	int rc = -EBADMSG;

	for (int tries = 0; tries < 2 && is_damage(rc); tries++) {
		struct loading l = { .pieces = pieces, .o = o };
		struct ltx_input own = in;

		if (tries > 0)
			pieces_forget(pieces, o);
		own.ctx = &l;
		rc = ltx_verify(&own, &x->pages.header, take_page, &l, e);
		if (rc == 0) {
			x->pages.page = l.page;
			x->pages.n = l.n;
		} else {
			free(l.page);
		}
	}
	if (is_damage(rc))
		err_prefix(e, "%s", o->name);
	return rc;
}

/* A known entry, with a reference, or a new one that the caller is to load. */
static struct entry *
enter(struct litestream05_pages_cache *c, const char *key, bool *own)
{
	auto_lock(&c->lock);
	struct entry **at = place_of(c, key), *x = *at;

	*own = !x;
	if (x) {
		to_front(c, at);
	} else {
		x = xcalloc(1, sizeof(*x));
		x->key = xstrdup(key);
		x->next = c->newest;
		c->newest = x;
		c->bytes += size_of(x);
	}
	x->refs++;
	return x;
}

/* What came of loading.  An entry whose store failed is taken out of the
 * table, so that the next one tries again. */
static void
settle(struct litestream05_pages_cache *c, struct entry *x, int rc,
	const struct err *e)
{
	auto_lock(&c->lock);

	x->state = rc == 0 ? KNOWN : DAMAGED;
	if (rc < 0)
		x->e = *e;
	c->bytes += x->pages.n * sizeof(struct litestream05_page);
	if (rc < 0 && !is_damage(rc)) {
		remove_entry(c, x);
		c->bytes -= size_of(x);
		free(x->key);
		x->key = NULL;
	}
	evict(c);
	pthread_cond_broadcast(&c->changed);
}

static void
drop(struct litestream05_pages_cache *c, struct entry *x)
{
	auto_lock(&c->lock);

	if (--x->refs == 0 && !x->key)
		free_entry(x);
	else
		evict(c);
}

static int
wait_for(struct litestream05_pages_cache *c, struct entry *x, struct err *e)
{
	auto_lock(&c->lock);

	while (x->state == LOADING)
		pthread_cond_wait(&c->changed, &c->lock);
	return x->state == KNOWN ? 0 : err_set(e, x->e.code, "%s", x->e.text);
}

int
litestream05_pages_get(struct litestream05_pages_cache *c,
	struct pieces *pieces, const struct pieces_object *o,
	struct litestream05_pages **out, struct err *e)
{
	for (;;) {
		bool own;
		struct entry *x = enter(c, o->key, &own);
		struct err why = ERR_INIT;
		int rc;

		if (own) {
			rc = load(pieces, o, x, &why);
			settle(c, x, rc, &why);
		} else {
			rc = wait_for(c, x, &why);
		}
		if (rc == 0) {
			*out = &x->pages;
			return 0;
		}
		drop(c, x);
		/* the one who read it was interrupted: that is not about us */
		if (rc == -EINTR && !own && !cancel_raised(cancel_current()))
			continue;
		return err_set(e, -rc, "%s", why.text);
	}
}

void
litestream05_pages_put(
	struct litestream05_pages_cache *c, struct litestream05_pages *p)
{
	if (p)
		drop(c, (struct entry *)p);
}

const struct litestream05_page *
litestream05_pages_find(const struct litestream05_pages *p, uint32_t pgno)
{
	size_t lo = 0, hi = p->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (p->page[mid].pgno < pgno)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < p->n && p->page[lo].pgno == pgno ? &p->page[lo] : NULL;
}
