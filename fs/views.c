/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>
#include <time.h>
#include "repo/base/auto.h"
#include "repo/base/buf.h"
#include "repo/base/cancel.h"
#include "repo/base/clock.h"
#include "fs/views.h"

/* Who waits looks so often whether he still should. */
#define LOOK_UP_NS 50000000L

struct open_view {
	char id[HISTORY_ID_MAX + 1];
	uint64_t key;
	struct view *view; /* NULL while it is being opened */
	bool taken;	   /* in use or being opened */
	bool is_moment;
	bool removed;  /* never of a moment: nobody is asked for that */
	uint64_t used; /* tick of the last use */
};

struct views {
	pthread_mutex_t lock; /* guards everything below */
	pthread_cond_t opened;
	struct history *history;
	struct open_view open[VIEWS_MAX];
	uint64_t tick;
};

struct views *
views_new(struct history *h)
{
	struct views *vs = xcalloc(1, sizeof(*vs));

	pthread_mutex_init(&vs->lock, NULL);
	pthread_cond_init(&vs->opened, NULL);
	vs->history = h;
	return vs;
}

void
views_free(struct views *vs)
{
	if (!vs)
		return;
	for (size_t i = 0; i < VIEWS_MAX; i++)
		view_put(vs->open[i].view);
	pthread_cond_destroy(&vs->opened);
	pthread_mutex_destroy(&vs->lock);
	free(vs);
}

static struct open_view *
find(struct views *vs, const struct node *slot)
{
	for (size_t i = 0; i < VIEWS_MAX; i++) {
		struct open_view *o = &vs->open[i];

		if (o->taken && o->key == slot->key &&
			strcmp(o->id, slot->id) == 0)
			return o;
	}
	return NULL;
}

/* Is a rather given up than b? */
static bool
goes_before(const struct open_view *a, const struct open_view *b)
{
	if (a->taken != b->taken)
		return !a->taken;
	if (a->removed != b->removed)
		return !a->removed;
	return a->used < b->used;
}

/* A place for another view, or NULL when all are being opened.  What it held
 * is handed to the caller to let go of. */
static struct open_view *
make_room(struct views *vs, struct view **old)
{
	struct open_view *best = NULL;

	for (size_t i = 0; i < VIEWS_MAX; i++) {
		struct open_view *o = &vs->open[i];
		bool opening = o->taken && !o->view;

		if (!opening && (!best || goes_before(o, best)))
			best = o;
	}
	if (best) {
		*old = best->view;
		memset(best, 0, sizeof(*best));
	}
	return best;
}

/* Until a view has been opened or not; false: the caller is cancelled. */
static bool
wait_opened(struct views *vs)
{
	struct timespec until;

	if (!cancel_current()) {
		pthread_cond_wait(&vs->opened, &vs->lock);
		return true;
	}
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += LOOK_UP_NS;
	until.tv_sec += until.tv_nsec / NS_PER_S;
	until.tv_nsec %= NS_PER_S;
	pthread_cond_timedwait(&vs->opened, &vs->lock, &until);
	return !cancel_raised(cancel_current());
}

/* Wait for, find, or claim the place for the slot's view (*view is NULL when
 * the caller must open it); NULL: the caller is cancelled. */
static struct open_view *
claim(struct views *vs, const struct node *slot, struct view **view)
{
	struct view *old = NULL;
	struct open_view *o;

	pthread_mutex_lock(&vs->lock);
	for (;;) {
		o = find(vs, slot);
		if (o && o->view)
			break;
		if (!o && (o = make_room(vs, &old)))
			break;
		if (!wait_opened(vs)) {
			pthread_mutex_unlock(&vs->lock);
			*view = NULL;
			return NULL;
		}
	}
	if (!o->taken) {
		o->taken = true;
		o->key = slot->key;
		o->is_moment = slot->moment != NULL;
		memcpy(o->id, slot->id, sizeof(o->id));
	}
	o->used = ++vs->tick;
	*view = o->view ? view_get(o->view) : NULL;
	pthread_mutex_unlock(&vs->lock);
	view_put(old);
	return o;
}

/* The moment is asked for anew: where it stands in the history may have
 * changed since the node was made, or it has been removed. */
static int
open_moment(struct views *vs, const struct picture *p,
	const struct node_moment *m, struct view **view, struct err *e)
{
	struct history_point now;
	size_t s = history_find_source(p->listing, m->host, m->name);
	int rc = -ENOENT;

	if (s != HISTORY_NONE)
		rc = history_moment_by_id(
			vs->history, p->listing, s, m->point.id, &now, e);
	if (rc == -ENOENT)
		return err_set(
			e, ESTALE, "moment %s has been removed", m->point.id);
	if (rc != 0)
		return rc;
	return history_open_moment(vs->history, p->listing, &now, view, e);
}

static int
open_point(struct views *vs, const struct picture *p, const struct node *slot,
	struct view **view, struct err *e)
{
	size_t i;

	if (slot->moment)
		return open_moment(vs, p, slot->moment, view, e);
	i = picture_find(p, slot->id, slot->key);
	if (i == HISTORY_NONE)
		return err_set(
			e, ESTALE, "snapshot %s has been removed", slot->id);
	return history_open(vs->history, p->listing, i, view, e);
}

int
views_open(struct views *vs, const struct picture *p, const struct node *slot,
	struct view **view, struct err *e)
{
	struct open_view *o = claim(vs, slot, view);
	int rc;

	if (*view)
		return 0;
	if (!o)
		return err_set(e, EINTR, "interrupted");
	rc = open_point(vs, p, slot, view, e);
	auto_lock(&vs->lock);
	if (rc == 0)
		o->view = view_get(*view);
	else
		o->taken = false;
	pthread_cond_broadcast(&vs->opened);
	return rc;
}

void
views_mark_removed(struct views *vs, const struct picture *p)
{
	auto_lock(&vs->lock);
	for (size_t i = 0; i < VIEWS_MAX; i++) {
		struct open_view *o = &vs->open[i];

		o->removed = o->taken && !o->is_moment &&
			     picture_find(p, o->id, o->key) == HISTORY_NONE;
	}
}

size_t
views_count(struct views *vs)
{
	size_t n = 0;

	auto_lock(&vs->lock);
	for (size_t i = 0; i < VIEWS_MAX; i++)
		n += vs->open[i].view != NULL;
	return n;
}
