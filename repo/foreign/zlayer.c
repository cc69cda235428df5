/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/foreign/zlayer.h"

#include <sys/stat.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/foreign/listed.h"
#include "repo/foreign/points.h"
#include "repo/foreign/stem.h"
#include "repo/foreign/zlayer_database.h"
#include "repo/foreign/zlayer_proof.h"
#include "repo/foreign/zlayer_raw.h"

#define HOST "zlayer"
#define RAW ".wal"

struct zlayer {
	struct stem stem;	    /* first */
	pthread_mutex_t lock;	    /* a leaf: */
	struct zlayer_roll **rolls; /* one a root, or NULL */
};

static struct zlayer *
own(struct history *h)
{
	return (struct zlayer *)stem_of(h);
}

/* -- The listing ------------------------------------------------------------
 */

static void
database_root(struct view_attr *a, int64_t time_ns)
{
	listed_root_attr(a, time_ns);
	a->nlink = 2;
}

static void
add_snapshots(struct points *p, const struct zlayer_roll *r)
{
	for (size_t i = 0; i < r->n_snapshots; i++) {
		const struct zlayer_snapshot *s = &r->snapshots[i];
		struct points_item it = { .id = s->stamp,
			.time_ns = s->time_ns,
			.seq = (uint64_t)s->time_ns,
			.begins = true,
			.totals = { .entries = 2, .files = 2 } };

		database_root(&it.root, it.time_ns);
		it.totals.newest_ns = it.time_ns;
		points_add(p, &it);
	}
}

static void
add_wals(struct points *p, const struct zlayer_roll *r)
{
	for (size_t i = 0; i < r->n_wals; i++) {
		const struct zlayer_wal *w = &r->wals[i];
		char id[HISTORY_ID_MAX + 1];
		struct points_item it = { .id = id,
			.time_ns = w->o.modified_ns,
			.seq = i,
			.totals = { .entries = 1, .files = 1 } };

		if (w->o.modified_ns == STORE_TIME_UNKNOWN)
			it.time_ns = 0;
		snprintf(id, sizeof(id), "wal-%020" PRIu64, w->number);
		it.totals.bytes = w->o.size;
		it.totals.newest_ns = it.time_ns;
		listed_root_attr(&it.root, it.time_ns);
		points_add(p, &it);
	}
}

/* What was proved stays, as long as nothing changes. */
static void
keep_roll(struct zlayer *z, size_t root, struct zlayer_roll *r)
{
	struct zlayer_roll *old;

	pthread_mutex_lock(&z->lock);
	old = z->rolls[root];
	if (old && zlayer_roll_same(old, r))
		old = r;
	else
		z->rolls[root] = r;
	pthread_mutex_unlock(&z->lock);
	zlayer_roll_put(old);
}

static int
look(struct stem *s, struct history_listing *before, struct history_listing **l,
	struct err *e)
{
	struct zlayer *z = (struct zlayer *)s;
	auto_points struct points *p = points_new();

	if (!z->rolls)
		z->rolls = xcalloc(s->n_roots, sizeof(struct zlayer_roll *));
	for (size_t i = 0; i < s->n_roots; i++) {
		const struct foreign_root *root = &s->roots[i];
		auto_free char *raw = xasprintf("%s" RAW, root->name);
		struct zlayer_roll *r;
		int rc = zlayer_roll_load(s->store, root->prefix, &r, e);

		if (rc)
			return rc;
		points_source(p, HOST, root->name, HISTORY_DATABASE);
		add_snapshots(p, r);
		points_source(p, HOST, raw, HISTORY_TREE);
		add_wals(p, r);
		keep_roll(z, i, r);
	}
	*l = points_listing(p, before);
	return 0;
}

/* -- Replicas of sources ------------------------------------------------------
 */

/* What a call works on. */
struct work {
	struct zlayer_replica z; /* its roll counted */
	const char *name;	 /* of the database */
	bool raw;		 /* the source is that of logs */
};

static void
end(struct work *w)
{
	zlayer_roll_put(w->z.roll);
}

#define auto_work AUTO(end)

