/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Litestream 0.5 as histories: a replica is a source of one generation, its
 * moments are TXIDs, and those that a snapshot of Litestream's ends with (and
 * the first one) are the snapshots of the listing.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/base/cancel.h"
#include "repo/base/hex.h"
#include "repo/base/log.h"
#include "repo/fetch/together.h"
#include "repo/foreign/foreign.h"
#include "repo/foreign/gather.h"
#include "repo/foreign/litestream03/history.h"
#include "repo/foreign/litestream05.h"
#include "repo/foreign/litestream05_database.h"
#include "repo/foreign/points.h"

/* What changes under our hands is looked at again so often. */
#define RETRIES 5
#define BATCH_MAX 256

struct litestream05_history {
	struct history history; /* first */
	struct litestream05_replica *replica;
	char *host;
	pthread_mutex_t refresh_lock; /* before lock */
	pthread_mutex_t lock;
	struct history_listing *listing; /* guarded by lock */
};

static struct litestream05_history *
history_of(struct history *h)
{
	return (struct litestream05_history *)h;
}

/* -- Points
 * ------------------------------------------------------------------------ */

static void
root_of(const struct litestream05_replica *r,
	const struct litestream05_told *told, struct view_attr *root,
	struct view_totals *totals)
{
	struct database d;

	litestream05_database_fill(
		r, told->time_ns, told->size, told->page_size, &d);
	database_view_root(&d, root, totals);
}

static void
add_point(struct points *p, const struct litestream05_replica *r,
	const struct litestream05_told *told)
{
	char id[HISTORY_ID_MAX + 1];
	struct points_item item = { .id = id,
		.time_ns = told->time_ns,
		.seq = told->txid,
		.damaged = told->damaged };

	snprintf(id, sizeof(id), "%016" PRIx64, told->txid);
	root_of(r, told, &item.root, &item.totals);
	points_add(p, &item);
}

/* Of one version of the files. */
static int
add_points(struct points *p, struct litestream05_replica *r, struct err *e)
{
	uint64_t version;
	size_t n = litestream05_replica_moments(r, &version);
	int rc = litestream05_replica_learn_snapshots(r, version, e);

	for (size_t i = 0; rc == 0 && i < n; i++) {
		struct litestream05_told told;

		rc = litestream05_replica_tell(r, version, i, &told, e);
		if (rc == 0 && told.snapshot)
			add_point(p, r, &told);
	}
	return rc;
}

static int
make_listing(struct litestream05_history *h, struct err *e)
{
	auto_points struct points *p = points_new();
	struct history_listing *made;
	int rc;

	points_source(p, h->host, h->replica->name, HISTORY_DATABASE);
	rc = add_points(p, h->replica, e);
	if (rc < 0)
		return rc;
	made = points_listing(p, h->listing);
	auto_lock(&h->lock);
	if (h->listing)
		history_listing_put(h->listing);
	h->listing = made;
	return 0;
}

static struct history_listing *
history_op_listing(struct history *history)
{
	struct litestream05_history *h = history_of(history);
	auto_lock(&h->lock);

	return history_listing_get(h->listing);
}

static int
history_op_refresh(struct history *history, struct err *e)
{
	struct litestream05_history *h = history_of(history);
	auto_lock(&h->refresh_lock);
	int rc = litestream05_replica_refresh(h->replica, e);

	/* a view that has just been opened may have refreshed meanwhile */
	for (int tries = 0; rc == 0 || (rc == -ESTALE && tries < RETRIES);
		tries++) {
		rc = make_listing(h, e);
		if (rc == 0)
			break;
	}
	return rc;
}

/* -- Moments
 * ------------------------------------------------------------------------ */

/* Everything but name and tags, which are not ours. */
static void
fill_moment(const struct litestream05_history *h,
	const struct litestream05_told *told, struct history_point *p)
{
	*p = (struct history_point){ .time_ns = told->time_ns,
		.seq = told->txid,
		.damaged = told->damaged,
		.key = told->txid & ((1ULL << 48) - 1) };
	snprintf(p->id, sizeof(p->id), "%016" PRIx64, told->txid);
	root_of(h->replica, told, &p->root, &p->totals);
}

