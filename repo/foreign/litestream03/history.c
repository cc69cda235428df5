/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/foreign/litestream03/history.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/base/log.h"
#include "repo/foreign/litestream03/database.h"
#include "repo/foreign/litestream03/id.h"
#include "repo/foreign/litestream03/inventory.h"
#include "repo/foreign/points.h"

struct ls03_history {
	struct history history;
	struct foreign_place *place;
	char *host;
	struct ls03_inventory **roots;
	size_t n_roots;
	pthread_mutex_t lock; /* a leaf; guards listing */
	struct history_listing *listing;
};

static struct ls03_history *
own(struct history *h)
{
	return (struct ls03_history *)h;
}

/* -- Listings ------------------------------------------------------------- */

static struct history_listing *
listing(struct history *h)
{
	auto_lock(&own(h)->lock);

	return history_listing_get(own(h)->listing);
}

struct adding {
	struct points *points;
	uint64_t n; /* generations so far */
};

static void
add_generation(void *ctx, const struct ls03_seen *g)
{
	struct adding *a = ctx;

	for (size_t i = 0; i < g->n; i++) {
		const struct ls03_object *o = &g->snapshots[i];
		char id[HISTORY_ID_MAX + 1];
		struct points_item item = { .id = id,
			.time_ns = o->written_ns,
			.seq = a->n << 32 | o->index,
			.begins = i == 0,
			.totals = { .entries = 2, .files = 2 } };

		ls03_id_snapshot(id, g->name, o);
		ls03_database_root_at(o->written_ns, &item.root);
		item.totals.newest_ns = o->written_ns;
		points_add(a->points, &item);
	}
	a->n++;
}

/* The listing of what the inventories hold. */
static void
publish(struct ls03_history *h)
{
	auto_points struct points *p = points_new();
	struct history_listing *before = listing(&h->history), *new, *old;

	for (size_t i = 0; i < h->n_roots; i++) {
		struct adding a = { .points = p };

		points_source(p, h->host,
			ls03_inventory_replica(h->roots[i])->name,
			HISTORY_DATABASE);
		ls03_inventory_each(h->roots[i], add_generation, &a);
	}
	new = points_listing(p, before);
	history_listing_put(before);
	auto_lock(&h->lock);

	old = h->listing;
	h->listing = new;
	history_listing_put(old);
}

static int
refresh(struct history *h, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; i < own(h)->n_roots && rc == 0; i++)
		rc = ls03_inventory_refresh(own(h)->roots[i], e);
	if (rc == 0)
		publish(own(h));
	return rc;
}

/* -- Moments -------------------------------------------------------------- */

/* A generation of a listing, as it is now. */
struct generation {
	struct ls03 *r; /* borrowed */
	struct ls03_timeline *t;
	size_t n_states; /* that build on snapshots of the listing */
	unsigned slot;
	uint32_t source, number;
};

static void
generation_release(struct generation *g)
{
	ls03_timeline_put(g->t);
}
#define auto_generation AUTO(generation_release)

static struct ls03_inventory *
inventory_of(
	struct ls03_history *h, const struct history_listing *l, size_t source)
{
	for (size_t i = 0; i < h->n_roots; i++)
		if (strcmp(ls03_inventory_replica(h->roots[i])->name,
			    l->sources[source].name) == 0)
			return h->roots[i];
	return NULL;
}

/* States that build on a snapshot behind the listing's last are not told. */
static size_t
known_states(const struct ls03_timeline *t, uint32_t last_index)
{
	size_t n = t->n_states;

	while (n > 0) {
		size_t base = ls03_timeline_base(t, n - 1);

		if (ls03_timeline_index(t, base) <= last_index)
			break;
		n = base;
	}
	return n;
}

static int
load(struct ls03_history *h, const struct history_listing *l, size_t number,
	struct generation *g, struct err *e)
{
	const struct history_generation *hg = &l->generations[number];
	const struct history_point *first = &l->points[hg->first_point];
	struct ls03_inventory *v = inventory_of(h, l, hg->source);
	struct ls03_id last;
	int rc;

