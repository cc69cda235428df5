/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/foreign/tito.h"

#include <errno.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/foreign/listed.h"
#include "repo/foreign/points.h"
#include "repo/foreign/stem.h"
#include "repo/foreign/tito_roll.h"
#include "repo/foreign/tito_view.h"

#define HOST "tito"
#define UNFINISHED ".unfinished"

struct tito {
	struct stem stem;	  /* first */
	pthread_mutex_t lock;	  /* a leaf: */
	struct tito_roll **rolls; /* one a root, or NULL */
	/* one state at a time is made */
	pthread_mutex_t making;
};

static struct tito *
tito_of(struct stem *s)
{
	return (struct tito *)s;
}

/* -- The listing ------------------------------------------------------------
 */

static void
add_points(struct points *p, const struct tito_roll *r, bool unfinished)
{
	for (size_t i = 0; i < r->n_points; i++) {
		const struct tito_point *x = &r->points[i];
		struct points_item it = { .id = x->id,
			.time_ns = x->time_ns,
			.seq = 2 * r->stamps[x->last].seconds +
			       !r->stamps[x->last].full,
			.begins = x->full == x->last,
			.damaged = x->broken };

		if (x->unfinished != unfinished)
			continue;
		listed_root_attr(&it.root, it.time_ns);
		points_add(p, &it);
	}
}

static void
keep_roll(struct tito *t, size_t root, struct tito_roll *r)
{
	struct tito_roll *old;

	pthread_mutex_lock(&t->lock);
	old = t->rolls[root];
	t->rolls[root] = r;
	pthread_mutex_unlock(&t->lock);
	if (old)
		tito_roll_put(old);
}

static int
look_at_root(struct tito *t, struct points *p, size_t i, struct err *e)
{
	const struct foreign_root *root = &t->stem.roots[i];
	auto_free char *unfinished = xasprintf("%s" UNFINISHED, root->name);
	struct tito_roll *r;
	int rc = tito_roll_load(
		t->stem.store, root->prefix, t->rolls[i] != NULL, &r, e);

	if (rc)
		return rc;
	points_source(p, HOST, root->name, HISTORY_TREE);
	add_points(p, r, false);
	points_source(p, HOST, unfinished, HISTORY_TREE);
	add_points(p, r, true);
	keep_roll(t, i, r);
	return 0;
}

static int
look(struct stem *s, struct history_listing *before, struct history_listing **l,
	struct err *e)
{
	struct tito *t = tito_of(s);
	auto_points struct points *p = points_new();

	if (!t->rolls)
		t->rolls = xcalloc(s->n_roots, sizeof(struct tito_roll *));
	for (size_t i = 0; i < s->n_roots; i++) {
		struct err why = ERR_INIT;
		int r = look_at_root(t, p, i, &why);

		if (r && !stem_does_without(s, r, &why))
			return err_set(e, -r, "%s", why.text);
	}
	*l = points_listing(p, before);
	return 0;
}

/* -- Opening ----------------------------------------------------------------
 */

/* What is known of the root that a source is of; counted. */
static struct tito_roll *
roll_of(struct tito *t, const char *source, bool *unfinished)
{
	auto_lock(&t->lock);

	for (size_t i = 0; i < t->stem.n_roots; i++) {
		const char *name = t->stem.roots[i].name;
		size_t len = strlen(name);

		if (strncmp(source, name, len) || !t->rolls[i])
			continue;
		*unfinished = !strcmp(source + len, UNFINISHED);
		if (source[len] == '\0' || *unfinished)
			return tito_roll_get(t->rolls[i]);
	}
	return NULL;
}

static int
open_(struct history *h, const struct history_listing *l, size_t point,
	struct view **view, struct err *e)
{
	struct tito *t = tito_of(stem_of(h));
	const struct history_point *p = &l->points[point];
	const char *source = l->sources[p->source].name;
	bool unfinished = false;
	auto_tito_roll struct tito_roll *r = roll_of(t, source, &unfinished);
	auto_free char *label = xasprintf(HOST "/%s@%s", source, p->id);

	for (size_t i = 0; r && i < r->n_points; i++) {
		if (r->points[i].unfinished != unfinished ||
			strcmp(r->points[i].id, p->id) != 0)
			continue;
		auto_lock(&t->making);

		return tito_view_open(&t->stem, r, i, label, view, e);
	}
	return err_set(e, ESTALE, "%s has been removed", label);
}

static void
free_(struct stem *s)
{
	struct tito *t = tito_of(s);

	/* stem has released its roots, of which there were as many */
	for (size_t i = 0; t->rolls && i < s->n_roots; i++) {
		if (t->rolls[i])
			tito_roll_put(t->rolls[i]);
	}
	free(t->rolls);
	pthread_mutex_destroy(&t->lock);
	pthread_mutex_destroy(&t->making);
	free(t);
}

static const struct history_ops ops = {
	.listing = stem_listing,
	.refresh = stem_refresh,
	.open = open_,
	.stats = stem_stats,
	.free = stem_free,
};

/* -- Recognising and opening --------------------------------------------------
 */

/* Whether a folder holds folders whose names are numbers. */
static int
has_stamps(struct foreign_look *k, const char *below, struct err *e)
{
	const struct foreign_names *names;
	int r = foreign_look_names(k, below, &names, e);

	for (size_t i = 0; !r && i < names->n; i++) {
		const char *name = names->names[i];
		size_t digits = strspn(name, "0123456789");

		if (digits > 0 && strcmp(name + digits, "/") == 0)
			return 1;
	}
	return r;
}

static int
look_for_backups(struct foreign_look *k, struct err *e)
{
	const struct foreign_names *names;
	int r = foreign_look_names(k, "", &names, e);

	if (r)
		return r;
	if (foreign_names_have(names, "LATEST_STATE_FULL"))
		return 1;
	if (foreign_names_have(names, "full/")) {
		r = has_stamps(k, "full/", e);
		if (r)
			return r;
	}
	return foreign_names_have(names, "LATEST_FULL") &&
	       foreign_names_have(names, "changelog/");
}

static int
open_backups(const struct foreign_open *o, struct history **h, struct err *e)
{
	struct tito *t = xcalloc(1, sizeof(*t));

	t->stem.history.ops = &ops;
	t->stem.look = look;
	t->stem.free = free_;
	pthread_mutex_init(&t->lock, NULL);
	pthread_mutex_init(&t->making, NULL);
	return stem_open(&t->stem, o, h, e);
}

const struct foreign_format tito_format = {
	.name = HOST,
	.about = "backups of tito 0.4, a key-value store: keys become files",
	.marks = "full/SECONDS/chunk-NNNN.json.gz",
	.look = look_for_backups,
	.open = open_backups,
};