/* Moment i, with its time and that of the one before read. */
static int
tell_one(struct litestream05_history *h, uint64_t version, size_t i,
	struct history_point *p, struct err *e)
{
	struct litestream05_told told;
	int rc = litestream05_replica_learn(
		h->replica, version, i ? i - 1 : 0, i + 1, e);

	if (rc == 0)
		rc = litestream05_replica_tell(
			h->replica, version, i, &told, e);
	if (rc == 0)
		fill_moment(h, &told, p);
	return rc;
}

/* Where telling goes on: behind a TXID, or from a time on. */
struct telling {
	struct litestream05_history *h;
	int64_t from_ns;
	uint64_t last; /* TXID told last; 0: none */
	int64_t last_ns;
	history_each *each;
	void *ctx;
};

static int
start_of(
	struct telling *t, uint64_t version, size_t n, size_t *i, struct err *e)
{
	struct litestream05_replica *r = t->h->replica;

	if (t->last) {
		*i = litestream05_replica_find(r, version, t->last);
		*i += *i < n;
		return 0;
	}
	if (t->from_ns == INT64_MIN) {
		*i = 0;
		return 0;
	}
	return litestream05_replica_after(r, version, t->from_ns - 1, i, e);
}

/* 1: enough was told; 0: all was. */
static int
tell_from(struct telling *t, struct err *e)
{
	struct litestream05_replica *r = t->h->replica;
	uint64_t version;
	size_t n = litestream05_replica_moments(r, &version), i, known = 0;
	int rc = start_of(t, version, n, &i, e);

	for (size_t batch = 8; rc == 0 && i < n; i++) {
		struct litestream05_told told;
		struct history_point p;

		if (i >= known) {
			known = i + batch;
			batch = batch < BATCH_MAX ? 2 * batch : BATCH_MAX;
			rc = litestream05_replica_learn(
				r, version, i ? i - 1 : 0, known, e);
		}
		if (rc == 0)
			rc = litestream05_replica_tell(r, version, i, &told, e);
		if (rc < 0)
			break;
		if (t->last && told.time_ns < t->last_ns)
			told.time_ns = t->last_ns;
		fill_moment(t->h, &told, &p);
		t->last = told.txid;
		t->last_ns = told.time_ns;
		rc = t->each(t->ctx, &p) ? 0 : 1;
	}
	return rc;
}

static int
history_op_moments(struct history *history, const struct history_listing *l,
	size_t generation, int64_t from_ns, history_each *each, void *ctx,
	struct err *e)
{
	struct telling t = { .h = history_of(history),
		.from_ns = from_ns,
		.each = each,
		.ctx = ctx };
	int rc = -ESTALE;

	(void)l, (void)generation;
	for (int tries = 0; rc == -ESTALE && tries < RETRIES; tries++)
		rc = tell_from(&t, e);
	litestream05_replica_keep(t.h->replica);
	return rc < 0 ? rc : 0;
}

/* The last moment not later than t_ns, as of one version of the files. */
static int
find_at(struct litestream05_history *h, int64_t t_ns, struct history_point *p,
	struct err *e)
{
	struct litestream05_replica *r = h->replica;
	uint64_t version;
	size_t n = litestream05_replica_moments(r, &version), i = n;
	int rc = 0;

	if (t_ns < INT64_MAX)
		rc = litestream05_replica_after(r, version, t_ns, &i, e);
	if (rc == 0 && i == 0)
		rc = err_set(e, ENOENT, "%s has nothing so early", r->label);
	if (rc == 0)
		rc = tell_one(h, version, i - 1, p, e);
	/* what was captured next is not there */
	if (rc == 0 && i == n && t_ns > p->time_ns)
		rc = litestream05_replica_gap(r, e);
	return rc;
}

static int
history_op_moment_at(struct history *history, const struct history_listing *l,
	size_t source, int64_t t_ns, struct history_point *p, struct err *e)
{
	int rc = -ESTALE;

	(void)l, (void)source;
	for (int tries = 0; rc == -ESTALE && tries < RETRIES; tries++)
		rc = find_at(history_of(history), t_ns, p, e);
	return rc;
}

static bool
parse_id(const char *id, uint64_t *txid)
{
	uint8_t bytes[8];

	if (strlen(id) != 16 || hex_decode(bytes, sizeof(bytes), id) < 0)
		return false;
	*txid = 0;
	for (size_t i = 0; i < sizeof(bytes); i++)
		*txid = *txid << 8 | bytes[i];
	return true;
}

