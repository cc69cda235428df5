/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A snapshot is a copy of the database's file while commits go to the log and
 * checkpoints may move pages from there to the file.  As long as all of the log
 * up to what was moved is laid over it, it is whole again.  What was moved is
 * not written down.  A page that no frame of the state writes tells: if the
 * snapshot has it as a later frame writes it, that may have been moved.  It has
 * been, if all that some commit and those before it write is in the snapshot;
 * if not, the page may just have been written as it was before.
 */
#include "repo/foreign/litestream03/database.h"

#include <stdlib.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/foreign/litestream03/vouch.h"

struct version {
	uint32_t pgno;
	uint32_t frame; /* of the log */
};

struct settling {
	struct ls03 *r;
	const struct ls03_timeline *t;
	const struct ls03_log *log;
	struct ls03_snapshot *s;
	struct version *v; /* all frames, by page */
	uint8_t *page, *other;
};

static int
compare(const void *left, const void *right)
{
	const struct version *a = left, *b = right;

	if (a->pgno != b->pgno)
		return a->pgno < b->pgno ? -1 : 1;
	return a->frame < b->frame ? -1 : a->frame > b->frame;
}

static struct version *
sort_versions(const struct ls03_log *log)
{
	struct version *v = xcalloc(log->n_frames + 1, sizeof(*v));

	for (size_t i = 0; i < log->n_frames; i++)
		v[i] = (struct version){ .pgno = log->frames[i].pgno,
			.frame = (uint32_t)i };
	qsort(v, log->n_frames, sizeof(*v), compare);
	return v;
}

/* How many versions of one page begin at i. */
static size_t
same_page(const struct settling *x, size_t i)
{
	size_t n = 1;

	while (i + n < x->log->n_frames && x->v[i + n].pgno == x->v[i].pgno)
		n++;
	return n;
}

/* 1: the snapshot has the page as this frame writes it. */
static int
holds(struct settling *x, const struct version *v, struct err *e)
{
	uint32_t page_size = x->log->page_size;
	bool have;
	int rc =
		ls03_snapshot_page(x->s, v->pgno, page_size, x->page, &have, e);

	if (rc < 0 || !have)
		return rc;
	rc = ls03_log_page(x->r, x->t, ls03_log_segment(x->log, v->frame),
		v->frame, page_size, x->other, e);
	return rc < 0 ? rc : memcmp(x->page, x->other, page_size) == 0;
}

/* How long the database is after n frames; what lies behind is not part of it,
 * whatever the snapshot has there. */
static uint32_t
pages_after(const struct ls03_log *log, size_t n)
{
	while (n > 0 && log->frames[n - 1].commit_pages == 0)
		n--;
	return n > 0 ? log->frames[n - 1].commit_pages : UINT32_MAX;
}

/* 1: a page that none of the first n frames writes is as a later one does. */
static int
has_later_page(struct settling *x, size_t n, struct err *e)
{
	uint32_t n_pages = pages_after(x->log, n);
	int rc = 0;

	for (size_t i = 0, same; i < x->log->n_frames && rc == 0; i += same) {
		same = same_page(x, i);
		if (x->v[i].frame < n || x->v[i].pgno > n_pages)
			continue;
		for (size_t k = i; k < i + same && rc == 0; k++)
			rc = holds(x, &x->v[k], e);
	}
	return rc;
}

/* 1: all that frames n to c write is in the snapshot as they leave it. */
static int
holds_all(struct settling *x, size_t n, size_t c, struct err *e)
{
	int rc = 1;

	for (size_t i = 0, same; i < x->log->n_frames && rc == 1; i += same) {
		const struct version *last = NULL;

		same = same_page(x, i);
		for (size_t k = i; k < i + same; k++)
			if (x->v[k].frame >= n && x->v[k].frame < c)
				last = &x->v[k];
		if (last)
			rc = holds(x, last, e);
	}
	return rc;
}

static int
settle(struct settling *x, size_t n, size_t *needed, bool *doubtful,
	struct err *e)
{
	int rc = has_later_page(x, n, e);

	*needed = n;
	*doubtful = rc > 0;
	if (rc <= 0)
		return rc;
	rc = 0;
	for (size_t c = x->log->n_frames; c > n && rc == 0; c--) {
		if (x->log->frames[c - 1].commit_pages == 0)
			continue;
		rc = holds_all(x, n, c, e);
		if (rc > 0)
			*needed = c;
	}
	return rc < 0 ? rc : 0;
}

/* 1: it has a page as one of the later versions, and not as the last of the
 * earlier ones; of `same` versions from i on. */
static int
is_later_page(
	struct settling *x, size_t i, size_t same, size_t n, struct err *e)
{
	size_t k = i;
	int rc;

	while (k < i + same && x->v[k].frame < n)
		k++;
	if (k == i || k == i + same)
		return 0;
	rc = holds(x, &x->v[k - 1], e);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	for (; k < i + same && rc == 0; k++)
		rc = holds(x, &x->v[k], e);
	return rc;
}

int
ls03_database_is_later(struct ls03 *r, const struct ls03_timeline *t,
	const struct ls03_log *log, struct ls03_snapshot *s, size_t n,
	struct err *e)
{
	auto_free struct version *v = sort_versions(log);
	auto_free uint8_t *pages = xmalloc(2 * WAL_PAGE_SIZE_MAX);
	struct settling x = { .r = r,
		.t = t,
		.log = log,
		.s = s,
		.v = v,
		.page = pages,
		.other = pages + WAL_PAGE_SIZE_MAX };
	int rc = 0;

	for (size_t i = 0, same; i < log->n_frames && rc == 0; i += same) {
		same = same_page(&x, i);
		rc = is_later_page(&x, i, same, n, e);
	}
	return rc;
}

int
ls03_database_settle(struct ls03 *r, const struct ls03_timeline *t,
	const struct ls03_log *log, struct ls03_snapshot *s, size_t n,
	size_t *needed, bool *doubtful, struct err *e)
{
	auto_free struct version *v = sort_versions(log);
	auto_free uint8_t *pages = xmalloc(2 * WAL_PAGE_SIZE_MAX);
	struct settling x = { .r = r,
		.t = t,
		.log = log,
		.s = s,
		.v = v,
		.page = pages,
		.other = pages + WAL_PAGE_SIZE_MAX };

	return settle(&x, n, needed, doubtful, e);
}
