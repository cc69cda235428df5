/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is kept of a log goes by the name, size and time of its first segment.
 * It says of which segments it was made, so that what a timeline has instead of
 * one of them, or behind them, is seen and decoded.
 */
#include "repo/foreign/litestream03/log.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/foreign/litestream03/log_record.h"
#include "repo/foreign/litestream03/segment.h"

void
ls03_log_release(struct ls03_log *log)
{
	free(log->segments);
	free(log->frames);
	*log = (struct ls03_log){ .page_size = 0 };
}

size_t
ls03_log_frames_before(const struct ls03_log *log, size_t segment)
{
	return segment > log->first
		       ? log->segments[segment - log->first - 1].end
		       : 0;
}

size_t
ls03_log_segment(const struct ls03_log *log, size_t frame)
{
	size_t low = 0, high = log->n_segments - 1;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (log->segments[middle].end <= frame)
			low = middle + 1;
		else
			high = middle;
	}
	return log->first + low;
}

/* -- What is kept --------------------------------------------------------- */

struct names {
	char *object; /* the first segment */
	char *record;
	char *pages;
};

static void
names_init(struct names *n, const struct ls03 *r, const struct ls03_timeline *t,
	size_t first)
{
	const struct ls03_object *o = &t->segments[first];

	n->object = ls03_object_name(r, t->generation, o);
	n->record = ls03_kept_name("log", n->object, o);
	n->pages = ls03_kept_name("pages", n->object, o);
}

static void
names_release(struct names *n)
{
	free(n->object);
	free(n->record);
	free(n->pages);
}
#define auto_names AUTO(names_release)

static bool
is_of(const struct ls03_decoded *d, const struct ls03_object *o)
{
	return d->off == o->off && d->size == o->size &&
	       d->written_ns == o->written_ns;
}

/* Forget all but the first n segments. */
static void
cut(struct ls03_log *log, size_t n)
{
	log->n_segments = n;
	log->n_frames = n > 0 ? log->segments[n - 1].end : 0;
}

/* What is kept of the log, as far as the timeline has the same; perhaps
 * nothing.  *longer: more than that is kept. */
static void
load_kept(struct ls03 *r, const struct ls03_timeline *t, const char *record,
	size_t first, size_t end, struct ls03_log *log, bool *longer)
{
	auto_free uint8_t *data = NULL;
	size_t len, n = 0;

	ls03_log_release(log);
	*longer = false;
	if (kept_get(r->kept, record, KEPT_OBJECT_MAX, &data, &len) < 0 ||
		ls03_log_record_decode(data, len, log) < 0)
		ls03_log_release(log);
	log->first = first;
	while (n < log->n_segments && first + n < end &&
		is_of(&log->segments[n], &t->segments[first + n]))
		n++;
	*longer = first + n == end && n < log->n_segments;
	cut(log, n);
}

static void
keep(struct ls03 *r, const char *record, const struct ls03_log *log)
{
	auto_buf struct buf out = BUF_INIT;

	ls03_log_record_encode(log, &out);
	kept_put(r->kept, record, out.data, out.len);
	/* it is asked for at once */
	(void)kept_sync(r->kept, NULL);
}

/* -- Decoding ------------------------------------------------------------- */

static int
decode_next(struct ls03 *r, const struct ls03_timeline *t, struct ls03_log *log,
	struct ls03_pager *pager, struct err *e)
{
	size_t n = log->n_segments;
	const struct ls03_object *o = &t->segments[log->first + n];
	auto_free char *object = ls03_object_name(r, t->generation, o);
	const struct wal_scan *before =
		n > 0 ? &log->segments[n - 1].after : NULL;
	struct wal_scan after;
	int rc;

	if (before && before->off != o->off)
		return err_set(e, EUCLEAN,
			"%s: the log lacks what lies between %" PRIx64
			" and %" PRIx64,
			object, before->off, o->off);
	rc = ls03_segment_read(r, object, o, before, log, pager, &after, e);
	if (rc < 0)
		return rc;
	if ((n & (n - 1)) == 0) /* a power of two, or none */
		log->segments = xrealloc(log->segments,
			(n ? 2 * n : 1) * sizeof(*log->segments));
	log->segments[log->n_segments++] = (struct ls03_decoded){ .off = o->off,
		.size = o->size,
		.written_ns = o->written_ns,
		.end = log->n_frames,
		.after = after };
	return 0;
}

