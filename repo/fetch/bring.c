/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include "repo/base/auto.h"
#include "repo/base/buf.h"
#include "repo/base/clock.h"
#include "repo/base/log.h"
#include "repo/fetch/bring.h"
#include "repo/fetch/cached.h"
#include "repo/format/object.h"

#define RANGE_MIN (256u << 10)
#define RANGE_FIRST (1u << 20)
#define LOST_MAX 2

void
bring_init(struct bring *b, struct store *store)
{
	pthread_mutex_init(&b->lock, NULL);
	pthread_cond_init(&b->wake, NULL);
	b->store = cached_cache(store) ? store : NULL;
	b->range_max = RANGE_FIRST;
}

void
bring_release(struct bring *b)
{
	pthread_mutex_lock(&b->lock);
	b->stop = true;
	b->n = 0;
	pthread_cond_broadcast(&b->wake);
	pthread_mutex_unlock(&b->lock);
	cancel_raise(&b->cancel);
	for (unsigned i = 0; i < b->n_threads; i++)
		pthread_join(b->threads[i], NULL);
	pthread_cond_destroy(&b->wake);
	pthread_mutex_destroy(&b->lock);
}

bool
bring_works(struct bring *b)
{
	if (!b->store)
		return false;
	auto_lock(&b->lock);
	return b->lost < LOST_MAX && !b->stop;
}

/* -- The threads ------------------------------------------------------------- */

/* With the lock held: a thread begins, or ends. */
static void
count_busy(struct bring *b, bool begins, uint64_t len)
{
	int64_t now = clock_mono_ns();

	if (b->n_busy > 0) {
		b->busy_ns += (uint64_t)(now - b->busy_since);
		b->busy_since = now;
	}
	if (begins && b->n_busy++ == 0)
		b->busy_since = now;
	if (!begins)
		b->n_busy--;
	b->busy_bytes += len;
	if (b->busy_ns > 2 * NS_PER_S) {
		b->busy_ns /= 2;
		b->busy_bytes /= 2;
	}
}

uint64_t
bring_rate(struct bring *b)
{
	auto_lock(&b->lock);

	return b->busy_ns / 1000 ? b->busy_bytes * 1000000 /
					   (b->busy_ns / 1000)
				 : 0;
}

/* What a get brought in a time says how long the next ones may be. */
static void
learn(struct bring *b, uint64_t len, int64_t ns, bool kept)
{
	auto_lock(&b->lock);
	uint64_t max = len * 250000000ULL / (uint64_t)(ns > 0 ? ns : 1);

	count_busy(b, false, kept ? len : 0);
	b->lost = kept ? 0 : b->lost + 1;
	if (len < RANGE_MIN)
		return;
	if (max > 2 * b->range_max)
		max = 2 * b->range_max;
	b->range_max = max < RANGE_MIN	       ? RANGE_MIN
		       : max > BRING_RANGE_MAX ? BRING_RANGE_MAX
					       : (size_t)max;
}

static void
bring_range(struct bring *b, const struct bring_range *range)
{
	const struct store_call call = { .ahead = true, .cancel = &b->cancel };
	int64_t began = clock_mono_ns();
	char name[OBJECT_NAME_MAX];
	struct err e = ERR_INIT;
	bool kept = false;

	object_pack_name(name, range->at.object, range->at.pack);
	if (cached_bring(b->store, name, range->at.off, range->len, &call,
		    &kept, &e) < 0)
		log_debug("read-ahead: %s", e.text);
	learn(b, range->len, clock_mono_ns() - began, kept);
}

static bool
next_range(struct bring *b, struct bring_range *range)
{
	auto_lock(&b->lock);

	while (b->n == 0 && !b->stop) {
		b->n_idle++;
		pthread_cond_wait(&b->wake, &b->lock);
		b->n_idle--;
	}
	if (b->stop)
		return false;
	*range = b->queue[0];
	memmove(b->queue, b->queue + 1, --b->n * sizeof(*b->queue));
	count_busy(b, true, 0);
	return true;
}

