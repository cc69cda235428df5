/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/format/delta_times.h"

#include <errno.h>
#include <inttypes.h>
#include "repo/format/delta.h"

void
delta_times_add(struct buf *b, const struct delta_time *t,
	const struct delta_time *before)
{
	static const struct delta_time none;

	if (!before)
		before = &none;
	buf_svarint(b, (int64_t)((uint64_t)t->time_ns -
				 (uint64_t)before->time_ns));
	buf_varint(b, t->writer);
	buf_svarint(b, (int64_t)t->pages - (int64_t)before->pages);
	buf_varint(b, t->len);
	buf_varint(b, t->len - t->record_off);
}

void
delta_times_open(struct delta_times *t, uint64_t first_n, const uint8_t *data,
	size_t len)
{
	*t = (struct delta_times){ .r = reader_of(data, len),
		.next_n = first_n };
}

static void
read_entry(struct reader *r, const struct delta_time *before, bool first,
	struct delta_time *t)
{
	int64_t passed = read_svarint(r), pages, tail;

	t->time_ns = (int64_t)((uint64_t)before->time_ns + (uint64_t)passed);
	t->writer = (uint32_t)read_bounded(r, DELTA_WRITERS_MAX - 1);
	pages = read_svarint(r);
	if (pages < -(int64_t)UINT32_MAX || pages > (int64_t)UINT32_MAX)
		r->bad = true;
	else
		pages += before->pages;
	t->len = read_bounded(r, INT64_MAX);
	tail = (int64_t)read_bounded(r, FRAME_SEALED_MAX + DELTA_TRAILER_LEN);
	if ((!first && t->time_ns < before->time_ns) || pages < 0 ||
		pages > (int64_t)UINT32_MAX ||
		tail < FRAME_OVERHEAD + DELTA_TRAILER_LEN ||
		(uint64_t)tail + OBJECT_HEADER_LEN > t->len)
		r->bad = true;
	if (r->bad)
		return;
	t->pages = (uint32_t)pages;
	t->record_off = t->len - (uint64_t)tail;
}

int
delta_times_next(struct delta_times *t, struct delta_time *out, struct err *e)
{
	struct delta_time now = { .n = t->next_n };

	if (!t->r.bad && !reader_left(&t->r))
		return 0;
	read_entry(&t->r, &t->last, !t->any, &now);
	if (t->r.bad || now.n > DELTA_N_MAX) {
		t->r.bad = true;
		return err_set(e, EUCLEAN, "times of deltas are malformed");
	}
	t->any = true;
	t->next_n++;
	*out = t->last = now;
	return 1;
}
