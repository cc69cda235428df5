/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/fetch/readahead.h"

#define FIRST_READ_MIN (64u << 10)
/* What a window has passed counts less the longer ago it was. */
#define MEMORY_MAX (4u << 20)
/* Of a window that is longer than twice this, the rest is on its way while one
 * stride is read. */
#define STRIDE_MIN (1u << 20)
#define STRIDE_NEAR (1u << 18)

static uint64_t
distance(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

/* The window whose front is nearest to off; NULL when none is near. */
static const struct readahead_window *
nearest(const struct stream *s, uint64_t off)
{
	const struct readahead_window *best = NULL;

	for (int i = 0; i < READAHEAD_WINDOWS; i++) {
		const struct readahead_window *w = &s->windows[i];
		uint64_t d = distance(w->front, off);

		if (w->reach == 0 || d > READAHEAD_SLACK)
			continue;
		if (!best || d < distance(best->front, off))
			best = w;
	}
	return best;
}

static struct readahead_window *
window_near(struct stream *s, uint64_t off)
{
	const struct readahead_window *w = nearest(s, off);

	return w ? &s->windows[w - s->windows] : NULL;
}

static struct readahead_window *
oldest_window(struct stream *s)
{
	struct readahead_window *w = &s->windows[0];

	for (int i = 1; i < READAHEAD_WINDOWS; i++) {
		if (s->clock - s->windows[i].used > s->clock - w->used)
			w = &s->windows[i];
	}
	return w;
}

/* Note that [off, off + len) was read in the window. */
static void
advance(struct readahead_window *w, uint64_t off, size_t len)
{
	uint64_t end = off + len, start = w->front - w->passed;

	if (off < start)
		w->passed += start - off;
	if (end > w->front) {
		w->passed += end - w->front;
		w->since += end - w->front;
		w->front = end;
	}
	w->read += len;
	if (w->read > w->passed)
		w->read = w->passed;
	if (w->passed > MEMORY_MAX) {
		w->passed /= 2;
		w->read /= 2;
	}
	w->reads++;
}

static void
widen(struct readahead_window *w, uint64_t max)
{
	while (w->reach < max &&
		w->since >= (w->reach == READAHEAD_FIRST ? READAHEAD_HOLD
							 : w->reach)) {
		w->since -=
			w->reach == READAHEAD_FIRST ? READAHEAD_HOLD : w->reach;
		w->reach *= 2;
	}
	if (w->reach > max)
		w->reach = max;
}

static bool
is_dense(const struct readahead_window *w)
{
	return w->read >= w->passed / 2;
}

/* How much is asked for at once, at least. */
static uint64_t
stride(const struct stream *s, const struct readahead_window *w)
{
	uint64_t half = w->reach / 2, min = s->near ? STRIDE_NEAR : STRIDE_MIN;
	uint64_t len = half < min ? half : min;

	return s->near || len > w->reach / 8 ? len : w->reach / 8;
}

/* What the window lacks, once it is a stride. */
static struct readahead
ask(const struct stream *s, struct readahead_window *w, uint64_t size)
{
	struct readahead r = { .sequential = true };
	uint64_t to = w->front + w->reach;

	if (w->asked < w->front)
		w->asked = w->front;
	if (to > size)
		to = size;
	if (w->asked >= to || w->asked - w->front > w->reach - stride(s, w))
		return r;
	r.from = w->asked;
	r.to = to;
	w->asked = to;
	return r;
}

static struct readahead
start(struct stream *s, uint64_t off, size_t len, uint64_t size)
{
	struct readahead_window *w = oldest_window(s);

	*w = (struct readahead_window){
		.front = off,
		.reach = READAHEAD_FIRST,
		.used = s->clock,
	};
	advance(w, off, len);
	if (off == 0 && len >= FIRST_READ_MIN && s->misses < READAHEAD_MISSES)
		return ask(s, w, size);
	if (s->misses < READAHEAD_MISSES)
		s->misses++;
	return (struct readahead){ .sequential = false };
}

struct readahead
stream_read(struct stream *s, uint64_t off, size_t len, uint64_t size,
	size_t reach_max)
{
	struct readahead_window *w = window_near(s, off);

	s->clock++;
	if (!w)
		return start(s, off, len, size);
	w->used = s->clock;
	advance(w, off, len);
	if (!is_dense(w))
		return (struct readahead){ .sequential = false };
	s->misses = 0;
	widen(w, reach_max);
	return ask(s, w, size);
}

bool
stream_is_near(const struct stream *s, uint64_t off, uint64_t *front)
{
	const struct readahead_window *w = nearest(s, off);

	if (w && front)
		*front = w->front;
	return w != NULL;
}

bool
stream_move(struct stream *from, uint64_t front, uint64_t past,
	struct stream *to, uint64_t off)
{
	for (int i = 0; i < READAHEAD_WINDOWS; i++) {
		struct readahead_window *w = &from->windows[i], *new;

		if (w->reach == 0 || w->front < front ||
			w->front - front > past)
			continue;
		new = oldest_window(to);
		*new = *w;
		new->front = new->asked = off;
		new->passed = new->read = 0;
		new->used = to->clock;
		w->reach = 0;
		return true;
	}
	return false;
}

void
stream_start_over(struct stream *s)
{
	for (int i = 0; i < READAHEAD_WINDOWS; i++)
		s->windows[i].asked = s->windows[i].front;
}

void
stream_ask_again(struct stream *s, const struct readahead *ra, uint64_t until)
{
	for (int i = 0; i < READAHEAD_WINDOWS; i++) {
		struct readahead_window *w = &s->windows[i];

		if (w->reach > 0 && w->asked == ra->to && until < ra->to)
			w->asked = until;
	}
}