	if (!v || !ls03_id_parse(first[hg->n_points - 1].id, &last))
		return err_set(e, ESTALE, "%s has been removed", hg->name);
	rc = ls03_inventory_timeline(v, last.generation, &g->t, &g->slot, e);
	if (rc < 0)
		return rc;
	g->r = ls03_inventory_replica(v);
	g->n_states = known_states(g->t, last.index);
	g->source = hg->source;
	g->number = (uint32_t)number;
	return 0;
}

static void
fill(const struct generation *g, size_t state, struct history_point *p)
{
	*p = (struct history_point){ .time_ns = g->t->states[state].time_ns,
		.seq = ls03_id_seq(g->t, state),
		.source = g->source,
		.generation = g->number,
		.totals = { .entries = 2, .files = 2 },
		.key = ls03_id_key(g->t, state, g->slot) };
	p->totals.newest_ns = p->time_ns;
	ls03_id_print(p->id, g->t, state);
	ls03_database_root_at(p->time_ns, &p->root);
}

static int
moments(struct history *h, const struct history_listing *l, size_t generation,
	int64_t from_ns, history_each *each, void *ctx, struct err *e)
{
	auto_generation struct generation g = { .t = NULL };
	struct history_point p;
	int rc = load(own(h), l, generation, &g, e);
	size_t i;

	if (rc < 0)
		return rc;
	i = from_ns == INT64_MIN ? 0 : ls03_timeline_until(g.t, from_ns - 1);
	for (; i < g.n_states; i++) {
		fill(&g, i, &p);
		if (!each(ctx, &p))
			break;
	}
	return 0;
}

static int
moment_at(struct history *h, const struct history_listing *l, size_t source,
	int64_t t_ns, struct history_point *p, struct err *e)
{
	const struct history_source *s = &l->sources[source];

	for (size_t i = s->n_generations; i-- > 0;) {
		size_t number = s->first_generation + i, n;
		auto_generation struct generation g = { .t = NULL };
		int rc;

		if (l->points[l->generations[number].first_point].time_ns >
			t_ns)
			continue;
		rc = load(own(h), l, number, &g, e);
		if (rc < 0)
			return rc;
		n = ls03_timeline_until(g.t, t_ns);
		if (n > g.n_states)
			n = g.n_states;
		if (n == 0)
			continue;
		fill(&g, n - 1, p);
		return 0;
	}
	return err_set(
		e, ENOENT, "%s/%s has nothing so early", s->host, s->name);
}

static size_t
find_generation(
	const struct history_listing *l, size_t source, const char *name)
{
	const struct history_source *s = &l->sources[source];

	for (size_t i = 0; i < s->n_generations; i++) {
		size_t number = s->first_generation + i;
		const struct history_generation *g = &l->generations[number];

		if (strncmp(l->points[g->first_point].id, name,
			    LS03_GENERATION_LEN) == 0)
			return number;
	}
	return HISTORY_NONE;
}

/* The state that an id of a generation names; *g is filled in. */
static int
find_state(struct ls03_history *h, const struct history_listing *l,
	size_t source, const char *text, struct generation *g, size_t *state,
	struct err *e)
{
	struct ls03_id id;
	size_t number = HISTORY_NONE;
	int rc = 0;

	if (ls03_id_parse(text, &id))
		number = find_generation(l, source, id.generation);
	if (number != HISTORY_NONE)
		rc = load(h, l, number, g, e);
	if (rc < 0)
		return rc;
	if (number == HISTORY_NONE ||
		!ls03_id_find(g->t, g->n_states, &id, state))
		return err_set(e, ENOENT, "no moment has the id %s", text);
	return 0;
}

static int
moment_by_id(struct history *h, const struct history_listing *l, size_t source,
	const char *id, struct history_point *p, struct err *e)
{
	auto_generation struct generation g = { .t = NULL };
	size_t state;
	int rc = find_state(own(h), l, source, id, &g, &state, e);

	if (rc == 0)
		fill(&g, state, p);
	return rc;
}

/* -- Opening -------------------------------------------------------------- */