static struct zlayer_roll *
roll_of(struct zlayer *z, const char *source, struct work *w)
{
	auto_lock(&z->lock);

	for (size_t i = 0; i < z->stem.n_roots; i++) {
		const char *name = z->stem.roots[i].name;
		size_t len = strlen(name);

		if (strncmp(source, name, len) || !z->rolls[i])
			continue;
		w->raw = !strcmp(source + len, RAW);
		w->name = name;
		if (source[len] == '\0' || w->raw)
			return zlayer_roll_get(z->rolls[i]);
	}
	return NULL;
}

static int
begin(struct history *h, const struct history_listing *l, size_t source,
	struct work *w, struct err *e)
{
	struct zlayer *z = own(h);
	const char *name = l->sources[source].name;

	w->z.store = z->stem.store;
	w->z.roll = roll_of(z, name, w);
	if (!w->z.roll)
		return err_set(e, ESTALE, HOST "/%s is gone", name);
	return foreign_place_kept(z->stem.place, &w->z.kept, e);
}

/* -- Moments ----------------------------------------------------------------
 */

static size_t
find_snapshot(const struct zlayer_roll *r, const char *stamp, size_t len)
{
	for (size_t i = 0; i < r->n_snapshots; i++) {
		if (len == ZLAYER_STAMP_LEN &&
			memcmp(r->snapshots[i].stamp, stamp, len) == 0)
			return i;
	}
	return ZLAYER_NONE;
}

/* The generation of a listing that snapshot i begins, or HISTORY_NONE. */
static size_t
generation_of(const struct history_listing *l, size_t source,
	const struct zlayer_roll *r, size_t i)
{
	const struct history_source *s = &l->sources[source];

	for (uint32_t k = 0; k < s->n_points; k++) {
		if (!strcmp(l->points[s->first_point + k].id,
			    r->snapshots[i].stamp))
			return l->points[s->first_point + k].generation;
	}
	return HISTORY_NONE;
}

static uint64_t
hash48(const char *text)
{
	uint64_t h = 14695981039346656037ULL;

	for (; *text; text++)
		h = (h ^ (unsigned char)*text) * 1099511628211ULL;
	/* above the keys of snapshots */
	return 1ULL << 47 | (h >> 17);
}

/* The moment that snapshot i is, or log w over it. */
static void
fill(const struct zlayer_roll *r, size_t i, size_t w, size_t source,
	size_t generation, struct history_point *p)
{
	const struct zlayer_snapshot *s = &r->snapshots[i];

	*p = (struct history_point){ .time_ns = s->time_ns,
		.seq = (uint64_t)s->time_ns,
		.source = (uint32_t)source,
		.generation = (uint32_t)generation,
		.totals = { .entries = 2, .files = 2 } };
	snprintf(p->id, sizeof(p->id), "%s", s->stamp);
	if (w != ZLAYER_NONE) {
		snprintf(p->id, sizeof(p->id), "%s-%" PRIu64, s->stamp,
			r->wals[w].number);
		if (r->wals[w].o.modified_ns > p->time_ns)
			p->time_ns = r->wals[w].o.modified_ns;
		/* no two logs of one time are more than 2^20 */
		p->seq = (uint64_t)p->time_ns + 1 + w % (1u << 20);
	}
	p->totals.newest_ns = p->time_ns;
	p->key = hash48(p->id);
	database_root(&p->root, p->time_ns);
}

static int
moments(struct history *h, const struct history_listing *l, size_t generation,
	int64_t from_ns, history_each *each, void *ctx, struct err *e)
{
	const struct history_generation *g = &l->generations[generation];
	auto_work struct work k = { .raw = false };
	struct history_point p;
	int r = begin(h, l, g->source, &k, e);
	size_t i = ZLAYER_NONE;

	if (!r)
		i = find_snapshot(k.z.roll, l->points[g->first_point].id,
			strlen(l->points[g->first_point].id));
	if (i == ZLAYER_NONE)
		return r;
	fill(k.z.roll, i, ZLAYER_NONE, g->source, generation, &p);
	bool more = p.time_ns < from_ns || each(ctx, &p);

	for (size_t w = 0; more && !r && w < k.z.roll->n_wals; w++) {
		size_t joins;

		r = zlayer_proof_joins(&k.z, w, &joins, e);
		if (r || joins != i)
			continue;
		fill(k.z.roll, i, w, g->source, generation, &p);
		more = p.time_ns < from_ns || each(ctx, &p);
	}
	return r;
}

