/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/foreign/litestream03/log.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/foreign/litestream03/segment.h"

void
ls03_log_release(struct ls03_log *log)
{
	free(log->begin);
	free(log->before);
	free(log->frames);
	*log = (struct ls03_log){ .page_size = 0 };
}

/* -- One segment ---------------------------------------------------------- */

static bool
load_kept(struct ls03 *r, const char *frames, struct ls03_segment *s)
{
	auto_free uint8_t *data = NULL;
	size_t len;

	return kept_get(r->kept, frames, KEPT_OBJECT_MAX, &data, &len) == 0 &&
	       ls03_segment_decode(data, len, s) == 0;
}

/* Fetch it, unless somebody else has meanwhile; with a page that is wanted all
 * the same. */
static int
read_segment(struct ls03 *r, const char *object, const struct ls03_object *o,
	const struct wal_scan *before, struct ls03_wanted *wanted,
	struct ls03_segment *s, struct err *e)
{
	auto_free char *frames = ls03_kept_name("frames", object, o);
	auto_free char *pages = ls03_kept_name("pages", object, o);
	auto_buf struct buf out = BUF_INIT;
	auto_ls03_work struct ls03_work w = { .r = NULL };
	int rc = ls03_work_begin(r, object, &w, e);

	if (rc < 0)
		return rc;
	if (!wanted->page && load_kept(r, frames, s))
		return 0;
	rc = ls03_segment_read(r, object, o, before, pages, wanted, s, e);
	if (rc < 0)
		return rc;
	ls03_segment_encode(s, &out);
	kept_put(r->kept, frames, out.data, out.len);
	return 0;
}

static bool
same_scan(const struct wal_scan *a, const struct wal_scan *b)
{
	return a->off == b->off && a->sum[0] == b->sum[0] &&
	       a->sum[1] == b->sum[1] &&
	       a->header.page_size == b->header.page_size &&
	       a->header.big_endian_sums == b->header.big_endian_sums &&
	       a->header.salt[0] == b->header.salt[0] &&
	       a->header.salt[1] == b->header.salt[1];
}

static int
load_segment(struct ls03 *r, const struct ls03_timeline *t, size_t i,
	const struct wal_scan *before, struct ls03_segment *s, struct err *e)
{
	const struct ls03_object *o = &t->segments[i];
	auto_free char *object = ls03_object_name(r, t->generation, o);
	auto_free char *frames = ls03_kept_name("frames", object, o);
	struct ls03_wanted none = { .page = NULL };
	int rc = 0;

	if (before && before->off != o->off)
		return err_set(e, EUCLEAN,
			"%s: the log lacks what lies between %" PRIx64
			" and %" PRIx64,
			object, before->off, o->off);
	if (!load_kept(r, frames, s))
		rc = read_segment(r, object, o, before, &none, s, e);
	if (rc == 0 && before && !same_scan(before, &s->before)) {
		ls03_segment_release(s);
		return err_set(e, EBADMSG,
			"%s does not follow the segment before it", object);
	}
	return rc;
}

/* -- The log -------------------------------------------------------------- */

static int
append(struct ls03_log *log, size_t i, const struct ls03_segment *s,
	struct err *e)
{
	size_t n = i - log->first;

	if (s->n_frames > LS03_FRAMES_MAX - log->n_frames)
		return err_set(e, EFBIG, "a log of more than %u frames",
			LS03_FRAMES_MAX);
	log->frames = xrealloc(log->frames,
		(log->n_frames + s->n_frames + 1) * sizeof(*log->frames));
	if (s->n_frames > 0)
		memcpy(log->frames + log->n_frames, s->frames,
			s->n_frames * sizeof(*s->frames));
	log->before[n] = s->before;
	log->begin[n] = log->n_frames;
	log->n_frames += s->n_frames;
	log->begin[n + 1] = log->n_frames;
	log->page_size = s->after.header.page_size;
	return 0;
}

static int
load_all(struct ls03 *r, const struct ls03_timeline *t, struct ls03_log *log,
	struct err *e)
{
	struct wal_scan at = { .off = 0 };
	int rc = 0;