static int
open_moment(struct history *h, const struct history_listing *l,
	const struct history_point *p, struct view **view, struct err *e)
{
	auto_generation struct generation g = { .t = NULL };
	size_t state;
	int rc = find_state(own(h), l, p->source, p->id, &g, &state, e);

	if (rc == -ENOENT)
		return err_set(e, ESTALE, "%s has been removed", p->id);
	return rc < 0 ? rc : ls03_database_open(g.r, g.t, state, view, e);
}

static int
open_point(struct history *h, const struct history_listing *l, size_t point,
	struct view **view, struct err *e)
{
	return open_moment(h, l, &l->points[point], view, e);
}

static void
stats(struct history *h, struct history_stats *s)
{
	*s = (struct history_stats){ .store_gets = 0 };
	foreign_place_stats(own(h)->place, s);
}

static void
history_op_free(struct history *h)
{
	struct ls03_history *x = own(h);

	for (size_t i = 0; i < x->n_roots; i++)
		ls03_inventory_free(x->roots[i]);
	free(x->roots);
	free(x->host);
	if (x->listing)
		history_listing_put(x->listing);
	foreign_place_unname(h);
	foreign_place_put(x->place);
	pthread_mutex_destroy(&x->lock);
	free(x);
}

static const struct history_ops ops = {
	.listing = listing,
	.refresh = refresh,
	.open = open_point,
	.stats = stats,
	.free = history_op_free,
	.moments = moments,
	.moment_at = moment_at,
	.moment_by_id = moment_by_id,
	.open_moment = open_moment,
};

/* A replica that cannot be listed is left out, unless it is the only one. */
static int
add_root(struct ls03_history *h, const struct foreign_open *o,
	const struct foreign_root *root, struct err *e)
{
	struct ls03_inventory *v;
	struct ls03 *r;
	int rc = ls03_new(o->place, root->prefix, root->name, &r, e);

	if (rc < 0)
		return rc;
	v = ls03_inventory_new(r);
	ls03_put(r);
	rc = ls03_inventory_refresh(v, e);
	if (rc < 0) {
		ls03_inventory_free(v);
		return rc;
	}
	h->roots = xrealloc(h->roots, (h->n_roots + 1) * sizeof(*h->roots));
	h->roots[h->n_roots++] = v;
	return 0;
}

static int
add_roots(struct ls03_history *h, const struct foreign_open *o, struct err *e)
{
	for (size_t i = 0; i < o->n_roots; i++) {
		struct err why = ERR_INIT;
		int rc = add_root(h, o, &o->roots[i], &why);

		if (rc == -EINTR || (rc < 0 && o->n_roots == 1))
			return err_set(e, -rc, "%s", why.text);
		if (rc < 0)
			log_warn("%s is not shown: %s", o->roots[i].prefix,
				why.text);
	}
	return 0;
}

static int
open_format(const struct foreign_open *o, struct history **h, struct err *e)
{
	struct ls03_history *x = xcalloc(1, sizeof(*x));
	auto_points struct points *none = points_new();
	int rc;

	x->history.ops = &ops;
	x->place = foreign_place_get(o->place);
	x->host = xstrdup(o->host);
	x->listing = points_listing(none, NULL);
	pthread_mutex_init(&x->lock, NULL);
	foreign_place_name(o->place, &x->history);
	rc = add_roots(x, o, e);
	if (rc < 0) {
		history_free(&x->history);
		return rc;
	}
	publish(x);
	*h = &x->history;
	return 0;
}

/* -- Recognising ---------------------------------------------------------- */

static int
look(struct foreign_look *k, struct err *e)
{
	const struct foreign_names *names;
	int rc = foreign_look_names(k, "", &names, e);

	if (rc < 0 || !foreign_names_have(names, "generations/"))
		return rc;
	rc = foreign_look_names(k, "generations/", &names, e);
	for (size_t i = 0; i < names->n && rc == 0; i++)
		if (ls03_name_is_generation(names->names[i]) &&
			names->names[i][LS03_GENERATION_LEN] == '/')
			return 1;
	return rc;
}

const struct foreign_format litestream03 = {
	.name = "litestream-0.3",
	.about = "replicas of Litestream 0.3 (snapshots and WAL segments, LZ4)",
	.marks = "generations/<16 digits>/",
	.look = look,
	.open = open_format,
};
