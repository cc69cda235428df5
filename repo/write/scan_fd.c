/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Descriptors of directories.  Those not in use are kept in order of last use
 * and the oldest are closed; a closed one is opened again from its nearest
 * open ancestor, one component at a time (so no path is ever too long and no
 * symlink followed), and must be the directory it was.  What is opened on the
 * way down stays open for a while too, so that a walk that climbs up a deep
 * tree does not start from the top each time.
 */
#include "repo/write/scan_private.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static void
lru_remove(struct scan *s, struct scan_node *x)
{
	*(x->lru_prev ? &x->lru_prev->lru_next : &s->lru.first) = x->lru_next;
	*(x->lru_next ? &x->lru_next->lru_prev : &s->lru.last) = x->lru_prev;
	x->lru_prev = x->lru_next = NULL;
}

static void
lru_append(struct scan *s, struct scan_node *x)
{
	x->lru_prev = s->lru.last;
	x->lru_next = NULL;
	*(s->lru.last ? &s->lru.last->lru_next : &s->lru.first) = x;
	s->lru.last = x;
}

static void
pin(struct scan *s, struct scan_node *x)
{
	if (x->pins++ == 0)
		lru_remove(s, x);
}

/* Returns a descriptor that is to be closed, or -1. */
static int
unpin(struct scan *s, struct scan_node *x)
{
	struct scan_node *oldest;
	int fd;

	if (--x->pins == 0)
		lru_append(s, x);
	oldest = s->lru.first;
	if (!oldest || s->n_open <= s->o.fds)
		return -1;
	lru_remove(s, oldest);
	fd = oldest->fd;
	oldest->fd = -1;
	s->n_open--;
	return fd;
}

int
scan_fd_forget(struct scan *s, struct scan_node *x)
{
	int fd = x->fd;

	if (fd < 0)
		return -1;
	if (x->pins == 0)
		lru_remove(s, x);
	x->fd = -1;
	s->n_open--;
	return fd;
}

/* Reading a directory should not count as an access to it, where we may say
 * so: we own it, or CAP_FOWNER. */
static int
open_child(int fd, const char *name)
{
	int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	int child = openat(fd, name, flags | O_NOATIME);

	if (child < 0 && errno == EPERM)
		child = openat(fd, name, flags);
	return child < 0 ? -errno : child;
}

/* Open x, whose parent is open and pinned.  Its attributes are read the first
 * time and compared later. */
static int
open_below(struct scan_node *x, int parent_fd)
{
	auto_close int fd = open_child(parent_fd, x->pub.name);
	struct attributes a;
	int rc;

	if (fd < 0)
		return fd;
	rc = attributes_read(fd, "", &a, NULL);
	if (rc < 0)
		return rc;
	if (x->pub.a.mode == 0)
		x->pub.a = a;
	else if (a.ino != x->pub.a.ino || a.dev != x->pub.a.dev)
		return -ESTALE;
	return steal_fd(fd);
}

/* The nearest node on the way up from x that is open; pinned. */
static struct scan_node *
pin_nearest(struct scan *s, struct scan_node *x)
{
	auto_lock(&s->lock);

	while (x->fd < 0)
		x = scan_parent(x); /* the source's own is always open */
	pin(s, x);
	return x;
}

/* The node below `above` on the way to x. */
static struct scan_node *
next_towards(struct scan_node *x, const struct scan_node *above)
{
	while (scan_parent(x) != above)
		x = scan_parent(x);
	return x;
}

/* fd was opened for x; another thread may have been faster. */
static void
install(struct scan *s, struct scan_node *x, int fd)
{
	int surplus = -1;

	pthread_mutex_lock(&s->lock);
	if (x->fd >= 0) {
		surplus = fd;
		pin(s, x);
	} else {
		x->fd = fd;
		x->pins = 1;
		s->n_open++;
	}
	pthread_mutex_unlock(&s->lock);
	if (surplus >= 0)
		close(surplus);
}

int
scan_fd_pin(struct scan *s, struct scan_node *x, int *fd)
{
	struct scan_node *at = pin_nearest(s, x);

	while (at != x) {
		struct scan_node *next = next_towards(x, at);
		int next_fd = open_below(next, at->fd);

		if (next_fd >= 0)
			install(s, next, next_fd);
		scan_fd_unpin(s, at);
		if (next_fd < 0)
			return next_fd;
		at = next;
	}
	*fd = x->fd;
	return 0;
}

void
scan_fd_unpin(struct scan *s, struct scan_node *x)
{
	int fd;

	pthread_mutex_lock(&s->lock);
	fd = unpin(s, x);
	pthread_mutex_unlock(&s->lock);
	if (fd >= 0)
		close(fd);
}
