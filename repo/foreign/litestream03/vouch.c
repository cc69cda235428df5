/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/foreign/litestream03/vouch.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/foreign/litestream03/database.h"
#include "repo/foreign/litestream03/pages.h"

struct vouching {
	struct ls03 *r;
	const struct ls03_timeline *t;
	struct ls03_snapshot *s;
	struct ls03_log before, own; /* no frames: not to be had */
	uint8_t *page, *other;	     /* WAL_PAGE_SIZE_MAX bytes each */
};

int
ls03_snapshot_page(struct ls03_snapshot *s, uint32_t pgno, uint32_t page_size,
	uint8_t *page, bool *have, struct err *e)
{
	auto_free uint8_t *piece = xmalloc(KEPT_PIECE);
	uint64_t off = (uint64_t)(pgno - 1) * page_size;
	size_t len, at = (size_t)(off % KEPT_PIECE);
	int r = ls03_snapshot_piece(s, off / KEPT_PIECE, piece, &len, e);

	*have = r == 0 && len >= at + page_size;
	if (*have)
		memcpy(page, piece + at, page_size);
	return r;
}

/* A log as far as it is there and good: what is not may be so for reasons of
 * its own. */
static int
load(struct vouching *v, uint32_t index, struct ls03_log *log, struct err *e)
{
	struct err why = ERR_INIT;
	size_t from, to;
	int rc;

	ls03_timeline_log(v->t, index, &from, &to);
	rc = from == to ? 0 : ls03_log_load(v->r, v->t, index, to, log, &why);
	return rc == -EINTR ? err_set(e, EINTR, "%s", why.text) : 0;
}

/* Whether a frame of a log holds the page in v->page; -errno. */
static int
is_frame(struct vouching *v, const struct ls03_log *log, size_t frame,
	struct err *e)
{
	int rc = ls03_log_page(v->r, v->t, ls03_log_segment(log, frame),
		(uint32_t)frame, log->page_size, v->other, e);

	return rc < 0 ? rc : memcmp(v->page, v->other, log->page_size) == 0;
}

/* Whether any frame of the snapshot's own log holds it. */
static int
is_own(struct vouching *v, uint32_t pgno, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; i < v->own.n_frames && rc == 0; i++)
		if (v->own.frames[i].pgno == pgno)
			rc = is_frame(v, &v->own, i, e);
	return rc;
}

static int
refuse(struct vouching *v, uint32_t other, struct err *e)
{
	return err_set(e, EUCLEAN,
		"%s does not go with log %08" PRIx32
		": one of them is not what it was",
		v->s->name, other);
}

static int
check_page(struct vouching *v, const struct ls03_place *place, struct err *e)
{
	bool have;
	int rc = ls03_snapshot_page(
		v->s, place->pgno, v->before.page_size, v->page, &have, e);

	if (rc < 0)
		return rc;
	if (have)
		rc = is_frame(v, &v->before, place->frame, e);
	if (have && rc == 0)
		rc = is_own(v, place->pgno, e);
	if (rc < 0)
		return rc;
	return rc > 0 ? 0 : refuse(v, v->s->object.index - 1, e);
}

/* Pages that the database still had when the log before ended. */
static int
check_before(struct vouching *v, struct err *e)
{
	auto_ls03_pages struct ls03_pages last = LS03_PAGES_INIT;
	int rc = ls03_pages_add(&last, &v->before, v->before.n_frames, true, e);

	ls03_pages_end(&last);
	for (size_t i = 0; i < last.n && rc == 0; i++)
		rc = check_page(v, &last.places[i], e);
	return rc;
}

/* What the log of a later snapshot begins with, it must not have. */
static int
check_later(struct vouching *v, const struct ls03_object *later, struct err *e)
{
	auto_ls03_log struct ls03_log log = { .page_size = 0 };
	struct err why = ERR_INIT;
	size_t from, to;
	bool have;
	int rc;

	ls03_timeline_log(v->t, later->index, &from, &to);
	if (from == to || (rc = ls03_log_load(v->r, v->t, later->index,
				   from + 1, &log, &why)) < 0)
		return from < to && rc == -EINTR
			       ? err_set(e, EINTR, "%s", why.text)
			       : 0;
	if (log.n_frames == 0)
		return 0;
	rc = ls03_snapshot_page(
		v->s, log.frames[0].pgno, log.page_size, v->page, &have, e);
	if (rc == 0 && have)
		rc = is_frame(v, &log, 0, e);
	return rc > 0 ? refuse(v, later->index, e) : rc;
}

/* Of the oldest one: it is none of later in its own log. */
static int
check_own(struct vouching *v, struct err *e)
{
	bool settled;
	size_t until = ls03_timeline_may_hold(
		v->t, &v->s->object, v->own.first, &settled);
	int rc = ls03_database_is_later(v->r, v->t, &v->own, v->s,
		ls03_log_frames_before(&v->own, until), e);

	return rc > 0 ? refuse(v, v->s->object.index, e) : rc;
}

static int
check(struct vouching *v, struct err *e)
{
	uint32_t index = v->s->object.index;
	int rc = 0;

	if (index > 0)
		rc = load(v, index - 1, &v->before, e);
	if (rc == 0)
		rc = load(v, index, &v->own, e);
	if (rc == 0 && v->before.n_frames > 0)
		rc = check_before(v, e);
	else if (rc == 0 && v->own.n_frames > 0)
		rc = check_own(v, e);
	for (size_t i = 0; i < v->t->n_snapshots && rc == 0; i++)
		if (v->t->snapshots[i].index > index)
			rc = check_later(v, &v->t->snapshots[i], e);
	return rc;
}

int
ls03_vouch(struct ls03 *r, const struct ls03_timeline *t,
	struct ls03_snapshot *s, struct err *e)
{
	auto_free char *name = xasprintf("vouched %s", s->kept);
	auto_free uint8_t *data = NULL;
	auto_free uint8_t *pages = NULL;
	struct vouching v = { .r = r, .t = t, .s = s };
	size_t len;
	int rc;

	if (kept_get(r->kept, name, 1, &data, &len) == 0)
		return 0;
	pages = xmalloc(2 * WAL_PAGE_SIZE_MAX);
	v.page = pages;
	v.other = pages + WAL_PAGE_SIZE_MAX;
	rc = check(&v, e);
	ls03_log_release(&v.before);
	ls03_log_release(&v.own);
	if (rc == 0)
		kept_put(r->kept, name, "", 1);
	return rc;
}