/* Whether snapshot i is the newest state of its time: 1, 0, -errno. */
static int
is_news(const struct zlayer_replica *z, size_t i, struct err *e)
{
	bool behind = false;
	int r = zlayer_proof_behind(z, i, &behind, e);

	return r ? r : !behind;
}

/* The state at a time: snapshots and logs merged, from the newest down. */
static int
find_at(const struct zlayer_replica *z, int64_t t_ns, size_t *i, size_t *w,
	struct err *e)
{
	const struct zlayer_roll *r = z->roll;
	size_t s = r->n_snapshots, n = r->n_wals;

	for (;;) {
		int rc;

		while (s > 0 && r->snapshots[s - 1].time_ns > t_ns)
			s--;
		while (n > 0 && r->wals[n - 1].o.modified_ns > t_ns)
			n--;
		if (s == 0)
			return -ENOENT; /* logs follow snapshots */
		*i = s - 1;
		*w = ZLAYER_NONE;
		if (n > 0 && r->wals[n - 1].o.modified_ns >=
				     r->snapshots[s - 1].time_ns) {
			*w = --n;
			rc = zlayer_proof_joins(z, *w, i, e);
			rc = rc ? rc : *i != ZLAYER_NONE;
		} else {
			s--;
			rc = is_news(z, *i, e);
		}
		if (rc)
			return rc < 0 ? rc : 0;
	}
}

static int
moment_at(struct history *h, const struct history_listing *l, size_t source,
	int64_t t_ns, struct history_point *p, struct err *e)
{
	auto_work struct work k = { .raw = false };
	size_t i, w, g = HISTORY_NONE;
	int r = begin(h, l, source, &k, e);

	if (!r)
		r = find_at(&k.z, t_ns, &i, &w, e);
	if (!r)
		g = generation_of(l, source, k.z.roll, i);
	if (r == -ENOENT || (!r && g == HISTORY_NONE))
		return err_set(e, ENOENT, HOST "/%s has nothing so early",
			l->sources[source].name);
	if (!r)
		fill(k.z.roll, i, w, source, g, p);
	return r;
}

/* "STAMP" or "STAMP-NUMBER" of a state that there is. */
static int
find_id(const struct zlayer_replica *z, const char *id, size_t *i, size_t *w,
	struct err *e)
{
	const struct zlayer_roll *r = z->roll;
	size_t len = strcspn(id, "-");
	uint64_t number;
	char again[HISTORY_ID_MAX + 1];

	*w = ZLAYER_NONE;
	*i = find_snapshot(r, id, len);
	if (*i == ZLAYER_NONE ||
		(id[len] && sscanf(id + len + 1, "%" SCNu64, &number) != 1))
		return err_set(e, ENOENT, "no moment has the id %s", id);
	if (!id[len])
		return 0;
	snprintf(again, sizeof(again), "%s-%" PRIu64, r->snapshots[*i].stamp,
		number);
	for (size_t k = 0; k < r->n_wals && !strcmp(again, id); k++) {
		size_t joins;
		int rc;

		if (r->wals[k].number != number)
			continue;
		rc = zlayer_proof_joins(z, k, &joins, e);
		if (rc)
			return rc;
		*w = joins == *i ? k : ZLAYER_NONE;
	}
	if (*w == ZLAYER_NONE)
		return err_set(e, ENOENT, "no moment has the id %s", id);
	return 0;
}

static int
moment_by_id(struct history *h, const struct history_listing *l, size_t source,
	const char *id, struct history_point *p, struct err *e)
{
	auto_work struct work k = { .raw = false };
	size_t i, w, g = HISTORY_NONE;
	int r = begin(h, l, source, &k, e);

	if (!r)
		r = find_id(&k.z, id, &i, &w, e);
	if (!r)
		g = generation_of(l, source, k.z.roll, i);
	if (!r && g == HISTORY_NONE)
		return err_set(e, ENOENT, "no moment has the id %s", id);
	if (!r)
		fill(k.z.roll, i, w, source, g, p);
	return r;
}

/* -- Opening ----------------------------------------------------------------
 */

