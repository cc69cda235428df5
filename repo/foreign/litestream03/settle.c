/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A snapshot is a copy of the database's file while commits go to the log and
 * checkpoints may move pages from there to the file.  As long as all of the log
 * up to what was moved is laid over it, it is whole again.  Which frames were
 * moved is not written down, but a page of the snapshot that is equal to a
 * frame's, and is not written by an earlier frame of the state, tells.
 */
#include "repo/foreign/litestream03/database.h"

#include <stdlib.h>
#include <string.h>
#include "repo/base/buf.h"

struct version {
	uint32_t pgno;
	uint32_t frame; /* of the log */
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

/* A page of the snapshot; *have is false behind its end. */
static int
snapshot_page(struct ls03_snapshot *s, uint32_t pgno, uint32_t page_size,
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

static int
log_page(struct ls03 *r, const struct ls03_timeline *t,
	const struct ls03_log *log, size_t frame, uint8_t *page, struct err *e)
{
	size_t segment = ls03_log_segment(log, frame);

	return ls03_log_page(r, t, segment,
		(uint32_t)(frame - log->begin[segment - log->first]),
		log->page_size, page, e);
}

/* The versions of one page, the first of which is not part of the state: where
 * the snapshot has one of them, its frame is needed. */
static int
look_at(struct ls03 *r, const struct ls03_timeline *t,
	const struct ls03_log *log, struct ls03_snapshot *s,
	const struct version *v, size_t n, size_t *needed, struct err *e)
{
	auto_free uint8_t *page = xmalloc(log->page_size);
	auto_free uint8_t *other = xmalloc(log->page_size);
	bool have;
	int rc = snapshot_page(s, v->pgno, log->page_size, page, &have, e);

	for (size_t i = 0; i < n && rc == 0 && have; i++) {
		rc = log_page(r, t, log, v[i].frame, other, e);
		if (rc < 0 || memcmp(page, other, log->page_size) != 0)
			continue;
		if (v[i].frame >= *needed)
			*needed = v[i].frame + 1;
		break;
	}
	return rc;
}

int
ls03_database_settle(struct ls03 *r, const struct ls03_timeline *t,
	const struct ls03_log *log, struct ls03_snapshot *s, size_t n,
	size_t *needed, struct err *e)
{
	auto_free struct version *v = sort_versions(log);
	size_t same;
	int rc = 0;

	*needed = n;
	for (size_t i = 0; i < log->n_frames && rc == 0; i += same) {
		for (same = 1; i + same < log->n_frames &&
			       v[i + same].pgno == v[i].pgno;
			same++)
			;
		if (v[i].frame >= n)
			rc = look_at(r, t, log, s, v + i, same, needed, e);
	}
	while (*needed > n && *needed < log->n_frames &&
		log->frames[*needed - 1].commit_pages == 0)
		++*needed;
	return rc;
}
