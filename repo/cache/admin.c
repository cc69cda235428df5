/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What commands ask of the cache: pins, evictions, limits, clearing, status. */
#include "repo/cache/private.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define AT_ONCE 64

/* -- Under the lock ------------------------------------------------------ */

/*
 * Run a step with the lock held.  Should it find the ledger damaged, the ledger
 * is made anew and the step run once more.
 */
static int
run(struct cache *c, int (*step)(struct cache *c, void *arg), void *arg,
	const char *what, struct err *e)
{
	int r = -EUCLEAN;

	for (int i = 0; i < 2 && r == -EUCLEAN; i++) {
		r = cache_enter(c, LOCK_WAIT_COMMAND_MS, e);
		if (r < 0)
			return r;
		r = cache_checked(c, step(c, arg));
		cache_leave(c);
	}
	return r < 0 ? cache_failed(c, r, what, e) : 0;
}

/* Commit, or roll back when r says so. */
static int
end(struct cache *c, int r)
{
	if (r == 0)
		return ledger_commit(c->writer);
	ledger_rollback(c->writer);
	return r;
}

/* -- Pinning ------------------------------------------------------------- */

struct pinning {
	const char *pin;
	const struct cache_place *at;
	size_t n;
	uint64_t *freed;
};

static int
check_pin(const struct cache *c, const char *pin, struct err *e)
{
	if (c->any)
		return err_set(e, EINVAL, "pins belong to a repository");
	if (!*pin || strlen(pin) > CACHE_PIN_NAME_MAX)
		return err_set(e, EINVAL, "a pin's name has 1 to %d bytes",
			CACHE_PIN_NAME_MAX);
	return 0;
}

static int
pin_places(struct cache *c, void *arg)
{
	const struct pinning *p = arg;
	struct ledger_state *st;
	int r = ledger_begin(c->writer, &st);

	if (r < 0)
		return r;
	for (size_t i = 0; r == 0 && i < p->n; i++) {
		struct cache_extent x = { p->at[i].off, p->at[i].len };
		struct key k;

		if (!x.len || x.off >= INT64_MAX)
			continue;
		files_key(&k, c->repository, p->at[i].name);
		r = ledger_pin(c->writer, c->repository, p->pin, &k, &x);
	}
	return end(c, r);
}

int
cache_pin(struct cache *c, const char *pin, const struct cache_place *at,
	size_t n, struct err *e)
{
	struct pinning p = { .pin = pin, .at = at, .n = n };
	int r = check_pin(c, pin, e);

	return r < 0 ? r : run(c, pin_places, &p, "pin in", e);
}

static int
unpin(struct cache *c, void *arg)
{
	const struct pinning *p = arg;
	struct ledger_state *st;
	int r = ledger_begin(c->writer, &st);

	if (r < 0)
		return r;
	return end(c, ledger_unpin(c->writer, c->repository, p->pin));
}

/* Run a step that needs the pin to exist. */
static int
run_with_pin(struct cache *c, int (*step)(struct cache *c, void *arg),
	struct pinning *p, const char *what, struct err *e)
{
	int r = check_pin(c, p->pin, e);

	if (r == 0)
		r = run(c, step, p, what, e);
	if (r == -ENOENT)
		err_set(e, ENOENT, "there is no pin named %s", p->pin);
	return r;
}

int
cache_unpin(struct cache *c, const char *pin, struct err *e)
{
	struct pinning p = { .pin = pin };

	return run_with_pin(c, unpin, &p, "unpin in", e);
}

/* -- Telling of pins ----------------------------------------------------- */

struct telling {
	struct cache *c;
	void (*each)(
		void *ctx, const char *pin, uint64_t wanted, uint64_t present);
	void *ctx;
	char pin[CACHE_PIN_NAME_MAX + 1];
	uint64_t wanted;
	uint64_t present;
};

static void
tell(struct telling *t)
{
	if (*t->pin)
		t->each(t->ctx, t->pin, t->wanted, t->present);
	t->wanted = t->present = 0;
}

static int
add_place(void *ctx, const char *pin, const struct key *k,
	const struct cache_extent *at)
{
	struct telling *t = ctx;
	auto_ranges struct ranges set = RANGES_INIT;
	int64_t object;
	bool whole;
	int r;

	if (strcmp(t->pin, pin) != 0) {
		tell(t);
		snprintf(t->pin, sizeof(t->pin), "%s", pin);
	}
	r = ledger_find(t->c->writer, k, &object, &whole);
	if (r == 0)
		r = ledger_present(t->c->writer, object, &set, NULL);
	if (r < 0)
		return r;
	ranges_clip(&set, at->off,
		at->len == UINT64_MAX ? UINT64_MAX : at->off + at->len);
	t->present += ranges_sum(&set);
	if (at->len == UINT64_MAX || t->wanted == UINT64_MAX)
		t->wanted = UINT64_MAX;
	else
		t->wanted += at->len;
	return 0;
}

static int
tell_pins(struct cache *c, void *arg)
{
	return ledger_pins(c->writer, c->repository, NULL, add_place, arg);
}

int
cache_pins(struct cache *c,
	void (*each)(
		void *ctx, const char *pin, uint64_t wanted, uint64_t present),
	void *ctx, struct err *e)
{
	struct telling t = { .c = c, .each = each, .ctx = ctx };
	int r = run(c, tell_pins, &t, "look at the pins of", e);

	if (r == 0)
		tell(&t);
	return r;
}

/* -- Evicting ------------------------------------------------------------ */

