/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What was read is remembered in memory and told to the ledger now and then: a
 * hit costs no write.  A kill loses half a minute of it, which only makes
 * eviction a little less fair.
 */
#include "repo/cache/private.h"

#include <errno.h>
#include <stdatomic.h>

#define TOUCHES (TOUCHES_MAX + 128)

static int
note(struct ledger *ix, const struct touch *t, int64_t rank)
{
	int64_t object;
	bool whole = false;
	int r = ledger_find(ix, &t->key, &object, &whole);

	if (whole)
		rank += WHOLE_BONUS_MS;
	for (size_t i = 0; r == 0 && i < t->segments.n; i++)
		r = ledger_used(ix, object, (int64_t)t->segments.r[i].from,
			(int64_t)t->segments.r[i].to - 1, rank);
	return r == -ENOENT ? 0 : r;
}

static int
note_all(struct cache *c, const struct touch *touches, size_t n)
{
	struct ledger_state *st;
	uint64_t hits = atomic_exchange(&c->hits, 0);
	uint64_t misses = atomic_exchange(&c->misses, 0);
	int r = ledger_begin(c->writer, &st);

	if (r < 0)
		return r;
	st->hits += (int64_t)hits;
	st->misses += (int64_t)misses;
	for (size_t i = 0; r == 0 && i < n; i++)
		r = note(c->writer, &touches[i], st->rank);
	if (r == 0)
		return ledger_commit(c->writer);
	ledger_rollback(c->writer);
	return r;
}

void
uses_note(struct cache *c)
{
	auto_free struct touch *touches = xcalloc(TOUCHES, sizeof(*touches));
	size_t n = objects_touched(&c->objects, touches, TOUCHES);

	if (n || c->hits || c->misses)
		cache_checked(c, note_all(c, touches, n));
	for (size_t i = 0; i < n; i++)
		ranges_release(&touches[i].segments);
}

void
uses_flush(struct cache *c)
{
	if (c->any || cache_enter(c, LOCK_WAIT_MS, NULL) < 0)
		return;
	uses_note(c);
	cache_leave(c);
}
