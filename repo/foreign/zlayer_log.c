/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/foreign/zlayer_log.h"

#include <errno.h>
#include <string.h>
#include "repo/base/buf.h"

/* Up to len bytes, fewer only at the end; -errno. */
static ssize_t
read_fully(struct unpacked *u, uint8_t *to, size_t len, struct err *e)
{
	size_t n = 0;

	while (n < len) {
		ssize_t got = unpacked_next(u, to + n, len - n, e);

		if (got < 0)
			return got;
		if (got == 0)
			break;
		n += (size_t)got;
	}
	return (ssize_t)n;
}

static int
damaged(const struct unpacked_source *src, const char *how, struct err *e)
{
	return err_set(e, EBADMSG, "%s: %s", src->object, how);
}

static int
read_header(const struct unpacked_source *src, struct unpacked *u,
	struct zlayer_log *log, struct err *e)
{
	uint8_t head[WAL_HEADER_LEN];
	ssize_t n = read_fully(u, head, sizeof(head), e);

	if (n < 0)
		return n == -ENOENT ? err_set(e, EIO, "%s has been removed",
					      src->object)
				    : (int)n;
	log->empty = n == 0;
	if (n == 0)
		return 0;
	if (n < WAL_HEADER_LEN)
		return damaged(src, "cut off within its header", e);
	int r = wal_header_decode(head, &log->header, e);

	if (r && e)
		err_prefix(e, "%s", src->object);
	return r;
}

int
zlayer_log_head(const struct unpacked_source *src, struct zlayer_log *log,
	struct err *e)
{
	auto_unpacked struct unpacked *u = unpacked_new(src);

	return read_header(src, u, log, e);
}

/* -- Frames -----------------------------------------------------------------
 */

struct scanning {
	const struct unpacked_source *src;
	struct unpacked *u;
	struct zlayer_log *log;
	struct wal_scan scan;
	size_t n, room; /* of log->pages, uncommitted ones too */
	size_t n_committed;
};

static int
take_frame(struct scanning *s, const struct wal_frame *f, uint64_t off,
	struct err *e)
{
	struct zlayer_log *log = s->log;

	if (s->n == ZLAYER_FRAMES_MAX)
		return err_set(e, EUCLEAN, "%s has more than %u frames",
			s->src->object, ZLAYER_FRAMES_MAX);
	if (s->n == s->room) {
		s->room = 2 * s->room + 256;
		log->pages =
			xrealloc(log->pages, s->room * sizeof(*log->pages));
	}
	log->pages[s->n++] = (struct zlayer_page){ .pgno = f->pgno,
		.off = off + WAL_FRAME_HEADER_LEN };
	if (f->commit_pages) {
		s->n_committed = s->n;
		log->commit_pages = f->commit_pages;
	}
	return 0;
}

/* A frame behind the end of the log: of an older one both salts differ. */
static bool
is_older(const struct scanning *s, const uint8_t *frame)
{
	struct wal_frame f;

	wal_frame_peek(frame, &f);
	return f.salt[0] != s->scan.header.salt[0] &&
	       f.salt[1] != s->scan.header.salt[1];
}

static int
scan_frames(struct scanning *s, uint8_t *frame, size_t len, struct err *e)
{
	bool ended = false;
	ssize_t n;

	while ((n = read_fully(s->u, frame, len, e)) == (ssize_t)len) {
		uint64_t off = s->scan.off;
		struct wal_frame f;

		s->log->n_frames++;
		int r = ended ? -EAGAIN
			      : wal_scan_frame(&s->scan, frame, &f, NULL);

		if (!r)
			r = take_frame(s, &f, off, e);
		else if (r == -EAGAIN && is_older(s, frame))
			r = 0, ended = true;
		else
			r = damaged(s->src, "the sum of a frame is wrong", e);
		if (r)
			return r;
	}
	if (n < 0)
		return (int)n;
	if (n > WAL_FRAME_HEADER_LEN && !is_older(s, frame))
		return damaged(s->src, "ends within a frame", e);
	/* whatever is left, and that it was all */
	while ((n = unpacked_next(s->u, frame, len, e)) > 0)
		;
	return (int)n;
}

static int
compare_pages(const void *a, const void *b)
{
	const struct zlayer_page *x = a, *y = b;

	if (x->pgno != y->pgno)
		return x->pgno < y->pgno ? -1 : 1;
	return (x->off > y->off) - (x->off < y->off);
}

/* Of each page the last one that was committed, in order. */
static void
settle(struct scanning *s)
{
	struct zlayer_log *log = s->log;
	struct zlayer_page *p = log->pages;

	if (s->n_committed > 0)
		qsort(p, s->n_committed, sizeof(*p), compare_pages);
	for (size_t i = 0; i < s->n_committed; i++) {
		bool last =
			i + 1 == s->n_committed || p[i + 1].pgno != p[i].pgno;

		if (last && p[i].pgno <= log->commit_pages)
			p[log->n_pages++] = p[i];
	}
}

int
zlayer_log_load(const struct unpacked_source *src, struct zlayer_log *log,
	struct err *e)
{
	auto_unpacked struct unpacked *u = unpacked_new(src);
	struct scanning s = { .src = src, .u = u, .log = log };
	int r = read_header(src, u, log, e);

	if (r)
		return r;
	wal_scan_init(&s.scan, &log->header);
	size_t len = log->empty ? 64 : wal_frame_len(&log->header);
	auto_free uint8_t *frame = xmalloc(len);

	r = log->empty ? (int)unpacked_next(u, frame, len, e)
		       : scan_frames(&s, frame, len, e);
	if (!r)
		settle(&s);
	return r;
}

const struct zlayer_page *
zlayer_log_find(const struct zlayer_log *log, uint32_t pgno)
{
	size_t lo = 0, hi = log->n_pages;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (log->pages[mid].pgno == pgno)
			return &log->pages[mid];
		if (log->pages[mid].pgno < pgno)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

void
zlayer_log_release(struct zlayer_log *log)
{
	free(log->pages);
	*log = (struct zlayer_log)ZLAYER_LOG_INIT;
}