static int
evict_place(struct cache *c, void *arg)
{
	const struct pinning *p = arg;
	struct key k;

	files_key(&k, c->repository, p->at->name);
	return evict_range(c, &k, p->at->off, p->at->len, false, p->freed);
}

int
cache_evict(struct cache *c, const struct cache_place *at, uint64_t *freed,
	struct err *e)
{
	struct pinning p = { .at = at, .freed = freed };

	if (freed)
		*freed = 0;
	if (c->any || !at->len || at->off >= INT64_MAX)
		return 0;
	cache_sync(c, NULL);
	return run(c, evict_place, &p, "evict from", e);
}

struct places {
	struct {
		struct key key;
		struct cache_extent at;
	} *p;
	size_t n, cap;
};

static int
collect(void *ctx, const char *pin, const struct key *k,
	const struct cache_extent *at)
{
	struct places *all = ctx;

	(void)pin;
	if (all->n == all->cap) {
		all->cap = all->cap * 2 + 64;
		all->p = xrealloc(all->p, all->cap * sizeof(*all->p));
	}
	all->p[all->n].key = *k;
	all->p[all->n++].at = *at;
	return 0;
}

static int
evict_pin(struct cache *c, void *arg)
{
	struct pinning *p = arg;
	struct places all = { .n = 0 };
	int r = ledger_pins(c->writer, c->repository, p->pin, collect, &all);

	if (r == 0)
		r = unpin(c, p);
	for (size_t i = 0; r == 0 && i < all.n; i++)
		r = evict_range(c, &all.p[i].key, all.p[i].at.off,
			all.p[i].at.len, false, p->freed);
	free(all.p);
	return r;
}

int
cache_evict_pin(
	struct cache *c, const char *pin, uint64_t *freed, struct err *e)
{
	struct pinning p = { .pin = pin, .freed = freed };

	if (freed)
		*freed = 0;
	cache_sync(c, NULL);
	return run_with_pin(c, evict_pin, &p, "evict from", e);
}

/* -- Limit and clear ----------------------------------------------------- */

struct limits {
	uint64_t limit;
	uint64_t min_free;
};

static int
set_limits(struct cache *c, void *arg)
{
	const struct limits *l = arg;
	struct ledger_state *st;
	int r = ledger_begin(c->writer, &st);

	if (r < 0)
		return r;
	if (l->limit != UINT64_MAX)
		st->limit = (int64_t)l->limit;
	if (l->min_free != UINT64_MAX)
		st->min_free = (int64_t)l->min_free;
	r = ledger_commit(c->writer);
	if (r == 0)
		r = evict_for(c, 0);
	return r == -ENOSPC ? 0 : r; /* the rest is pinned */
}

int
cache_set_limit(
	struct cache *c, uint64_t limit, uint64_t min_free, struct err *e)
{
	struct limits l = { limit, min_free };

	if (limit < CACHE_LIMIT_MIN ||
		(limit != UINT64_MAX && limit > INT64_MAX) ||
		(min_free != UINT64_MAX && min_free > INT64_MAX))
		return err_set(e, EINVAL,
			"the cache's limit is at least %llu bytes",
			CACHE_LIMIT_MIN);
	return run(c, set_limits, &l, "limit", e);
}

static int
begin_clearing(struct cache *c, void *arg)
{
	const bool *pins = arg;
	struct ledger_state *st;
	int r = ledger_begin(c->writer, &st);

	if (r < 0)
		return r;
	st->hits = st->misses = 0;
	c->hits = c->misses = 0;
	if (*pins)
		r = ledger_unpin_all(c->writer, c->any ? NULL : c->repository);
	return end(c, r);
}

static int
clear_some(struct cache *c, void *arg)
{
	struct ledger_scope scope = {
		.repository = c->any ? NULL : c->repository, .last = INT64_MAX
	};
	struct loss l[AT_ONCE] = { 0 };
	struct victim v[AT_ONCE];
	size_t *n = arg;
	int r = ledger_rows(c->writer, &scope, v, AT_ONCE, n);

	for (size_t i = 0; i < *n; i++)
		l[i] = (struct loss){ .v = v[i], .to = UINT64_MAX };
	return r == 0 && *n > 0 ? evict_losses(c, l, *n, NULL) : r;
}

int
cache_clear(struct cache *c, bool pins, struct err *e)
{
	size_t n = 1;
	int r;

	cache_sync(c, NULL);
	r = run(c, begin_clearing, &pins, "clear", e);
	while (r == 0 && n > 0) /* others get their turn in between */
		r = run(c, clear_some, &n, "clear", e);
	if (r == 0)
		rebuild_audit(c);
	return r;
}

/* -- Status -------------------------------------------------------------- */

static int
look(struct cache *c, void *arg)
{
	struct cache_status *st = arg;
	int r;

	memset(st, 0, sizeof(*st));
	r = ledger_status(c->writer, st);
	st->bytes += ledger_size(c->ledger_path);
	if (r < 0)
		return r;
	return evict_free_space(
		c, (int64_t)st->min_free, &st->disk_free, &st->min_free);
}

int
cache_status(struct cache *c, struct cache_status *st, struct err *e)
{
	int r = run(c, look, st, "look at", e);

	st->hits += c->hits;
	st->misses += c->misses;
	st->read_bytes = c->read_bytes;
	st->written_bytes = c->written;
	st->dropped_bytes = c->dropped;
	st->forgotten = c->forgotten;
	return r;
}

void
cache_counts(const struct cache *c, struct cache_counts *out)
{
	*out = (struct cache_counts){ .hits = c->all_hits,
		.misses = c->all_misses,
		.read_bytes = c->read_bytes,
		.written_bytes = c->written,
		.dropped_bytes = c->dropped };
}