static int
find_id(struct litestream05_history *h, const char *id, uint64_t txid,
	struct history_point *p, struct err *e)
{
	uint64_t version;
	size_t n = litestream05_replica_moments(h->replica, &version);
	size_t i = litestream05_replica_find(h->replica, version, txid);

	if (i >= n)
		return err_set(e, ENOENT, "%s: no TXID %s can be shown",
			h->replica->label, id);
	return tell_one(h, version, i, p, e);
}

static int
history_op_moment_by_id(struct history *history,
	const struct history_listing *l, size_t source, const char *id,
	struct history_point *p, struct err *e)
{
	uint64_t txid;
	int rc = -ESTALE;

	(void)l, (void)source;
	if (!parse_id(id, &txid))
		return err_set(e, ENOENT, "%s is no TXID", id);
	for (int tries = 0; rc == -ESTALE && tries < RETRIES; tries++)
		rc = find_id(history_of(history), id, txid, p, e);
	return rc;
}

/* -- Opening
 * ------------------------------------------------------------------------- */

static int
open_point(struct history *history, const struct history_point *p,
	struct view **view, struct err *e)
{
	uint64_t txid;

	if (!parse_id(p->id, &txid))
		return err_set(e, ESTALE, "%s is no TXID", p->id);
	return litestream05_database_open(
		history_of(history)->replica, txid, p->time_ns, view, e);
}

static int
history_op_open(struct history *history, const struct history_listing *l,
	size_t point, struct view **view, struct err *e)
{
	return open_point(history, &l->points[point], view, e);
}

static int
history_op_open_moment(struct history *history, const struct history_listing *l,
	const struct history_point *p, struct view **view, struct err *e)
{
	(void)l;
	return open_point(history, p, view, e);
}

static void
history_op_stats(struct history *history, struct history_stats *s)
{
	struct foreign_place *p = history_of(history)->replica->place;

	pieces_stats(foreign_place_pieces(p), s);
	foreign_place_stats(p, s);
}

static void
history_op_free(struct history *history)
{
	struct litestream05_history *h = history_of(history);

	if (h->listing)
		history_listing_put(h->listing);
	litestream05_replica_put(h->replica);
	foreign_place_unname(history);
	pthread_mutex_destroy(&h->refresh_lock);
	pthread_mutex_destroy(&h->lock);
	free(h->host);
	free(h);
}

static const struct history_ops ops = {
	.listing = history_op_listing,
	.refresh = history_op_refresh,
	.open = history_op_open,
	.stats = history_op_stats,
	.free = history_op_free,
	.moments = history_op_moments,
	.moment_at = history_op_moment_at,
	.moment_by_id = history_op_moment_by_id,
	.open_moment = history_op_open_moment,
};

int
litestream05_open(struct foreign_place *place, const char *host,
	const struct foreign_root *root, struct history **history,
	struct err *e)
{
	struct litestream05_history *h = xcalloc(1, sizeof(*h));
	int rc;

	h->history.ops = &ops;
	foreign_place_name(place, &h->history);
	h->replica = litestream05_replica_new(place, root->prefix, root->name);
	h->host = xstrdup(host);
	pthread_mutex_init(&h->refresh_lock, NULL);
	pthread_mutex_init(&h->lock, NULL);
	rc = history_op_refresh(&h->history, e);
	if (rc == 0 && h->listing->n_points == 0)
		rc = litestream05_replica_gap(h->replica, e);
	if (rc == 0 && h->listing->n_points == 0)
		rc = err_set(
			e, ENOENT, "%s: no LTX files there", h->replica->label);
	if (rc < 0)
		history_op_free(&h->history);
	else
		*history = &h->history;
	return rc;
}

/* -- Recognising
 * ---------------------------------------------------------------------- */

/* Whether a folder has an LTX file. */
static int
has_file(struct foreign_look *k, const char *folder, struct err *e)
{
	const struct foreign_names *names;
	int rc = foreign_look_names(k, folder, &names, e);

	for (size_t i = 0; rc == 0 && i < names->n; i++) {
		auto_free char *name =
			xasprintf("%s%s", folder, names->names[i]);
		struct litestream05_file f;

		if (litestream05_file_parse(name, &f))
			return 1;
	}
	return rc;
}

