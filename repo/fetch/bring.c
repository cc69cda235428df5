/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>
#include "repo/base/auto.h"
#include "repo/base/buf.h"
#include "repo/base/clock.h"
#include "repo/base/log.h"
#include "repo/base/thread.h"
#include "repo/fetch/bring.h"
#include "repo/fetch/cached.h"
#include "repo/format/object.h"

#define RANGE_MIN (256u << 10)
/* Gets that the longest ones leave room for: they keep the line busy. */
#define FEWEST 4
#define LOST_MAX 2

/* Asked for; whoever wants it waits from then on. */
struct bring_range {
	struct flight flight;
	char name[OBJECT_NAME_MAX];
};

static void
range_free(struct bring *b, struct bring_range *range)
{
	cached_expected(b->store, &range->flight);
	free(range);
}

void
bring_init(struct bring *b, struct store *store, size_t memory)
{
	pthread_mutex_init(&b->lock, NULL);
	pthread_cond_init(&b->wake, NULL);
	b->store = cached_cache(store) ? store : NULL;
	b->flying_max = memory;
	b->range_max = memory / FEWEST < BRING_RANGE_MAX ? memory / FEWEST
							 : BRING_RANGE_MAX;
}

void
bring_release(struct bring *b)
{
	pthread_mutex_lock(&b->lock);
	b->stop = true;
	while (b->n > 0)
		range_free(b, b->queue[--b->n]);
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

/* Of all threads together. */
static uint64_t
busy_rate(struct bring *b)
{
	auto_lock(&b->lock);

	return b->busy_ns / 1000 ? b->busy_bytes * 1000000 /
					   (b->busy_ns / 1000)
				 : 0;
}

/* What the cache may hold, or its disk has room for, is not only for what will
 * be read next. */
static uint64_t
room(struct bring *b)
{
	struct cache_status st;
	uint64_t most;

	if (cache_status(cached_cache(b->store), &st, NULL))
		return 0;
	most = st.bytes;
	most += st.disk_free > st.min_free ? st.disk_free - st.min_free : 0;
	return (most < st.limit ? most : st.limit) / 4;
}

/* Bytes a second, as far as is known; 0: nothing is. */
static uint64_t
rate(struct bring *b)
{
	uint64_t one = line_rate(cached_line(b->store)), all = busy_rate(b);

	return one > all ? one : all;
}

uint64_t
bring_reach(struct bring *b, unsigned seconds)
{
	uint64_t reach, most;

	if (!b->store)
		return 0;
	reach = rate(b);
	most = room(b);
	if (reach == 0)
		reach = BRING_REACH_UNKNOWN;
	if (most > BRING_REACH_MAX)
		most = BRING_REACH_MAX;
	return reach < most / seconds ? reach * seconds : most;
}

static void
learn(struct bring *b, uint64_t len, bool kept)
{
	auto_lock(&b->lock);

	count_busy(b, false, kept ? len : 0);
	b->flying -= len;
	pthread_cond_broadcast(&b->wake);
	b->lost = kept ? 0 : b->lost + 1;
}

static void
bring_range(struct bring *b, struct bring_range *range)
{
	const struct store_call call = { .ahead = true, .cancel = &b->cancel };
	struct err e = ERR_INIT;
	bool kept = false;

	if (cached_bring(b->store, &range->flight, &call, &kept, &e) < 0)
		log_debug("read-ahead: %s", e.text);
	learn(b, range->flight.len, kept);
	range_free(b, range);
}

/* With the lock held: whether there is a range, and memory for it. */
static bool
may_begin(const struct bring *b)
{
	return b->n > 0 &&
	       (b->flying == 0 ||
		       b->flying + b->queue[0]->flight.len <= b->flying_max);
}

/* NULL: stop. */
static struct bring_range *
next_range(struct bring *b)
{
	auto_lock(&b->lock);
	struct bring_range *range;

	while (!may_begin(b) && !b->stop) {
		b->n_idle++;
		pthread_cond_wait(&b->wake, &b->lock);
		b->n_idle--;
	}
	if (b->stop)
		return NULL;
	range = b->queue[0];
	memmove(b->queue, b->queue + 1, --b->n * sizeof(*b->queue));
	b->flying += range->flight.len;
	count_busy(b, true, 0);
	return range;
}

static void *
work(void *ctx)
{
	struct bring *b = ctx;
	struct bring_range *range;

	while ((range = next_range(b)))
		bring_range(b, range);
	return NULL;
}

/* With the lock held. */
static void
start_threads(struct bring *b)
{
	while (b->n_threads < BRING_THREADS &&
		b->n_threads - b->n_idle < b->n &&
		!thread_start(&b->threads[b->n_threads], work, b))
		b->n_threads++;
}

/* -- From frames to ranges ----------------------------------------------------- */

/* A range and where its first frame stands in the reader's order. */
struct draft {
	struct frame_place at; /* the first frame: object and offset */
	uint64_t len;
	size_t order;
	bool joined; /* what lies between it and the one before is brought */
};

/* In the reader's order. */
struct bring_plan {
	struct draft *ranges;
	size_t n, sent;
};

/* Between draft `i` and the one before it. */
struct gap {
	uint64_t len;
	size_t i;
};

static int
by_place(const void *x, const void *y)
{
	const struct draft *a = x, *b = y;
	int r = memcmp(a->at.pack, b->at.pack, OBJECT_ID_LEN);

	if (r)
		return r;
	return (a->at.off > b->at.off) -
	       (a->at.off < b->at.off);
}

static int
by_order(const void *x, const void *y)
{
	const struct draft *a = x, *b = y;

	return (a->order > b->order) - (a->order < b->order);
}

static int
by_len(const void *x, const void *y)
{
	const struct gap *a = x, *b = y;

	return (a->len > b->len) - (a->len < b->len);
}

static uint64_t
end_of(const struct draft *d)
{
	return d->at.off + d->len;
}

/* The shortest gaps are bridged first, while there is something to spare. */
static void
bridge(struct draft *d, size_t n, uint64_t gap_max, uint64_t spare)
{
	auto_free struct gap *gaps = xcalloc(n, sizeof(*gaps));
	size_t n_gaps = 0;

	for (size_t i = 1; i < n; i++) {
		uint64_t end = end_of(&d[i - 1]), off = d[i].at.off;
		uint64_t len = off > end ? off - end : 0;

		if (len <= gap_max && !memcmp(d[i - 1].at.pack, d[i].at.pack,
					      OBJECT_ID_LEN))
			gaps[n_gaps++] = (struct gap){ len, i };
	}
	qsort(gaps, n_gaps, sizeof(*gaps), by_len);
	for (size_t i = 0; i < n_gaps && gaps[i].len <= spare; i++) {
		spare -= gaps[i].len;
		d[gaps[i].i].joined = true;
	}
}

/* Take b into the range a before it, if they travel together. */
static bool
joins(struct draft *a, const struct draft *b, size_t range_max)
{
	if (!b->joined || end_of(b) - a->at.off > range_max)
		return false;
	if (end_of(b) > end_of(a))
		a->len = end_of(b) - a->at.off;
	if (b->order < a->order)
		a->order = b->order;
	return true;
}

/* Drafts, which are sorted by place; returns how many ranges there are. */
static size_t
join_all(struct draft *d, size_t n, size_t range_max)
{
	size_t k = 0;

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

static struct bring_range *
range_new(struct bring *b, const struct draft *d)
{
	struct bring_range *range = xcalloc(1, sizeof(*range));

	object_pack_name(range->name, d->at.object, d->at.pack);
	range->flight = (struct flight){ .name = range->name,
		.off = d->at.off,
		.len = d->len,
		.owner = b };
	cached_expect(b->store, &range->flight);
	return range;
}

uint64_t
bring_send(struct bring *b, struct bring_plan *p, size_t until)
{
	auto_lock(&b->lock);
	uint64_t len = 0;

	while (p->sent < p->n && p->ranges[p->sent].order < until &&
		b->n < BRING_QUEUE_MAX && !b->stop) {
		const struct draft *d = &p->ranges[p->sent++];

		b->queue[b->n++] = range_new(b, d);
		len += d->len;
	}
	if (len > 0) {
		start_threads(b);
		pthread_cond_broadcast(&b->wake);
	}
	return len;
}

/* The frames that lack, by place. */
static size_t
list_lacking(struct bring *b, const struct frame_place *at, size_t n,
	struct draft *d)
{
	size_t k = 0;

	for (size_t i = 0; i < n; i++) {
		if (is_there(b, &at[i]))
			continue;
		d[k].at = at[i];
		d[k].len = at[i].len;
		d[k++].order = i;
	}
	qsort(d, k, sizeof(*d), by_place);
	return k;
}

/* Who waits for the end of a range waits for a second, when as many as that are
 * on their way. */
static size_t
longest(struct bring *b)
{
	uint64_t len = rate(b) / FEWEST;

	if (len == 0)
		len = BRING_RANGE_MAX / 2;
	if (len < RANGE_MIN)
		len = RANGE_MIN;
	return len < b->range_max ? (size_t)len : b->range_max;
}

struct bring_plan *
bring_plan(struct bring *b, const struct frame_place *at, size_t n,
	uint64_t spare)
{
	struct bring_plan *p = xcalloc(1, sizeof(*p));

	if (n == 0 || !bring_works(b))
		return p;
	cache_sync(cached_cache(b->store), NULL);
	p->ranges = xcalloc(n, sizeof(*p->ranges));
	n = list_lacking(b, at, n, p->ranges);
	bridge(p->ranges, n, line_gap(cached_line(b->store), busy_rate(b)),
		spare);
	p->n = join_all(p->ranges, n, longest(b));
	return p;
}

void
bring_plan_free(struct bring_plan *p)
{
	if (!p)
		return;
	free(p->ranges);
	free(p);
}
