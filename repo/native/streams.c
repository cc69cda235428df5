/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/native/streams.h"

#include <stdlib.h>
#include <string.h>
#include "repo/base/buf.h"

/* The kernel reads on by as much where pages in order end. */
#define PAST_END (512u << 10)
/* Where a scan goes on its reader is looked for at so many pages before. */
#define PAGES_BACK 4
/* Who reads so little at a time finds no two pages side by side: a frame has
 * several, of which it wants one. */
#define SCATTERED_READ (32u << 10)
/* Databases are cut at multiples of this. */
#define TOGETHER (16u << 10)
/* Who goes on so far behind was given what lies between with other pages. */
#define ALONG_MAX (256u << 10)

struct file_stream *
streams_of(struct streams *st, uint64_t node)
{
	struct file_stream *oldest = &st->of[0];

	st->clock++;
	for (int i = 0; i < STREAMS; i++) {
		struct file_stream *s = &st->of[i];

		if (s->node == node) {
			s->used = st->clock;
			return s;
		}
		if (st->clock - s->used > st->clock - oldest->used)
			oldest = s;
	}
	*oldest = (struct file_stream){ .node = node,
		.used = st->clock,
		.stream.near = st->near,
		.scans.near = st->near };
	return oldest;
}

void
streams_release(struct streams *st)
{
	page_order_free(st->order);
	free(st->given);
	st->order = NULL;
	st->given = NULL;
}

void
streams_order(struct streams *st, uint64_t node, struct page_order *o,
	uint32_t page_size)
{
	streams_release(st);
	st->order = o;
	st->given = xcalloc(1, page_order_pages(o) / 8 + 1);
	st->order_of = node;
	st->page_size = page_size;
}

/* -- Scans --------------------------------------------------------------------- */

/* A read in the order of pages, and of its bytes those that follow each other in
 * it. */
struct position {
	uint64_t at;
	uint64_t len;
};

static struct position
position_of(const struct streams *st, uint64_t off)
{
	uint32_t n, page = (uint32_t)(off / st->page_size);
	uint64_t p = page_order_position(st->order, page, &n);
	uint64_t within = off % st->page_size;

	return (struct position){
		.at = p * st->page_size + within,
		.len = (uint64_t)n * st->page_size - within,
	};
}

/* Where the page that stands at a position lies in the file; *len is how far
 * both are the same. */
static uint64_t
offset_of(const struct streams *st, uint64_t at, uint64_t *len)
{
	uint32_t n, position = (uint32_t)(at / st->page_size);
	uint64_t page = page_order_page(st->order, position, &n);
	uint64_t within = at % st->page_size;

	*len = (uint64_t)n * st->page_size - within;
	return page * st->page_size + within;
}

/* Where, in the file, what stands before a position ends. */
static uint64_t
end_before(const struct streams *st, uint64_t at)
{
	uint64_t len;

	return offset_of(st, at - 1, &len) + 1;
}

/* Whether a reader that comes to off, which stands at `at`, has read in the order
 * of the file up to where the pages before it in the order of pages end. */
static bool
goes_on(const struct streams *st, struct file_stream *s, uint64_t off,
	uint64_t at)
{
	uint64_t before = at - at % st->page_size;

	/* interior pages between may have been there already */
	for (int i = 0; i < PAGES_BACK && before > 0; i++) {
		uint64_t end = end_before(st, before);

		if (end + (at - before) != off &&
			stream_move(&s->stream, end, PAST_END, &s->scans, at))
			return true;
		before -= st->page_size;
	}
	return false;
}

/* What reads a file in its order reads more at a time than SQLite's next page,
 * and may come a little out of order. */
static bool
is_scan(const struct streams *st, struct file_stream *s, uint64_t off,
	size_t len)
{
	uint64_t at = position_of(st, off).at;

	if (stream_is_near(&s->scans, at, NULL))
		return true;
	return (len <= SCATTERED_READ || !stream_is_near(&s->stream, off, NULL)) &&
	       goes_on(st, s, off, at);
}

