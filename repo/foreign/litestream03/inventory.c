/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Only the newest generation grows.  Of a generation that was known, what comes
 * behind its last log's beginning is listed anew, because that log may have
 * grown; segments before it were uploaded in order, and those that are deleted
 * go with the snapshots that they follow.
 */
#include "repo/foreign/litestream03/inventory.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/base/log.h"

struct generation {
	char name[LS03_GENERATION_LEN + 1];
	unsigned slot;
	struct ls03_objects snapshots;	/* by index */
	struct ls03_timeline *timeline; /* NULL: not asked for yet */
	uint64_t asked; /* the refresh after which it was listed */
	bool settled;	/* listed when it was not the newest any more */
};

struct generations {
	struct generation *list; /* by the time of their first snapshot */
	size_t n;
};

struct ls03_inventory {
	struct ls03 *r;
	pthread_mutex_t lock; /* a leaf */
	struct generations now;
	uint64_t refreshes;
};

static void
generations_release(struct generations *g)
{
	for (size_t i = 0; i < g->n; i++) {
		ls03_objects_release(&g->list[i].snapshots);
		ls03_timeline_put(g->list[i].timeline);
	}
	free(g->list);
	*g = (struct generations){ .n = 0 };
}
#define auto_generations AUTO(generations_release)

struct ls03_inventory *
ls03_inventory_new(struct ls03 *r)
{
	struct ls03_inventory *v = xcalloc(1, sizeof(*v));

	v->r = ls03_get(r);
	pthread_mutex_init(&v->lock, NULL);
	return v;
}

void
ls03_inventory_free(struct ls03_inventory *v)
{
	if (!v)
		return;
	generations_release(&v->now);
	pthread_mutex_destroy(&v->lock);
	ls03_put(v->r);
	free(v);
}

struct ls03 *
ls03_inventory_replica(struct ls03_inventory *v)
{
	return v->r;
}

/* -- Listing -------------------------------------------------------------- */

struct listing {
	size_t skip; /* of names: up to the generation's */
	struct ls03_objects *snapshots, *segments; /* either may be NULL */
	struct generations *generations;
};

static bool
see_object(void *ctx, const struct store_object *o)
{
	struct listing *l = ctx;
	struct ls03_object new = { .size = o->size,
		.written_ns = o->modified_ns };
	struct ls03_name n;
	bool snapshot;

	if (!ls03_name_parse(o->name + l->skip, &n))
		return true;
	new.index = n.index;
	new.kind = n.kind;
	new.off = n.off;
	snapshot = n.kind == LS03_SNAPSHOT || n.kind == LS03_SNAPSHOT_16;
	if (snapshot && l->snapshots)
		ls03_objects_add(l->snapshots, &new);
	else if (!snapshot && l->segments)
		ls03_objects_add(l->segments, &new);
	return true;
}

static bool
see_generation(void *ctx, const struct store_object *o)
{
	struct listing *l = ctx;
	const char *name = o->name + l->skip;
	struct generations *g = l->generations;

	if (!ls03_name_is_generation(name) ||
		strcmp(name + LS03_GENERATION_LEN, "/") != 0)
		return true;
	g->list = xrealloc(g->list, (g->n + 1) * sizeof(*g->list));
	g->list[g->n] = (struct generation){ .asked = 0 };
	memcpy(g->list[g->n++].name, name, LS03_GENERATION_LEN);
	return true;
}

static size_t
skip_of(const struct ls03 *r)
{
	return strlen(r->prefix) + strlen("generations/");
}

static int
list_snapshots(struct ls03 *r, struct generation *g, struct err *e)
{
	auto_free char *prefix =
		xasprintf("%sgenerations/%s/snapshots/", r->prefix, g->name);
	struct listing l = { .skip = skip_of(r), .snapshots = &g->snapshots };

	return store_list_objects(
		r->place->store, prefix, "", see_object, &l, e);
}

static int
compare_generations(const void *left, const void *right)
{
	const struct generation *a = left, *b = right;
	int64_t x = a->snapshots.list[0].written_ns,
		y = b->snapshots.list[0].written_ns;

	return x != y ? (x < y ? -1 : 1) : strcmp(a->name, b->name);
}

static int
compare_index(const void *left, const void *right)
{
	const struct ls03_object *a = left, *b = right;

	return a->index < b->index ? -1 : a->index > b->index;
}

