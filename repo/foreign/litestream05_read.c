/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading a database: the pages of a read are looked up together, those whose
 * frames are neighbours are fetched together.  Where several places lack, they
 * are fetched side by side.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/foreign/litestream05_database.h"
#include "repo/foreign/litestream05_whole.h"

/* Of one call; the rest is another's. */
#define READ_MAX (1u << 20)
/* Frames are fetched together if no more than this lies between them. */
#define GAP_MAX (32u << 10)
#define RUN_MAX (4u << 20)
#define FRAME_MAX (2 * LTX_PAGE_SIZE_MAX) /* no page takes so much */
/* How far a sequential reader is read ahead of, in bytes of the database. */
#define REACH_MAX (16u << 20)
/* Of a big file's index, at a time; one piece of what is kept. */
#define WINDOW_REMOTE KEPT_PIECE
#define WINDOW_LOCAL 4096u

/* -- Loading
 * ------------------------------------------------------------------- */

static int
read_index(void *ctx, uint64_t off, size_t len, void *buf, struct err *e)
{
	struct litestream05_layer *l = ctx;

	return pieces_read(l->pieces, &l->at, off, len, buf, e);
}

static int
prepare_search(struct litestream05_database *db, struct litestream05_layer *l,
	struct err *e)
{
	bool local = db->replica->place->store->local_path != NULL;
	uint8_t end[LTX_END_LEN];
	int rc = pieces_read(l->pieces, &l->at, l->at.size - sizeof(end),
		sizeof(end), end, e);

	if (rc == 0)
		rc = ltx_index_place_decode(end, l->at.size, &l->search.at, e);
	if (rc == -EUCLEAN)
		err_prefix(e, "%s", l->object);
	if (rc < 0)
		return rc;
	l->search.pages = l->header.commit;
	l->search.window = local ? WINDOW_LOCAL : WINDOW_REMOTE;
	l->search.read = read_index;
	l->search.ctx = l;
	ltx_search_init(&l->search);
	l->searched = true;
	litestream05_whole_want(db->replica, &l->at);
	return 0;
}

static int
load_layer(struct litestream05_database *db, struct litestream05_layer *l,
	struct err *e)
{
	int rc;

	if (l->pages || l->searched)
		return 0;
	if (l->file.size > LITESTREAM05_WHOLE_MAX)
		return prepare_search(db, l, e);
	rc = litestream05_pages_get(
		db->replica->pages, l->pieces, &l->at, &l->pages, e);
	if (rc == 0 &&
		memcmp(&l->pages->header, &l->header, sizeof(l->header)) != 0) {
		litestream05_pages_put(db->replica->pages, steal(l->pages));
		rc = err_set(e, EBADMSG, "%s has changed", l->object);
	}
	return rc;
}

/* Before the first page: every file of the pile is verified, or can be looked
 * up. */
static int
load(struct litestream05_database *db, struct err *e)
{
	int rc;

	if (db->loaded)
		return 0;
	auto_lock(&db->load_lock);
	if (db->loaded)
		return 0;
	rc = litestream05_database_each(db, load_layer, e);
	if (rc < 0)
		return rc;
	db->loaded = true;
	return 0;
}

/* -- Looking up
 * ------------------------------------------------------------------ */

/* Pages [first, first + n) that a verified layer has. */
static void
find_in_pages(struct litestream05_layer *l, uint32_t first, size_t n,
	struct litestream05_found *found)
{
	for (size_t i = 0; i < n && first + i <= l->limit; i++) {
		const struct litestream05_page *p =
			litestream05_pages_find(l->pages, first + (uint32_t)i);

		if (p)
			found[i] = (struct litestream05_found){ .layer = l,
				.off = p->off,
				.len = p->len,
				.sum = p->sum,
				.has_sum = true };
	}
}

static int
find_by_search(struct litestream05_layer *l, uint32_t first, size_t n,
	struct litestream05_found *found, struct err *e)
{
	auto_free struct ltx_entry *x = xcalloc(n, sizeof(*x));
	uint64_t last = first + n - 1;
	size_t got;
	int rc;