static int
decode(struct ls03 *r, const struct ls03_timeline *t, const struct names *n,
	size_t end, struct ls03_log *log, struct ls03_pager *pager,
	struct err *e)
{
	uint64_t bytes = (uint64_t)log->n_frames * log->page_size;
	int rc = 0;

	if (!ls03_pager_resume(pager, bytes)) {
		cut(log, 0);
		ls03_pager_resume(pager, 0);
	}
	while (log->first + log->n_segments < end && rc == 0)
		rc = decode_next(r, t, log, pager, e);
	if (rc < 0)
		return rc;
	ls03_pager_flush(pager);
	keep(r, n->record, log);
	return 0;
}

/* Those that are not kept, alone. */
static int
load_rest(struct ls03 *r, const struct ls03_timeline *t, const struct names *n,
	size_t end, struct ls03_log *log, struct err *e)
{
	auto_ls03_work struct ls03_work w = { .r = NULL };
	auto_ls03_pager struct ls03_pager pager;
	size_t first = log->first;
	bool longer;
	int rc;

	ls03_pager_init(&pager, r->kept, n->pages);
	rc = ls03_work_begin(r, n->object, &w, e);
	if (rc < 0)
		return rc;
	load_kept(r, t, n->record, first, end, log, &longer);
	return log->n_segments == end - first
		       ? 0
		       : decode(r, t, n, end, log, &pager, e);
}

int
ls03_log_load(struct ls03 *r, const struct ls03_timeline *t, uint32_t index,
	size_t end, struct ls03_log *log, struct err *e)
{
	auto_ls03_log struct ls03_log new = { .page_size = 0 };
	auto_names struct names n = { .object = NULL };
	size_t first, to;
	bool longer;
	int rc = 0;

	ls03_timeline_log(t, index, &first, &to);
	if (first >= end || t->segments[first].off != 0)
		return err_set(e, EUCLEAN,
			"%sgenerations/%s: the %s of log %08" PRIx32
			" is missing",
			r->prefix, t->generation,
			first >= end ? "whole" : "beginning", index);
	names_init(&n, r, t, first);
	load_kept(r, t, n.record, first, end, &new, &longer);
	if (new.n_segments < end - first)
		rc = load_rest(r, t, &n, end, &new, e);
	if (rc < 0)
		return rc;
	*log = new;
	new = (struct ls03_log){ .page_size = 0 };
	return 0;
}

/* -- Pages ---------------------------------------------------------------- */

/* From the store again, with all that tells whether it is right. */
static int
page_again(struct ls03 *r, const struct ls03_timeline *t, const struct names *n,
	size_t first, size_t segment, struct ls03_pager *pager, struct err *e)
{
	auto_ls03_log struct ls03_log log = { .first = first };
	auto_ls03_log struct ls03_log kept = { .first = first };
	auto_ls03_work struct ls03_work w = { .r = NULL };
	bool longer;
	int rc = ls03_work_begin(r, n->object, &w, e);

	/* what is kept of frames is not given up for less */
	if (rc == 0)
		load_kept(r, t, n->record, first, segment + 1, &kept, &longer);
	while (rc == 0 && log.first + log.n_segments <= segment)
		rc = decode_next(r, t, &log, pager, e);
	if (rc < 0)
		return rc;
	ls03_pager_flush(pager);
	if (!longer)
		keep(r, n->record, &log);
	return 0;
}

int
ls03_log_page(struct ls03 *r, const struct ls03_timeline *t, size_t segment,
	uint32_t frame, uint32_t page_size, void *buf, struct err *e)
{
	auto_names struct names n = { .object = NULL };
	auto_free uint8_t *page = NULL;
	auto_ls03_pager struct ls03_pager pager;
	size_t first, to;
	int rc;

	ls03_timeline_log(t, t->segments[segment].index, &first, &to);
	names_init(&n, r, t, first);
	ls03_pager_init(&pager, r->kept, n.pages);
	if (ls03_pager_get(r->kept, n.pages, frame, page_size, buf))
		return 0;
	page = xcalloc(1, WAL_PAGE_SIZE_MAX);
	pager.wanted = page;
	pager.wanted_frame = frame;
	rc = page_again(r, t, &n, first, segment, &pager, e);
	if (rc == 0 && !pager.found)
		return err_set(e, EBADMSG, "%s: its log has changed", n.object);
	if (rc == 0)
		memcpy(buf, page, page_size);
	return rc;
}
