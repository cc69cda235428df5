/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is read when.
 *
 * `order` lists, in the order the walk will come to them, the directories that
 * still have something to give: those a thread is reading (their children will
 * take their place) and those that were read and have subdirectories nobody
 * has begun.  An idle worker begins the first such subdirectory, and puts it
 * into the list right before its parent.  So workers always do what will be
 * wanted first, and the list is as long as there are threads and depth, not as
 * there are directories.
 *
 * A child that was begun stands in its parent's `ahead` until the consumer
 * takes it.  What the consumer asks for and nobody has begun, it reads itself;
 * everything before it in the order is then behind it, so its place is first.
 *
 * One lock guards all of this; no file system call is made under it.
 */
#include "repo/write/scan_private.h"

#include <errno.h>

#define SHARE_SLICE 256

/* -- The order ------------------------------------------------------------------ */

static bool
in_order(const struct scan *s, const struct scan_node *x)
{
	return x->order_prev || s->order.first == x;
}

void
scan_order_remove(struct scan *s, struct scan_node *x)
{
	if (!in_order(s, x))
		return;
	*(x->order_prev ? &x->order_prev->order_next : &s->order.first) =
		x->order_next;
	*(x->order_next ? &x->order_next->order_prev : &s->order.last) =
		x->order_prev;
	x->order_prev = x->order_next = NULL;
}

void
scan_order_insert(struct scan *s, struct scan_node *x, struct scan_node *next)
{
	x->order_next = next;
	x->order_prev = next ? next->order_prev : s->order.last;
	*(next ? &next->order_prev : &s->order.last) = x;
	*(x->order_prev ? &x->order_prev->order_next : &s->order.first) = x;
}

/* -- Life of a node --------------------------------------------------------------- */

struct scan_node *
scan_node_new(struct scan *s)
{
	struct scan_node *x = xcalloc(1, sizeof(*x));

	x->scan = s;
	x->fd = -1;
	x->pub.name = "";
	x->problems_end = &x->problems;
	x->ahead_end = &x->ahead;
	return x;
}

struct scan_node *
scan_child_new(struct scan *s, struct scan_node *parent, uint32_t index)
{
	const struct scan_entry *en = &parent->pub.entries[index];
	struct scan_node *x = scan_node_new(s);

	x->pub.parent = &parent->pub;
	x->pub.name = scan_name(&parent->pub, en);
	x->index = index;
	x->state = SCAN_RUNNING;
	x->refs = 1;
	parent->refs++;
	if (s->o.wanted)
		wanted_child(s->o.wanted, &parent->wanted, x->pub.name,
			&x->wanted);
	return x;
}

void
scan_release(struct scan_node *x, struct scan_node **garbage)
{
	while (x && --x->refs == 0) {
		x->sibling = *garbage;
		*garbage = x;
		x = scan_parent(x);
	}
}

void
scan_free_garbage(struct scan *s, struct scan_node *garbage)
{
	while (garbage) {
		struct scan_node *x = garbage;
		int fd;

		garbage = x->sibling;
		pthread_mutex_lock(&s->lock);
		fd = scan_fd_forget(s, x);
		pthread_mutex_unlock(&s->lock);
		if (fd >= 0)
			close(fd);
		scan_read_release(x);
		free(x);
	}
}

struct scan_node *
scan_pop_ahead(struct scan_node *parent)
{
	struct scan_node *x = parent->ahead;

	parent->ahead = x->sibling;
	if (!parent->ahead)
		parent->ahead_end = &parent->ahead;
	x->sibling = NULL;
	return x;
}

static void
push_ahead(struct scan_node *parent, struct scan_node *x)
{
	x->refs++;
	x->sibling = NULL;
	*parent->ahead_end = x;
	parent->ahead_end = &x->sibling;
}

static bool
has_room(const struct scan *s)
{
	return s->ahead_dirs + s->running < s->o.ahead_dirs &&
		s->ahead_entries < s->o.ahead_entries;
}

void
scan_no_longer_ahead(struct scan *s, const struct scan_node *x)
{
	s->ahead_dirs--;
	s->ahead_entries -= x->pub.n;
	if (s->idle && has_room(s))
		pthread_cond_signal(&s->work);
}