	for (size_t i = log->first; i < log->end && rc == 0; i++) {
		auto_ls03_segment struct ls03_segment s = { .n_frames = 0 };

		rc = load_segment(r, t, i, i > log->first ? &at : NULL, &s, e);
		if (rc == 0)
			rc = append(log, i, &s, e);
		at = s.after;
	}
	return rc;
}

int
ls03_log_load(struct ls03 *r, const struct ls03_timeline *t, uint32_t index,
	size_t end, struct ls03_log *log, struct err *e)
{
	auto_ls03_log struct ls03_log new = { .end = end };
	size_t to;
	int rc;

	ls03_timeline_log(t, index, &new.first, &to);
	if (new.first >= end || t->segments[new.first].off != 0)
		return err_set(e, EUCLEAN,
			"%sgenerations/%s: the %s of log %08" PRIx32
			" is missing",
			r->prefix, t->generation,
			new.first >= end ? "whole" : "beginning", index);
	new.begin = xcalloc(end - new.first + 1, sizeof(*new.begin));
	new.before = xcalloc(end - new.first, sizeof(*new.before));
	rc = load_all(r, t, &new, e);
	if (rc < 0)
		return rc;
	*log = new;
	new = (struct ls03_log){ .page_size = 0 };
	return 0;
}

size_t
ls03_log_segment(const struct ls03_log *log, size_t frame)
{
	size_t low = 0, high = log->end - log->first;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (log->begin[middle] <= frame)
			low = middle;
		else
			high = middle;
	}
	return log->first + low;
}

/* -- Pages ---------------------------------------------------------------- */

static bool
page_kept(struct ls03 *r, const char *pages, uint32_t frame, uint32_t page_size,
	void *buf)
{
	auto_free uint8_t *piece = xmalloc(KEPT_PIECE);
	uint64_t off = (uint64_t)frame * page_size;
	size_t at = (size_t)(off % KEPT_PIECE), len;

	if (!kept_read(r->kept, pages, off / KEPT_PIECE, piece, &len) ||
		len < at + page_size)
		return false;
	memcpy(buf, piece + at, page_size);
	return true;
}

/* From the store again, with what tells whether it is right. */
static int
page_again(struct ls03 *r, const struct ls03_timeline *t, size_t segment,
	struct ls03_wanted *wanted, uint32_t page_size, struct err *e)
{
	const struct ls03_object *o = &t->segments[segment];
	auto_free char *object = ls03_object_name(r, t->generation, o);
	auto_ls03_segment struct ls03_segment s = { .n_frames = 0 };
	auto_ls03_log struct ls03_log log = { .page_size = 0 };
	const struct wal_scan *before;
	int rc = ls03_log_load(r, t, o->index, segment + 1, &log, e);

	if (rc < 0)
		return rc;
	before = segment > log.first ? &log.before[segment - log.first] : NULL;
	rc = read_segment(r, object, o, before, wanted, &s, e);
	if (rc == 0 &&
		(wanted->frame >= s.n_frames || log.page_size != page_size))
		return err_set(e, EBADMSG, "%s has changed", object);
	return rc;
}

int
ls03_log_page(struct ls03 *r, const struct ls03_timeline *t, size_t segment,
	uint32_t frame, uint32_t page_size, void *buf, struct err *e)
{
	const struct ls03_object *o = &t->segments[segment];
	auto_free char *object = ls03_object_name(r, t->generation, o);
	auto_free char *pages = ls03_kept_name("pages", object, o);
	struct ls03_wanted wanted = { .frame = frame };
	auto_free uint8_t *page = NULL;
	int rc;

	if (page_kept(r, pages, frame, page_size, buf))
		return 0;
	/* of whatever size the log turns out to have now */
	wanted.page = page = xmalloc(WAL_PAGE_SIZE_MAX);
	rc = page_again(r, t, segment, &wanted, page_size, e);
	if (rc == 0)
		memcpy(buf, page, page_size);
	return rc;
}
