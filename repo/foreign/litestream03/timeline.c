/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/foreign/litestream03/timeline.h"

#include <stdlib.h>
#include <string.h>
#include "repo/base/buf.h"

void
ls03_objects_add(struct ls03_objects *o, const struct ls03_object *one)
{
	if (o->n == o->cap) {
		o->cap = o->cap ? 2 * o->cap : 16;
		o->list = xrealloc(o->list, o->cap * sizeof(*o->list));
	}
	o->list[o->n++] = *one;
}

void
ls03_objects_copy(
	struct ls03_objects *o, const struct ls03_object *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		ls03_objects_add(o, &list[i]);
}

void
ls03_objects_release(struct ls03_objects *o)
{
	free(o->list);
	*o = (struct ls03_objects){ .list = NULL };
}

static int
compare_objects(const void *left, const void *right)
{
	const struct ls03_object *a = left, *b = right;

	if (a->index != b->index)
		return a->index < b->index ? -1 : 1;
	if (a->off != b->off)
		return a->off < b->off ? -1 : 1;
	return (int)a->kind - (int)b->kind;
}

/* Sort; of several in one place only the first stays.  Returns how many. */
static size_t
sort_objects(struct ls03_object *o, size_t n)
{
	size_t kept = 0;

	if (n > 0)
		qsort(o, n, sizeof(*o), compare_objects);
	for (size_t i = 0; i < n; i++) {
		if (kept > 0 && o[kept - 1].index == o[i].index &&
			o[kept - 1].off == o[i].off)
			continue;
		o[kept++] = o[i];
	}
	return kept;
}

/* Whether a segment had been written when a snapshot was. */
static bool
is_before(const struct ls03_object *segment, const struct ls03_object *snapshot)
{
	return segment->index < snapshot->index ||
	       (segment->index == snapshot->index &&
		       segment->written_ns <= snapshot->written_ns);
}

static void
add_state(struct ls03_timeline *t, int64_t ns, size_t at, bool is_snapshot)
{
	struct ls03_state *s = &t->states[t->n_states];

	if (t->n_states > 0 && ns < s[-1].time_ns)
		ns = s[-1].time_ns;
	*s = (struct ls03_state){
		.time_ns = ns, .at = (uint32_t)at, .is_snapshot = is_snapshot
	};
	t->n_states++;
}

static void
merge(struct ls03_timeline *t)
{
	size_t seg = 0;

	t->states =
		xcalloc(t->n_snapshots + t->n_segments + 1, sizeof(*t->states));
	for (size_t i = 0; i < t->n_snapshots; i++) {
		const struct ls03_object *s = &t->snapshots[i];

		for (; seg < t->n_segments && is_before(&t->segments[seg], s);
			seg++)
			if (i > 0)
				add_state(t, t->segments[seg].written_ns, seg,
					false);
		add_state(t, s->written_ns, i, true);
	}
	for (; t->n_snapshots > 0 && seg < t->n_segments; seg++)
		add_state(t, t->segments[seg].written_ns, seg, false);
}

/* Segments of logs before the first snapshot's are of no use. */
static void
drop_useless(struct ls03_timeline *t)
{
	size_t n = 0;

	while (t->n_snapshots > 0 && n < t->n_segments &&
		t->segments[n].index < t->snapshots[0].index)
		n++;
	t->n_segments -= n;
	if (n > 0)
		memmove(t->segments, t->segments + n,
			t->n_segments * sizeof(*t->segments));
}

struct ls03_timeline *
ls03_timeline_new(const char *generation, struct ls03_objects *snapshots,
	struct ls03_objects *segments)
{
	struct ls03_timeline *t = xcalloc(1, sizeof(*t));

	t->refs = 1;
	memcpy(t->generation, generation, LS03_GENERATION_LEN);
	t->n_snapshots = sort_objects(snapshots->list, snapshots->n);
	t->snapshots = steal(snapshots->list);
	t->n_segments = sort_objects(segments->list, segments->n);
	t->segments = steal(segments->list);
	ls03_objects_release(snapshots);
	ls03_objects_release(segments);
	drop_useless(t);
	merge(t);
	return t;
}

struct ls03_timeline *
ls03_timeline_get(struct ls03_timeline *t)
{
	t->refs++;
	return t;
}

void
ls03_timeline_put(struct ls03_timeline *t)
{
	if (!t || --t->refs > 0)
		return;
	free(t->snapshots);
	free(t->segments);
	free(t->states);
	free(t);
}

size_t
ls03_timeline_until(const struct ls03_timeline *t, int64_t t_ns)
{
	size_t low = 0, high = t->n_states;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (t->states[middle].time_ns <= t_ns)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

size_t
ls03_timeline_base(const struct ls03_timeline *t, size_t state)
{
	while (!t->states[state].is_snapshot)
		state--; /* the first is one */
	return state;
}

/* The first segment of this index or a later one. */
static size_t
first_of(const struct ls03_timeline *t, uint64_t index)
{
	size_t low = 0, high = t->n_segments;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (t->segments[middle].index < index)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void
ls03_timeline_log(
	const struct ls03_timeline *t, uint32_t index, size_t *from, size_t *to)
{
	*from = first_of(t, index);
	*to = first_of(t, (uint64_t)index + 1);
}

uint32_t
ls03_timeline_index(const struct ls03_timeline *t, size_t state)
{
	const struct ls03_state *s = &t->states[state];

	return (s->is_snapshot ? t->snapshots : t->segments)[s->at].index;
}

size_t
ls03_timeline_end(const struct ls03_timeline *t, size_t state)
{
	const struct ls03_state *s = &t->states[state];
	size_t from, to;

	if (!s->is_snapshot)
		return s->at + 1;
	ls03_timeline_log(t, t->snapshots[s->at].index, &from, &to);
	while (from < to && is_before(&t->segments[from], &t->snapshots[s->at]))
		from++;
	return from;
}

size_t
ls03_timeline_may_hold(const struct ls03_timeline *t,
	const struct ls03_object *snapshot, size_t end, bool *settled)
{
	size_t from, to;
	int later = 0;

	ls03_timeline_log(t, snapshot->index, &from, &to);
	for (; from < to && (from < end || later < 2); from++)
		if (t->segments[from].written_ns > snapshot->written_ns)
			later++;
	*settled = later >= 2;
	return from;
}