	if (last > l->limit)
		last = l->limit;
	if (last < first)
		return 0;
	rc = ltx_search_pages(&l->search, first, (uint32_t)last, x, n, &got, e);
	if (rc == -EUCLEAN)
		err_prefix(e, "%s", l->object);
	for (size_t i = 0; rc == 0 && i < got; i++)
		found[x[i].pgno - first] = (struct litestream05_found){
			.layer = l, .off = x[i].off, .len = x[i].len
		};
	return rc;
}

/* From the bottom up, so that what lies on top wins. */
static int
find(struct litestream05_database *db, uint32_t first, size_t n,
	struct litestream05_found *found, struct err *e)
{
	int rc = 0;

	memset(found, 0, n * sizeof(*found));
	for (size_t i = 0; rc == 0 && i < db->n; i++) {
		struct litestream05_layer *l = &db->layers[i];

		if (l->pages)
			find_in_pages(l, first, n, found);
		else
			rc = find_by_search(l, first, n, found, e);
	}
	return rc;
}

/* -- Fetching
 * ---------------------------------------------------------------------- */

/* Pages [from, to) of those found, whose frames are neighbours. */
struct run {
	size_t from, to;
	uint64_t off;
	uint64_t end;
};

static bool
joins(const struct litestream05_found *f, const struct run *r,
	const struct litestream05_layer *l)
{
	return f->layer == l && f->off >= r->end &&
	       f->off - r->end <= GAP_MAX &&
	       f->off + f->len - r->off <= RUN_MAX;
}

static void
next_run(const struct litestream05_found *found, size_t n, size_t from,
	struct run *r)
{
	const struct litestream05_layer *l = found[from].layer;

	*r = (struct run){ .from = from,
		.to = from + 1,
		.off = found[from].off,
		.end = found[from].off + found[from].len };
	while (l && r->to < n && joins(&found[r->to], r, l)) {
		r->end = found[r->to].off + found[r->to].len;
		r->to++;
	}
}

static int
bad_page(const struct litestream05_layer *l, uint32_t pgno, const char *why,
	struct err *e)
{
	return err_set(
		e, EBADMSG, "%s: page %" PRIu32 " %s", l->object, pgno, why);
}

static int
decode(const struct litestream05_database *db,
	const struct litestream05_found *f, uint32_t pgno, const uint8_t *frame,
	uint8_t *out, struct err *e)
{
	int rc = ltx_page_decode(
		frame, (size_t)f->len, db->page_size, pgno, out, NULL, NULL, e);

	if (rc < 0)
		return err_prefix(e, "%s", f->layer->object), rc;
	if (f->has_sum && LTX_PAGE_SUM(out, db->page_size) != f->sum)
		return bad_page(f->layer, pgno, "has changed", e);
	return 0;
}

/* The frames of a run come together, and are decoded. */
static int
read_run(struct litestream05_database *db, uint32_t first,
	const struct litestream05_found *found, const struct run *r,
	uint8_t *out, struct err *e)
{
	struct litestream05_layer *l = found[r->from].layer;
	size_t len = (size_t)(r->end - r->off);
	auto_free uint8_t *raw = NULL;
	int rc;

	if (found[r->from].len > FRAME_MAX || len > RUN_MAX)
		return bad_page(l, first + (uint32_t)r->from,
			"is longer than a page can be", e);
	raw = xmalloc(len);
	rc = pieces_read(l->pieces, &l->at, r->off, len, raw, e);
	for (size_t i = r->from; rc == 0 && i < r->to; i++)
		rc = decode(db, &found[i], first + (uint32_t)i,
			raw + (found[i].off - r->off), out + i * db->page_size,
			e);
	return rc;
}

/* A page in no file: zeros, if it is the one that never is. */
static int
fill_absent(const struct litestream05_database *db, uint32_t pgno, uint8_t *out,
	struct err *e)
{
	if (pgno != ltx_lock_page(db->page_size))
		return err_set(e, EUCLEAN,
			"%s: page %" PRIu32 " is in no file of the replica",
			db->replica->label, pgno);
	memset(out, 0, db->page_size);
	return 0;
}

