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
#include "repo/base/buf.h"
#include "repo/foreign/unpack.h"

struct reading {
	const char *object;
	bool live;
	struct unpack *u;
	struct ls03_log *log;
	struct ls03_pager *pager;
	struct wal_scan scan;
	struct wal_scan good; /* behind the last commit */
	size_t n_good;	      /* frames of the log up to there */
};

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

static int
add_frame(struct reading *x, const struct wal_frame *f, const uint8_t *page,
	struct err *e)
{
	struct ls03_log *log = x->log;

	if (log->n_frames == LS03_FRAMES_MAX)
		return err_set(e, EFBIG, "%s: its log has more than %u frames",
			x->object, LS03_FRAMES_MAX);
	if (log->n_frames == log->cap) {
		log->cap = log->cap ? 2 * log->cap : 16;
		log->frames =
			xrealloc(log->frames, log->cap * sizeof(*log->frames));
	}
	ls03_pager_add(x->pager, log->n_frames, page, log->page_size);
	log->frames[log->n_frames++] = (struct ls03_frame){ .pgno = f->pgno,
		.commit_pages = f->commit_pages };
	if (f->commit_pages > 0) {
		x->n_good = log->n_frames;
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
read_all(struct reading *x, const struct wal_scan *before, struct err *e)
{
	int r = 0;

	if (before)
		x->scan = *before;
	else
		r = read_header(x, e);
	x->good = x->scan;
	x->log->page_size = x->scan.header.page_size;
	if (r == 0)
		r = read_frames(x, e);
	if (r == 0 && x->n_good < x->log->n_frames && !x->live)
		return err_set(e, EUCLEAN,
			"%s does not end where a commit does", x->object);
	return r;
}

int
ls03_segment_read(struct ls03 *r, const char *object,
	const struct ls03_object *o, const struct wal_scan *before,
	struct ls03_log *log, struct ls03_pager *pager, struct wal_scan *after,
	struct err *e)
{
	bool live = o->kind == LS03_LIVE;
	auto_unpack struct unpack *u = unpack_new(r->place->store, object,
		o->size, live ? UNPACK_PLAIN : UNPACK_LZ4, INT64_MAX);
	struct reading x = { .object = object,
		.live = live,
		.u = u,
		.log = log,
		.pager = pager,
		.n_good = log->n_frames };
	int rc = read_all(&x, before, e);

	if (rc < 0)
		return ls03_explain(r, object, rc, e);
	log->n_frames = x.n_good;
	*after = x.good;
	return 0;
}