/* A generation that nothing can be built on, once a process. */
static void
say_without(struct ls03 *r, const char *generation)
{
	auto_lock(&r->lock);
	char **said = r->without;
	size_t n = 0;

	for (; said && said[n]; n++)
		if (strcmp(said[n], generation) == 0)
			return;
	r->without = xrealloc(said, (n + 2) * sizeof(*said));
	r->without[n] = xstrdup(generation);
	r->without[n + 1] = NULL;
	log_warn("%sgenerations/%s has no snapshot: nothing of it can be "
		 "shown",
		r->prefix, generation);
}

static int
list_generations(struct ls03 *r, struct generations *g, struct err *e)
{
	auto_free char *prefix = xasprintf("%sgenerations/", r->prefix);
	struct listing l = { .skip = skip_of(r), .generations = g };
	size_t kept = 0;
	int rc = store_list_folder(
		r->place->store, prefix, see_generation, &l, e);

	for (size_t i = 0; i < g->n && rc == 0; i++) {
		struct ls03_objects *s = &g->list[i].snapshots;

		rc = list_snapshots(r, &g->list[i], e);
		if (rc == 0 && s->n == 0)
			say_without(r, g->list[i].name);
		if (rc < 0 || s->n == 0)
			continue;
		qsort(s->list, s->n, sizeof(*s->list), compare_index);
		g->list[kept++] = g->list[i];
	}
	if (rc < 0)
		return rc;
	g->n = kept;
	if (kept > 0)
		qsort(g->list, kept, sizeof(*g->list), compare_generations);
	return 0;
}

/* -- Taking over what was known ------------------------------------------- */

static struct generation *
find(const struct generations *g, const char *name)
{
	for (size_t i = 0; i < g->n; i++)
		if (strcmp(g->list[i].name, name) == 0)
			return &g->list[i];
	return NULL;
}

static bool
slot_is_free(const struct generations *g, unsigned slot)
{
	for (size_t i = 0; i < g->n; i++)
		if (g->list[i].slot == slot)
			return false;
	return true;
}

/* A number of its own, which begins with its name so that it is most often the
 * same the next time. */
static unsigned
choose_slot(const struct generations *taken, const char *name)
{
	unsigned slot = (unsigned)strtoul(name + 14, NULL, 16) % LS03_SLOTS;

	for (unsigned i = 0; i < LS03_SLOTS; i++)
		if (slot_is_free(taken, (slot + i) % LS03_SLOTS))
			return (slot + i) % LS03_SLOTS;
	return slot;
}

static void
inherit(struct generations *new, const struct generations *old)
{
	for (size_t i = 0; i < new->n; i++)
		new->list[i].slot = LS03_SLOTS;
	for (size_t i = 0; i < new->n; i++) {
		struct generation *was = find(old, new->list[i].name);

		if (!was)
			continue;
		new->list[i].slot = was->slot;
		new->list[i].asked = was->asked;
		new->list[i].settled = was->settled;
		new->list[i].timeline = steal(was->timeline);
	}
	for (size_t i = 0; i < new->n; i++)
		if (new->list[i].slot == LS03_SLOTS)
			new->list[i].slot = choose_slot(new, new->list[i].name);
}

int
ls03_inventory_refresh(struct ls03_inventory *v, struct err *e)
{
	auto_generations struct generations new = { .n = 0 };
	struct generations old;
	int rc = list_generations(v->r, &new, e);

	if (rc < 0)
		return rc;
	auto_lock(&v->lock);

	inherit(&new, &v->now);
	old = v->now;
	v->now = new;
	new = old;
	v->refreshes++;
	return 0;
}

void
ls03_inventory_each(struct ls03_inventory *v,
	void (*each)(void *ctx, const struct ls03_seen *g), void *ctx)
{
	auto_lock(&v->lock);

	for (size_t i = 0; i < v->now.n; i++) {
		const struct generation *g = &v->now.list[i];
		const struct ls03_seen s = { .name = g->name,
			.slot = g->slot,
			.snapshots = g->snapshots.list,
			.n = g->snapshots.n };

		each(ctx, &s);
	}
}

/* -- Segments ------------------------------------------------------------- */

/* What is known of a generation before its segments are listed. */
struct known {
	struct ls03_objects snapshots;
	struct ls03_timeline *before; /* or NULL */
	uint64_t refreshes;
	unsigned slot;
	bool settled, newest;
	bool fresh; /* before is up to date */
};

static void
known_release(struct known *k)
{
	ls03_objects_release(&k->snapshots);
	ls03_timeline_put(k->before);
}
#define auto_known AUTO(known_release)

