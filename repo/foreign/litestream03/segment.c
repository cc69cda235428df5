/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A segment is a stretch of the log's bytes: in that of offset 0 the header,
 * then frames, the last of which ends a commit.  The log under way of an old
 * dialect is a file that grows: what of it is not a whole commit yet is not
 * taken.
 */
#include "repo/foreign/litestream03/segment.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include "repo/base/bytes.h"
#include "repo/foreign/unpack.h"

#define VERSION 1

struct reading {
	struct ls03 *r;
	const char *object;
	bool live;
	struct unpack *u;
	struct ls03_segment *s;
	struct wal_scan scan;
	size_t cap;    /* of s->frames */
	size_t n_good; /* frames up to the last commit */
	struct wal_scan good;
	struct ls03_wanted *wanted;
	const char *pages;
	uint8_t *piece; /* of the pages: KEPT_PIECE bytes of room */
	size_t n_piece;
	uint64_t n_pieces;
	uint64_t unsynced;
};

void
ls03_segment_release(struct ls03_segment *s)
{
	free(s->frames);
	s->frames = NULL;
}

/* -- What is kept --------------------------------------------------------- */

static void
encode_scan(const struct wal_scan *s, struct buf *out)
{
	buf_be32(out, s->header.page_size);
	buf_be32(out, s->header.checkpoint_seq);
	buf_be32(out, s->header.salt[0]);
	buf_be32(out, s->header.salt[1]);
	buf_be32(out, s->header.big_endian_sums);
	buf_be32(out, s->header.sum[0]);
	buf_be32(out, s->header.sum[1]);
	buf_be32(out, s->sum[0]);
	buf_be32(out, s->sum[1]);
	buf_be64(out, s->off);
}

static void
decode_scan(struct reader *in, struct wal_scan *s)
{
	s->header.page_size = read_be32(in);
	s->header.checkpoint_seq = read_be32(in);
	s->header.salt[0] = read_be32(in);
	s->header.salt[1] = read_be32(in);
	s->header.big_endian_sums = read_be32(in) != 0;
	s->header.sum[0] = read_be32(in);
	s->header.sum[1] = read_be32(in);
	s->sum[0] = read_be32(in);
	s->sum[1] = read_be32(in);
	s->off = read_be64(in);
}

void
ls03_segment_encode(const struct ls03_segment *s, struct buf *out)
{
	buf_u8(out, VERSION);
	encode_scan(&s->before, out);
	encode_scan(&s->after, out);
	buf_be32(out, (uint32_t)s->n_frames);
	for (size_t i = 0; i < s->n_frames; i++) {
		buf_be32(out, s->frames[i].pgno);
		buf_be32(out, s->frames[i].commit_pages);
	}
}

int
ls03_segment_decode(const uint8_t *in, size_t len, struct ls03_segment *s)
{
	struct reader r = reader_of(in, len);
	bool known = read_u8(&r) == VERSION;

	decode_scan(&r, &s->before);
	decode_scan(&r, &s->after);
	s->n_frames = read_be32(&r);
	s->frames = NULL;
	if (r.bad || !known || reader_left(&r) != s->n_frames * 8)
		return -EUCLEAN;
	s->frames = xcalloc(s->n_frames + 1, sizeof(*s->frames));
	for (size_t i = 0; i < s->n_frames; i++) {
		s->frames[i].pgno = read_be32(&r);
		s->frames[i].commit_pages = read_be32(&r);
	}
	return 0;
}

/* -- Decoding ------------------------------------------------------------- */

/* Up to len bytes: fewer only at the end. */
static int
read_fully(
	struct unpack *u, uint8_t *buf, size_t len, size_t *got, struct err *e)
{
	*got = 0;
	while (*got < len) {
		ssize_t n = unpack_read(u, buf + *got, len - *got, e);

		if (n < 0)
			return (int)n;
		if (n == 0)
			break;
		*got += (size_t)n;
	}
	return 0;
}

static void
flush_piece(struct reading *x)
{
	if (x->n_piece == 0)
		return;
	kept_write(x->r->kept, x->pages, x->n_pieces++, x->piece, x->n_piece);
	x->unsynced += x->n_piece;
	x->n_piece = 0;
	if (x->unsynced < 8u << 20)
		return;
	/* the cache drops what comes faster than its disk */
	(void)kept_sync(x->r->kept, NULL);
	x->unsynced = 0;
}