/* The kernel reads on in the file where the pages of a scan end. */
static bool
is_past_end(const struct streams *st, const struct file_stream *s, uint64_t off)
{
	for (int i = 0; i < READAHEAD_WINDOWS; i++) {
		const struct readahead_window *w = &s->scans.windows[i];
		uint64_t end;

		if (w->reach == 0 || w->front == 0)
			continue;
		end = end_before(st, w->front);
		if (off >= end && off - end < PAST_END)
			return true;
	}
	return false;
}

/* -- What the reader has ------------------------------------------------------- */

static bool
is_given(const struct streams *st, uint64_t off)
{
	uint64_t page = off / st->page_size;

	return st->given[page / 8] >> page % 8 & 1;
}

static void
set_given(struct streams *st, uint64_t off)
{
	uint64_t page = off / st->page_size;

	st->given[page / 8] |= (uint8_t)(1u << page % 8);
}

/* A short read is given what lies around it, too. */
static void
note_given(struct streams *st, uint64_t off, uint64_t len)
{
	uint64_t size = (uint64_t)page_order_pages(st->order) * st->page_size;
	uint64_t end = off + len;

	if (len <= SCATTERED_READ) {
		off -= off % TOGETHER;
		end += TOGETHER - 1;
		end -= end % TOGETHER;
	}
	for (; off < end && off < size; off += st->page_size)
		set_given(st, off);
}

/* Some of it was read again: the kernel has lost it, and more than that. */
static void
forget_given(struct streams *st, struct file_stream *s)
{
	memset(st->given, 0, page_order_pages(st->order) / 8 + 1);
	stream_start_over(&s->scans);
}

/* The frames of [from, to) of the order of pages; as wish_range. */
static uint64_t
wish_pages(const struct streams *st, struct wish *w, const struct map *m,
	uint64_t from, uint64_t to)
{
	while (from < to && w->n < WISH_FRAMES_MAX) {
		uint64_t same, len = 0, off = offset_of(st, from, &same), known;

		if (same > to - from)
			same = to - from;
		while (len < same && !is_given(st, off + len))
			len += st->page_size;
		known = len ? wish_range(w, m, off, off + len) : off;
		if (known < off + len)
			return from + (known - off);
		from += len < same ? len + st->page_size : same;
	}
	return from;
}

static void
read_scan(struct streams *st, struct file_stream *s, const struct map *m,
	uint64_t off, size_t len, size_t reach, struct wish *w)
{
	uint64_t size = (uint64_t)page_order_pages(st->order) * st->page_size;
	struct position p = position_of(st, off);
	struct readahead ra;
	uint64_t front;

	if (len <= SCATTERED_READ)
		reach /= 4;
	if (is_given(st, off))
		forget_given(st, s);
	note_given(st, off, len);
	if (len > p.len)
		len = p.len;
	if (stream_is_near(&s->scans, p.at, &front) && front < p.at &&
		p.at - front <= ALONG_MAX) {
		len += p.at - front;
		p.at = front;
	}
	ra = stream_read(&s->scans, p.at, len, size, reach);
	if (ra.from < ra.to)
		stream_ask_again(&s->scans, &ra,
			wish_pages(st, w, m, ra.from, ra.to));
}

void
streams_read(struct streams *st, uint64_t node, const struct map *m,
	uint64_t off, size_t len, size_t reach, struct wish *w)
{
	struct file_stream *s = streams_of(st, node);
	bool ordered = st->order && st->order_of == node &&
		       off / st->page_size < page_order_pages(st->order);
	struct readahead ra;

	if (ordered && is_scan(st, s, off, len)) {
		read_scan(st, s, m, off, len, reach, w);
		return;
	}
	if (ordered && !stream_is_near(&s->stream, off, NULL) &&
		is_past_end(st, s, off))
		return;
	ra = stream_read(&s->stream, off, len, m->span, reach);
	if (ra.from < ra.to)
		stream_ask_again(
			&s->stream, &ra, wish_range(w, m, ra.from, ra.to));
}
