/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A byte for the version; page size; the header's salts and byte order of sums;
 * number of segments, then of each offset, size, time, frames up to its end,
 * and the sums and the offset there; page and commit size of each frame.  All
 * numbers big-endian.  (It comes from this program, authenticated, but perhaps
 * from another version of it.)
 */
#include "repo/foreign/litestream03/log_record.h"

#include <errno.h>
#include <string.h>
#include "repo/base/bytes.h"

#define VERSION 2
#define SEGMENT_LEN 48
#define FRAME_LEN 8

static const struct wal_header *
header_of(const struct ls03_log *log)
{
	return &log->segments[0].after.header;
}

void
ls03_log_record_encode(const struct ls03_log *log, struct buf *out)
{
	const struct wal_header *h = header_of(log);

	buf_u8(out, VERSION);
	buf_be32(out, h->page_size);
	buf_be32(out, h->checkpoint_seq);
	buf_be32(out, h->salt[0]);
	buf_be32(out, h->salt[1]);
	buf_be32(out, h->sum[0]);
	buf_be32(out, h->sum[1]);
	buf_u8(out, h->big_endian_sums);
	buf_be32(out, (uint32_t)log->n_segments);
	for (size_t i = 0; i < log->n_segments; i++) {
		const struct ls03_decoded *d = &log->segments[i];

		buf_be64(out, d->off);
		buf_be64(out, d->size);
		buf_be64(out, (uint64_t)d->written_ns);
		buf_be64(out, d->end);
		buf_be32(out, d->after.sum[0]);
		buf_be32(out, d->after.sum[1]);
		buf_be64(out, d->after.off);
	}
	for (size_t i = 0; i < log->n_frames; i++) {
		buf_be32(out, log->frames[i].pgno);
		buf_be32(out, log->frames[i].commit_pages);
	}
}

static void
decode_header(struct reader *r, struct wal_header *h)
{
	h->page_size = read_be32(r);
	h->checkpoint_seq = read_be32(r);
	h->salt[0] = read_be32(r);
	h->salt[1] = read_be32(r);
	h->sum[0] = read_be32(r);
	h->sum[1] = read_be32(r);
	h->big_endian_sums = read_u8(r) != 0;
}

static void
decode_segment(
	struct reader *r, const struct wal_header *h, struct ls03_decoded *d)
{
	d->off = read_be64(r);
	d->size = read_be64(r);
	d->written_ns = (int64_t)read_be64(r);
	d->end = read_be64(r);
	d->after.header = *h;
	d->after.sum[0] = read_be32(r);
	d->after.sum[1] = read_be32(r);
	d->after.off = read_be64(r);
}

/* Segments and frames follow each other and are as many as they say. */
static bool
is_sound(const struct ls03_log *log, size_t n_frames)
{
	size_t before = 0;

	if (log->page_size < WAL_PAGE_SIZE_MIN ||
		log->page_size > WAL_PAGE_SIZE_MAX ||
		(log->page_size & (log->page_size - 1)) != 0)
		return false;
	for (size_t i = 0; i < log->n_segments; i++) {
		if (log->segments[i].end < before)
			return false;
		before = log->segments[i].end;
	}
	return before == n_frames;
}

/* Segments in room for a power of two of them, as they are grown. */
static struct ls03_decoded *
room_for(size_t n)
{
	size_t room = 1;

	while (room < n)
		room *= 2;
	return xcalloc(room, sizeof(struct ls03_decoded));
}

static int
decode_frames(struct reader *r, struct ls03_log *log)
{
	size_t n = reader_left(r) / FRAME_LEN;

	if (reader_left(r) % FRAME_LEN != 0 || n > LS03_FRAMES_MAX ||
		!is_sound(log, n))
		return -EUCLEAN;
	log->cap = n + 1;
	log->frames = xcalloc(log->cap, sizeof(*log->frames));
	for (size_t i = 0; i < n; i++) {
		log->frames[i].pgno = read_be32(r);
		log->frames[i].commit_pages = read_be32(r);
	}
	log->n_frames = n;
	return 0;
}

int
ls03_log_record_decode(const uint8_t *in, size_t len, struct ls03_log *log)
{
	struct reader r = reader_of(in, len);
	bool known = read_u8(&r) == VERSION;
	struct wal_header h;
	size_t n;

	*log = (struct ls03_log){ .page_size = 0 };
	decode_header(&r, &h);
	n = read_be32(&r);
	if (r.bad || !known || n == 0 || n > reader_left(&r) / SEGMENT_LEN)
		return -EUCLEAN;
	log->page_size = h.page_size;
	log->segments = room_for(n);
	log->n_segments = n;
	for (size_t i = 0; i < n; i++)
		decode_segment(&r, &h, &log->segments[i]);
	return decode_frames(&r, log);
}
