/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The views that were looked at last.  The search for the versions of one path
 * begins at the same snapshots as that of another one, and opening a view means
 * reading a record.  Of each the directory is remembered that was come through
 * last: who walks down a tree, or through a directory, goes on from there.
 */
#include <string.h>
#include "repo/base/buf.h"
#include "repo/versions/look.h"

#define VIEWS_MAX 64

struct kept_view {
	char id[HISTORY_ID_MAX + 1];
	uint64_t key;
	struct view *view; /* NULL: the place is free */
	uint64_t used;
	char *dir; /* path that way is of; NULL: none yet */
	struct versions_state way;
};

struct versions_views {
	pthread_mutex_t lock; /* guards everything below */
	struct kept_view kept[VIEWS_MAX];
	uint64_t tick;
};

struct versions_views *
versions_views_new(void)
{
	struct versions_views *vs = xcalloc(1, sizeof(*vs));

	pthread_mutex_init(&vs->lock, NULL);
	return vs;
}

void
versions_views_free(struct versions_views *vs)
{
	if (!vs)
		return;
	for (size_t i = 0; i < VIEWS_MAX; i++) {
		view_put(vs->kept[i].view);
		free(vs->kept[i].dir);
	}
	pthread_mutex_destroy(&vs->lock);
	free(vs);
}

/* With the lock. */
static struct kept_view *
find(struct versions_views *vs, const struct history_point *p)
{
	for (size_t i = 0; i < VIEWS_MAX; i++) {
		struct kept_view *k = &vs->kept[i];

		if (k->view && k->key == p->key && strcmp(k->id, p->id) == 0)
			return k;
	}
	return NULL;
}

static struct view *
take(struct versions_views *vs, const struct history_point *p)
{
	auto_lock(&vs->lock);
	struct kept_view *k = find(vs, p);

	if (k)
		k->used = ++vs->tick;
	return k ? view_get(k->view) : NULL;
}

/* What had its place is the caller's to let go of. */
static struct view *
keep(struct versions_views *vs, const struct history_point *p, struct view *v)
{
	struct kept_view *k = &vs->kept[0];
	struct view *old;
	auto_lock(&vs->lock);

	for (size_t i = 1; i < VIEWS_MAX; i++) {
		if (vs->kept[i].used < k->used)
			k = &vs->kept[i];
	}
	old = k->view;
	free(steal(k->dir));
	memcpy(k->id, p->id, sizeof(k->id));
	k->key = p->key;
	k->used = ++vs->tick;
	k->view = view_get(v);
	return old;
}

static const struct history_point *
point_of(const struct versions_query *q, uint32_t point)
{
	const struct history_listing *l = q->listing;

	return &l->points[l->sources[q->source].first_point + point];
}

size_t
versions_recall_way(const struct versions_query *q, struct versions_state *s)
{
	struct kept_view *k;
	size_t len;

	if (!q->views)
		return 0;
	auto_lock(&q->views->lock);
	k = find(q->views, point_of(q, s->point));
	if (!k || !k->dir || k->way.point != s->point)
		return 0;
	len = strlen(k->dir);
	if (strncmp(q->path, k->dir, len) != 0 || q->path[len] != '/')
		return 0;
	*s = k->way;
	return len + 1;
}

void
versions_keep_way(const struct versions_query *q,
	const struct versions_state *s, size_t len)
{
	struct kept_view *k;

	if (!q->views || len == 0)
		return;
	auto_lock(&q->views->lock);
	k = find(q->views, point_of(q, s->point));
	if (!k)
		return;
	free(k->dir);
	k->dir = xmemdup(q->path, len + 1);
	k->dir[len] = '\0';
	k->way = *s;
}

int
versions_open_view(const struct versions_query *q, uint32_t point, struct view **view,
	struct err *e)
{
	size_t i = q->listing->sources[q->source].first_point + point;
	const struct history_point *p = &q->listing->points[i];
	int r;

	*view = q->views ? take(q->views, p) : NULL;
	if (*view)
		return 0;
	r = history_open(q->history, q->listing, i, view, e);
	if (r == 0 && q->views)
		view_put(keep(q->views, p, *view));
	return r;
}