/* Others than the first run are asked for while that is waited for. */
static void
ask_ahead(const struct litestream05_found *found, size_t n, size_t from)
{
	struct run r;

	for (; from < n; from = r.to) {
		next_run(found, n, from, &r);
		if (found[from].layer && r.end > r.off)
			pieces_ahead(found[from].layer->pieces,
				&found[from].layer->at, r.off, r.end - r.off);
	}
}

/* Pages [first, first + n) into out. */
static int
read_pages(struct litestream05_database *db, uint32_t first, size_t n,
	uint8_t *out, struct err *e)
{
	auto_free struct litestream05_found *found = xcalloc(n, sizeof(*found));
	int rc = find(db, first, n, found, e);
	struct run r;

	for (size_t i = 0; rc == 0 && i < n; i = r.to) {
		next_run(found, n, i, &r);
		if (i == 0 && r.to < n)
			ask_ahead(found, n, r.to);
		if (found[i].layer)
			rc = read_run(db, first, found, &r, out, e);
		else
			rc = fill_absent(db, first + (uint32_t)i,
				out + i * db->page_size, e);
	}
	return rc;
}

/* -- Read-ahead
 * ---------------------------------------------------------------------- */

/* Of files that are looked up, the frames between those of two pages. */
static void
ahead_in_layer(struct litestream05_layer *l, uint32_t first, uint32_t last)
{
	struct ltx_entry a, b;
	size_t n;

	if (last > l->limit)
		last = l->limit;
	if (first > last ||
		ltx_search_pages(&l->search, first, last, &a, 1, &n, NULL) <
			0 ||
		n == 0)
		return;
	if (ltx_search_pages(
		    &l->search, last, l->search.pages, &b, 1, &n, NULL) < 0 ||
		n == 0 || b.off < a.off || b.off - a.off > 2 * REACH_MAX)
		return;
	pieces_ahead(l->pieces, &l->at, a.off, b.off - a.off);
}

static void
read_ahead(struct litestream05_database *db, uint64_t off, size_t len)
{
	struct readahead ra;

	if (db->replica->place->store->local_path)
		return;
	pthread_mutex_lock(&db->lock);
	ra = stream_read(&db->stream, off, len, db->database.size, REACH_MAX);
	pthread_mutex_unlock(&db->lock);
	if (ra.from >= ra.to)
		return;
	for (size_t i = 0; i < db->n; i++) {
		if (db->layers[i].searched)
			ahead_in_layer(&db->layers[i],
				(uint32_t)(ra.from / db->page_size) + 1,
				(uint32_t)((ra.to - 1) / db->page_size) + 1);
	}
}

/* -- The read
 * ------------------------------------------------------------------------ */

static int
check_whole(struct litestream05_database *db, struct err *e)
{
	for (size_t i = 0; i < db->n; i++) {
		if (db->layers[i].searched &&
			litestream05_whole_is_damaged(
				db->replica, &db->layers[i].at, e))
			return -EBADMSG;
	}
	return 0;
}

int
litestream05_database_read(struct database *d, uint64_t off, size_t len,
	struct view_data *data, struct err *e)
{
	struct litestream05_database *db = (struct litestream05_database *)d;
	uint32_t first = (uint32_t)(off / db->page_size) + 1;
	size_t skip = (size_t)(off % db->page_size), n;
	auto_free uint8_t *out = NULL;
	int rc = load(db, e);

	if (rc == 0)
		rc = check_whole(db, e);
	if (rc < 0)
		return rc;
	if (len > READ_MAX)
		len = READ_MAX;
	n = (skip + len + db->page_size - 1) / db->page_size;
	read_ahead(db, off, len);
	out = xmalloc(n * db->page_size);
	rc = read_pages(db, first, n, out, e);
	if (rc < 0)
		return rc;
	*data = (struct view_data){ .n = 1, .len = len, .release_owner = free };
	data->iov[0] = (struct iovec){ out + skip, len };
	data->owner[0] = steal(out);
	return 0;
}