static void
release(void *stem)
{
	stem_put(stem);
}

static int
open_database(struct zlayer *z, const struct work *k, size_t i, size_t w,
	struct view **view, struct err *e)
{
	struct database *d;
	int r = zlayer_proof_sound(&k->z, i, e);

	if (!r)
		r = zlayer_database_new(&k->z, i, w, k->name, &d, e);
	if (r)
		return r;
	zlayer_database_on_free(d, release, stem_get(&z->stem));
	return database_view_new(d, view, e);
}

static int
open_moment(struct history *h, const struct history_listing *l,
	const struct history_point *p, struct view **view, struct err *e)
{
	auto_work struct work k = { .raw = false };
	size_t i, w;
	int r = begin(h, l, p->source, &k, e);

	if (!r)
		r = find_id(&k.z, p->id, &i, &w, e);
	if (r == -ENOENT)
		return err_set(e, ESTALE, "%s has been removed", p->id);
	return r ? r : open_database(own(h), &k, i, w, view, e);
}

static int
open_raw(struct zlayer *z, const struct work *k, const char *id,
	struct view **view, struct err *e)
{
	const struct zlayer_roll *r = k->z.roll;
	auto_free char *label = xasprintf(HOST "/%s" RAW "@%s", k->name, id);
	uint64_t number = UINT64_MAX;

	if (sscanf(id, "wal-%" SCNu64, &number) == 1) {
		for (size_t w = 0; w < r->n_wals; w++) {
			if (r->wals[w].number != number)
				continue;
			zlayer_raw_open(&z->stem, r, w, label, view);
			return 0;
		}
	}
	return err_set(e, ESTALE, "%s has been removed", label);
}

static int
open_(struct history *h, const struct history_listing *l, size_t point,
	struct view **view, struct err *e)
{
	const struct history_point *p = &l->points[point];
	auto_work struct work k = { .raw = false };
	int r = begin(h, l, p->source, &k, e);

	if (r)
		return r;
	return k.raw ? open_raw(own(h), &k, p->id, view, e)
		     : open_moment(h, l, p, view, e);
}

/* -- Recognising and opening --------------------------------------------------
 */

static void
free_(struct stem *s)
{
	struct zlayer *z = (struct zlayer *)s;

	for (size_t i = 0; z->rolls && i < s->n_roots; i++)
		zlayer_roll_put(z->rolls[i]);
	free(z->rolls);
	pthread_mutex_destroy(&z->lock);
	free(z);
}

static const struct history_ops ops = {
	.listing = stem_listing,
	.refresh = stem_refresh,
	.open = open_,
	.stats = stem_stats,
	.free = stem_free,
	.moments = moments,
	.moment_at = moment_at,
	.moment_by_id = moment_by_id,
	.open_moment = open_moment,
};

static int
has_objects(struct foreign_look *k, const char *folder, struct err *e)
{
	const struct foreign_names *names;
	int r = foreign_look_names(k, folder, &names, e);

	for (size_t i = 0; !r && i < names->n; i++) {
		auto_free char *name =
			xasprintf("%s%s", folder, names->names[i]);

		if (zlayer_roll_is_name(name))
			return 1;
	}
	return r;
}

static int
look_for_replica(struct foreign_look *k, struct err *e)
{
	const struct foreign_names *names;
	int r = foreign_look_names(k, "", &names, e);

	if (!r && foreign_names_have(names, "snapshots/"))
		r = has_objects(k, "snapshots/", e);
	if (!r && foreign_names_have(names, "wal/"))
		r = has_objects(k, "wal/", e);
	return r;
}

static int
open_replicas(const struct foreign_open *o, struct history **h, struct err *e)
{
	struct zlayer *z = xcalloc(1, sizeof(*z));

	z->stem.history.ops = &ops;
	z->stem.look = look;
	z->stem.free = free_;
	pthread_mutex_init(&z->lock, NULL);
	return stem_open(&z->stem, o, h, e);
}

const struct foreign_format zlayer_format = {
	.name = HOST,
	.about = "replicas of zlayer-storage: SQLite snapshots and logs, zstd",
	.marks = "snapshots/YYYYMMDD_HHMMSS.sqlite.zst",
	.look = look_for_replica,
	.open = open_replicas,
};