static void *
work(void *ctx)
{
	struct bring *b = ctx;
	struct bring_range range;

	while (next_range(b, &range))
		bring_range(b, &range);
	return NULL;
}

/* With the lock held.  They leave signals to others. */
static void
start_threads(struct bring *b)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	while (b->n_threads < BRING_THREADS &&
		b->n_threads - b->n_idle < b->n) {
		if (pthread_create(&b->threads[b->n_threads], NULL, work, b))
			break;
		b->n_threads++;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* -- From frames to ranges ----------------------------------------------------- */

/* A range and where its first frame stands in the reader's order. */
struct draft {
	struct bring_range range;
	size_t order;
};

static int
by_place(const void *x, const void *y)
{
	const struct draft *a = x, *b = y;
	int r = memcmp(a->range.at.pack, b->range.at.pack, OBJECT_ID_LEN);

	if (r)
		return r;
	return (a->range.at.off > b->range.at.off) -
	       (a->range.at.off < b->range.at.off);
}

static int
by_order(const void *x, const void *y)
{
	const struct draft *a = x, *b = y;

	return (a->order > b->order) - (a->order < b->order);
}

/* Take b into the range a before it, if it lies near. */
static bool
joins(struct draft *a, const struct draft *b, size_t range_max)
{
	uint64_t end = a->range.at.off + a->range.len;
	uint64_t b_end = b->range.at.off + b->range.len;

	if (memcmp(a->range.at.pack, b->range.at.pack, OBJECT_ID_LEN) ||
		(b->range.at.off > end && b->range.at.off - end > BRING_GAP) ||
		b_end - a->range.at.off > range_max)
		return false;
	if (b_end > end)
		a->range.len = b_end - a->range.at.off;
	if (b->order < a->order)
		a->order = b->order;
	return true;
}

/* Returns how many ranges there are. */
static size_t
join_all(struct draft *d, size_t n, size_t range_max)
{
	size_t k = 0;

	qsort(d, n, sizeof(*d), by_place);
	for (size_t i = 1; i < n; i++) {
		if (!joins(&d[k], &d[i], range_max))
			d[++k] = d[i];
	}
	k = n ? k + 1 : 0;
	qsort(d, k, sizeof(*d), by_order);
	return k;
}

static bool
is_there(struct bring *b, const struct frame_place *at)
{
	char name[OBJECT_NAME_MAX];

	object_pack_name(name, at->object, at->pack);
	return cache_read(cached_cache(b->store), name, at->off, at->len, NULL,
		NULL);
}

static uint64_t
push(struct bring *b, const struct draft *d, size_t n)
{
	auto_lock(&b->lock);
	uint64_t len = 0;

	for (size_t i = 0; i < n && b->n < BRING_QUEUE_MAX && !b->stop; i++) {
		b->queue[b->n++] = d[i].range;
		len += d[i].range.len;
	}
	if (len > 0) {
		start_threads(b);
		pthread_cond_broadcast(&b->wake);
	}
	return len;
}

uint64_t
bring_ask(struct bring *b, const struct frame_place *at, size_t n)
{
	auto_free struct draft *d = NULL;
	size_t n_drafts = 0, range_max;

	if (n == 0 || !bring_works(b))
		return 0;
	d = xcalloc(n, sizeof(*d));
	for (size_t i = 0; i < n; i++) {
		if (is_there(b, &at[i]))
			continue;
		d[n_drafts].range.at = at[i];
		d[n_drafts].range.len = at[i].len;
		d[n_drafts++].order = i;
	}
	pthread_mutex_lock(&b->lock);
	range_max = b->range_max;
	pthread_mutex_unlock(&b->lock);
	return push(b, d, join_all(d, n_drafts, range_max));
}