static bool
same_snapshots(const struct ls03_objects *a, const struct ls03_timeline *t)
{
	if (!t || a->n != t->n_snapshots)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (a->list[i].index != t->snapshots[i].index ||
			a->list[i].size != t->snapshots[i].size ||
			a->list[i].written_ns != t->snapshots[i].written_ns)
			return false;
	return true;
}

static int
look_up(struct ls03_inventory *v, const char *name, struct known *k,
	struct err *e)
{
	auto_lock(&v->lock);
	struct generation *g = find(&v->now, name);

	known_release(k);
	*k = (struct known){ .refreshes = v->refreshes };
	if (!g)
		return err_set(e, ESTALE, "%sgenerations/%s has been removed",
			v->r->prefix, name);
	k->newest = g == &v->now.list[v->now.n - 1];
	k->slot = g->slot;
	k->settled = g->settled && same_snapshots(&g->snapshots, g->timeline);
	if (k->settled)
		g->asked = v->refreshes;
	k->fresh = g->timeline && g->asked == v->refreshes;
	if (g->timeline)
		k->before = ls03_timeline_get(g->timeline);
	ls03_objects_copy(&k->snapshots, g->snapshots.list, g->snapshots.n);
	return 0;
}

/* What is known of the segments, and the name that they are listed after. */
static char *
begin_listing(const struct known *k, const char *prefix,
	struct ls03_objects *segments)
{
	const struct ls03_timeline *t = k->before;
	size_t n = t ? t->n_segments : 0;
	const struct ls03_object *last = n > 0 ? &t->segments[n - 1] : NULL;

	if (!last)
		return xstrdup("");
	while (n > 0 && t->segments[n - 1].index == last->index)
		n--;
	ls03_objects_copy(segments, t->segments, n);
	return last->kind == LS03_SEGMENT_16
		       ? xasprintf("%s%016" PRIx32, prefix, last->index)
		       : xasprintf("%s%08" PRIx32, prefix, last->index);
}

static int
list_segments(struct ls03 *r, const char *name, struct known *k,
	struct ls03_timeline **t, struct err *e)
{
	auto_free char *prefix =
		xasprintf("%sgenerations/%s/wal/", r->prefix, name);
	auto_ls03_objects struct ls03_objects segments = { .n = 0 };
	auto_free char *after = begin_listing(k, prefix, &segments);
	struct listing l = { .skip = skip_of(r), .segments = &segments };
	int rc = store_list_objects(
		r->place->store, prefix, after, see_object, &l, e);

	if (rc == 0)
		*t = ls03_timeline_new(name, &k->snapshots, &segments);
	return rc;
}

static void
store_timeline(struct ls03_inventory *v, const char *name,
	const struct known *k, struct ls03_timeline *t)
{
	auto_lock(&v->lock);
	struct generation *g = find(&v->now, name);

	if (!g)
		return;
	ls03_timeline_put(g->timeline);
	g->timeline = ls03_timeline_get(t);
	g->asked = k->refreshes;
	g->settled = !k->newest;
}

static int
update(struct ls03_inventory *v, const char *name, struct known *k,
	struct ls03_timeline **t, struct err *e)
{
	int rc = list_segments(v->r, name, k, t, e);

	if (rc == 0) {
		store_timeline(v, name, k, *t);
		return 0;
	}
	if (rc == -EINTR || !k->before)
		return rc;
	log_warn("%s: what is new in %sgenerations/%s cannot be listed: %s",
		v->r->place->store->name, v->r->prefix, name, e ? e->text : "");
	*t = ls03_timeline_get(k->before);
	return 0;
}

int
ls03_inventory_timeline(struct ls03_inventory *v, const char *generation,
	struct ls03_timeline **t, unsigned *slot, struct err *e)
{
	auto_known struct known k = { .before = NULL };
	auto_ls03_work struct ls03_work work = { .r = NULL };
	int rc = look_up(v, generation, &k, e);

	*slot = k.slot;
	if (rc == 0 && !k.fresh)
		rc = ls03_work_begin(v->r, generation, &work, e);
	if (rc == 0 && !k.fresh) /* by now somebody else may have asked */
		rc = look_up(v, generation, &k, e);
	if (rc < 0)
		return rc;
	if (!k.fresh)
		return update(v, generation, &k, t, e);
	*t = ls03_timeline_get(k.before);
	return 0;
}