static int
add_frame(struct reading *x, const struct wal_frame *f, const uint8_t *page,
	struct err *e)
{
	struct ls03_segment *s = x->s;
	uint32_t page_size = x->scan.header.page_size;

	if (s->n_frames == LS03_FRAMES_MAX)
		return err_set(e, EFBIG, "%s has more than %u frames",
			x->object, LS03_FRAMES_MAX);
	if (s->n_frames == x->cap) {
		x->cap = x->cap ? 2 * x->cap : 16;
		s->frames = xrealloc(s->frames, x->cap * sizeof(*s->frames));
	}
	if (x->wanted->page && x->wanted->frame == s->n_frames)
		memcpy(x->wanted->page, page, page_size);
	s->frames[s->n_frames++] = (struct ls03_frame){ .pgno = f->pgno,
		.commit_pages = f->commit_pages };
	memcpy(x->piece + x->n_piece, page, page_size);
	x->n_piece += page_size;
	if (x->n_piece == KEPT_PIECE)
		flush_piece(x);
	if (f->commit_pages > 0) {
		x->n_good = s->n_frames;
		x->good = x->scan;
	}
	return 0;
}

static int
read_frames(struct reading *x, struct err *e)
{
	size_t len = wal_frame_len(&x->scan.header), got = len;
	auto_free uint8_t *frame = xmalloc(len);
	struct wal_frame f;
	int r = 0;

	while (r == 0) {
		r = read_fully(x->u, frame, len, &got, e);
		if (r < 0 || got == 0 || (got < len && x->live))
			return r;
		if (got < len)
			return err_set(e, EBADMSG,
				"%s ends in the middle of a frame", x->object);
		r = wal_scan_frame(&x->scan, frame, &f, NULL);
		if (r < 0 && x->live)
			return 0;
		if (r < 0)
			return err_set(e, EBADMSG,
				"%s: the frame at %" PRIu64 " of its log does "
				"not verify",
				x->object, x->scan.off);
		r = add_frame(x, &f, frame + WAL_FRAME_HEADER_LEN, e);
	}
	return r;
}

static int
read_header(struct reading *x, struct err *e)
{
	uint8_t in[WAL_HEADER_LEN];
	struct wal_header h;
	size_t got = 0;
	int r = read_fully(x->u, in, sizeof(in), &got, e);

	if (r < 0)
		return r;
	if (got < sizeof(in))
		return err_set(e, EBADMSG, "%s is cut off", x->object);
	r = wal_header_decode(in, &h, e);
	if (r < 0 && e)
		err_prefix(e, "%s", x->object);
	if (r == 0)
		wal_scan_init(&x->scan, &h);
	return r;
}

static int
finish(struct reading *x, struct err *e)
{
	if (x->n_good < x->s->n_frames && !x->live)
		return err_set(e, EUCLEAN,
			"%s does not end where a commit does", x->object);
	flush_piece(x);
	x->s->n_frames = x->n_good;
	x->s->after = x->good;
	return 0;
}

static int
read_all(struct reading *x, const struct wal_scan *before, struct err *e)
{
	int r = 0;

	if (before)
		x->scan = *before;
	else
		r = read_header(x, e);
	x->good = x->scan;
	if (before)
		x->s->before = *before;
	if (r == 0)
		r = read_frames(x, e);
	return r < 0 ? r : finish(x, e);
}

int
ls03_segment_read(struct ls03 *r, const char *object,
	const struct ls03_object *o, const struct wal_scan *before,
	const char *pages, struct ls03_wanted *wanted, struct ls03_segment *s,
	struct err *e)
{
	bool live = o->kind == LS03_LIVE;
	auto_unpack struct unpack *u = unpack_new(r->place->store, object,
		o->size, live ? UNPACK_PLAIN : UNPACK_LZ4, INT64_MAX);
	auto_free uint8_t *piece = xmalloc(KEPT_PIECE);
	auto_ls03_segment struct ls03_segment new = { .n_frames = 0 };
	struct reading x = { .r = r,
		.object = object,
		.live = live,
		.u = u,
		.s = &new,
		.wanted = wanted,
		.pages = pages,
		.piece = piece };
	int rc = read_all(&x, before, e);

	if (rc < 0)
		return ls03_explain(r, object, rc, e);
	*s = new;
	new.frames = NULL;
	return 0;
}