void
scan_drop(struct scan *s, struct scan_node *todo, struct scan_node **garbage)
{
	while (todo) {
		struct scan_node *x = todo;

		todo = x->sibling;
		scan_order_remove(s, x);
		x->dropped = true;
		if (x->state != SCAN_RUNNING)
			scan_no_longer_ahead(s, x);
		while (x->ahead) {
			struct scan_node *child = scan_pop_ahead(x);

			child->sibling = todo;
			todo = child;
		}
		scan_release(x, garbage);
	}
}

/* -- Reading --------------------------------------------------------------------- */

/* The next subdirectory to read ahead, or NULL. */
static struct scan_node *
begin_next(struct scan *s)
{
	struct scan_node *p = s->order.first, *next, *x;

	for (; p; p = next) {
		next = p->order_next;
		if (p->state == SCAN_RUNNING)
			continue;
		if (p->next_sub < p->n_subdirs)
			break;
		scan_order_remove(s, p);
	}
	if (!p)
		return NULL;
	x = scan_child_new(s, p, p->subdirs[p->next_sub++]);
	push_ahead(p, x);
	scan_order_insert(s, x, p);
	s->running++;
	return x;
}

int
scan_read_node(struct scan *s, struct scan_node *x, size_t limit, bool help)
{
	int fd, rc = scan_fd_pin(s, x, &fd);

	if (rc < 0)
		return rc;
	rc = scan_read(s, x, limit, help);
	scan_fd_unpin(s, x);
	if (rc < 0)
		scan_read_release(x);
	return rc;
}

void
scan_offer_children(struct scan *s, struct scan_node *x)
{
	if (x->n_subdirs == 0)
		scan_order_remove(s, x);
	for (uint32_t i = 0; i < x->n_subdirs && i < s->idle; i++)
		pthread_cond_signal(&s->work);
}

/* A worker has read x, or failed to. */
static void
finish(struct scan *s, struct scan_node *x, int rc, struct scan_node **garbage)
{
	s->running--;
	if (!x->dropped) {
		x->state = rc == 0 ? SCAN_READY :
			rc == -E2BIG ? SCAN_TOO_BIG :
				       SCAN_FAILED;
		s->ahead_dirs++;
		s->ahead_entries += x->pub.n;
		if (rc == 0)
			scan_offer_children(s, x);
		else
			scan_order_remove(s, x);
		pthread_cond_signal(&s->settled);
	}
	scan_release(x, garbage);
}

/* Read x ahead; entered and left with the lock held. */
static void
work_ahead(struct scan *s, struct scan_node *x)
{
	struct scan_node *garbage = NULL;
	int rc;

	pthread_mutex_unlock(&s->lock);
	rc = scan_read_node(s, x, SCAN_AHEAD_NAMES, false);
	pthread_mutex_lock(&s->lock);
	finish(s, x, rc, &garbage);
	if (garbage) {
		pthread_mutex_unlock(&s->lock);
		scan_free_garbage(s, garbage);
		pthread_mutex_lock(&s->lock);
	}
}

/* -- Sharing a big directory --------------------------------------------------- */

static void
run_slices(struct scan_share *share)
{
	size_t from;

	while ((from = atomic_fetch_add(&share->next, SHARE_SLICE)) < share->n)
		share->run(share->arg, from,
			share->n - from < SHARE_SLICE ? share->n :
							from + SHARE_SLICE);
}

/* Entered and left with the lock held. */
static void
help(struct scan *s, struct scan_share *share)
{
	share->helpers++;
	pthread_mutex_unlock(&s->lock);
	run_slices(share);
	pthread_mutex_lock(&s->lock);
	if (--share->helpers == 0)
		pthread_cond_signal(&s->settled);
}

void
scan_share(struct scan *s, struct scan_share *share)
{
	pthread_mutex_lock(&s->lock);
	s->share = share;
	pthread_cond_broadcast(&s->work);
	pthread_mutex_unlock(&s->lock);
	run_slices(share);
	pthread_mutex_lock(&s->lock);
	s->share = NULL;
	while (share->helpers)
		pthread_cond_wait(&s->settled, &s->lock);
	pthread_mutex_unlock(&s->lock);
}

void *
scan_worker(void *arg)
{
	struct scan *s = arg;
	auto_lock(&s->lock);

	while (!s->stop) {
		struct scan_node *x;

		if (s->share && atomic_load(&s->share->next) < s->share->n) {
			help(s, s->share);
		} else if (has_room(s) && (x = begin_next(s))) {
			work_ahead(s, x);
		} else {
			s->idle++;
			pthread_cond_wait(&s->work, &s->lock);
			s->idle--;
		}
	}
	return NULL;
}