/* Of the folders that LTX files lie in, the first that is there. */
static bool
find_level(const struct foreign_names *names, const char *before, char level[8])
{
	for (int i = LITESTREAM05_LEVELS; i-- > 0;) {
		snprintf(level, 8, "%s%d/", before, i);
		if (foreign_names_have(names, level))
			return true;
	}
	return false;
}

/* Whether ltx/ has files that are none of 0.5's, to be refused by name. */
static bool
is_older(const struct foreign_names *names)
{
	for (size_t i = 0; i < names->n; i++) {
		auto_free char *name = xasprintf("ltx/%s", names->names[i]);

		if (litestream05_file_is_older(name))
			return true;
	}
	return false;
}

int
litestream05_look(struct foreign_look *k, struct err *e)
{
	const struct foreign_names *names;
	char level[8];
	int rc = foreign_look_names(k, "", &names, e);

	if (rc < 0)
		return rc;
	if (foreign_names_have(names, "ltx/")) {
		rc = foreign_look_names(k, "ltx/", &names, e);
		return rc < 0 ? rc
			      : find_level(names, "", level) || is_older(names);
	}
	return find_level(names, "000", level) ? has_file(k, level, e) : 0;
}

/* -- The format
 * ------------------------------------------------------------------------ */

struct opening {
	const struct foreign_open *o;
	struct cancel *cancel;
	struct {
		struct history *history, *older;
		int rc;
		struct err e;
	} * each;
};

static bool
find_any(void *ctx, const struct store_object *o)
{
	bool *found = ctx;

	(void)o;
	*found = true;
	return false;
}

/* Where 0.3 has been before, its generations are part of the history. */
static void
open_older(const struct foreign_open *o, const struct foreign_root *root,
	struct history **h)
{
	auto_free char *folder = xasprintf("%sgenerations/", root->prefix);
	const struct foreign_open own = {
		.place = o->place, .host = o->host, .roots = root, .n_roots = 1
	};
	bool found = false;
	struct err e = ERR_INIT;
	int rc = store_list_folder(
		o->place->store, folder, find_any, &found, &e);

	if (rc == -ENETDOWN)
		rc = 0; /* nothing was there when it was asked */
	if (rc == 0 && found)
		rc = litestream03.open(&own, h, &e);
	if (rc < 0 && rc != -ENOENT)
		log_warn("%s is not shown: %s", folder, e.text);
}

static void
open_root(void *ctx, size_t i)
{
	struct opening *g = ctx;

	cancel_set_current(g->cancel);
	g->each[i].rc = litestream05_open(g->o->place, g->o->host,
		&g->o->roots[i], &g->each[i].history, &g->each[i].e);
	open_older(g->o, &g->o->roots[i], &g->each[i].older);
}

static int
open_all(const struct foreign_open *o, struct history **h, struct err *e)
{
	auto_free struct history **good =
		xcalloc(2 * o->n_roots, sizeof(struct history *));
	struct opening g = { .o = o, .cancel = cancel_current() };
	size_t n = 0;
	int rc = 0;

	g.each = xcalloc(o->n_roots, sizeof(*g.each));
	together_run(o->n_roots, o->n_roots > 1, open_root, &g);
	cancel_set_current(g.cancel);
	for (size_t i = 0; i < o->n_roots; i++) {
		/* without the newer part the older one would be taken for the
		 * newest */
		if (g.each[i].rc < 0 && g.each[i].older)
			history_free(steal(g.each[i].older));
		if (g.each[i].older)
			good[n++] = g.each[i].older;
		if (g.each[i].rc == 0)
			good[n++] = g.each[i].history;
		else if (o->n_roots > 1)
			log_warn("%s", g.each[i].e.text);
		if (g.each[i].rc < 0)
			rc = err_set(e, -g.each[i].rc, "%s", g.each[i].e.text);
	}
	free(g.each);
	if (n == 0)
		return rc;
	*h = n == 1 ? good[0] : gather_new(o->place, good, n);
	return 0;
}

const struct foreign_format litestream05_format = {
	.name = "litestream",
	.about = "replicas of SQLite databases by Litestream 0.5 (LTX)",
	.marks = "ltx/<level>/, 0000/<from>-<to>.ltx",
	.look = litestream05_look,
	.open = open_all,
};
