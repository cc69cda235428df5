/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the consumer calls; when what is read: scan_ahead.c. */
#include "repo/write/scan_private.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define THREADS_DEFAULT 8
#define AHEAD_ENTRIES_DEFAULT 65536
#define AHEAD_DIRS_DEFAULT 2000
#define FDS_DEFAULT 256

/* -- The consumer ---------------------------------------------------------------- */

static void
fill_defaults(struct scan_options *o)
{
	if (!o->threads)
		o->threads = THREADS_DEFAULT;
	if (!o->ahead_entries)
		o->ahead_entries = AHEAD_ENTRIES_DEFAULT;
	if (!o->ahead_dirs)
		o->ahead_dirs = AHEAD_DIRS_DEFAULT;
	if (!o->fds)
		o->fds = FDS_DEFAULT;
}

static int
start_threads(struct scan *s, struct err *e)
{
	s->threads = xcalloc(s->o.threads, sizeof(*s->threads));
	while (s->n_threads < s->o.threads) {
		int code = pthread_create(&s->threads[s->n_threads], NULL,
			scan_worker, s);

		if (code)
			return err_sys(e, code, "starting threads");
		s->n_threads++;
	}
	return 0;
}

static int
open_root(int fd)
{
	return openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

int
scan_new(int rootfd, const struct scan_options *o, struct scan **out,
	struct err *e)
{
	struct scan *s = xcalloc(1, sizeof(*s));
	struct attributes a;
	int rc;

	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->work, NULL);
	pthread_cond_init(&s->settled, NULL);
	s->o = *o;
	fill_defaults(&s->o);
	s->root_fd = open_root(rootfd);
	rc = s->root_fd < 0 ? err_sys(e, errno, "the source") :
			      attributes_read(s->root_fd, "", &a, e);
	if (rc == 0) {
		s->dev = a.dev;
		rc = start_threads(s, e);
	}
	if (rc < 0) {
		scan_free(s);
		return rc;
	}
	*out = s;
	return 0;
}

void
scan_free(struct scan *s)
{
	if (!s)
		return;
	pthread_mutex_lock(&s->lock);
	s->stop = true;
	pthread_cond_broadcast(&s->work);
	pthread_mutex_unlock(&s->lock);
	for (unsigned i = 0; i < s->n_threads; i++)
		pthread_join(s->threads[i], NULL);
	assert(!s->order.first && !s->lru.first && !s->ahead_dirs);
	if (s->root_fd >= 0)
		close(s->root_fd);
	pthread_cond_destroy(&s->settled);
	pthread_cond_destroy(&s->work);
	pthread_mutex_destroy(&s->lock);
	free(s->threads);
	free(s);
}

static void
report_one(struct scan *s, struct scan_node *x, const struct scan_problem *p)
{
	auto_buf struct buf path = BUF_INIT;
	struct err e = ERR_INIT;
	const char *text;

	scan_dir_path(&x->pub, *p->name ? p->name : NULL, &path);
	text = (const char *)path.data;
	if (!p->text)
		err_sys(&e, p->code, "%s", *text ? text : ".");
	s->o.report(s->o.arg, text, p->code, p->text ? p->text : e.text);
}

/* The consumer reads x itself and gets it; x is freed when that fails. */
static int
read_taken(struct scan *s, struct scan_node *x)
{
	struct scan_node *garbage = NULL;
	int rc = scan_read_node(s, x, SIZE_MAX, true);

	pthread_mutex_lock(&s->lock);
	if (rc == 0) {
		x->state = SCAN_TAKEN;
		x->holds = 1;
		scan_offer_children(s, x);
	} else {
		scan_order_remove(s, x);
		scan_release(x, &garbage);
	}
	pthread_mutex_unlock(&s->lock);
	scan_free_garbage(s, garbage);
	return rc;
}

/* x is the consumer's: say what went wrong in it. */
static void
report(struct scan *s, struct scan_node *x)
{
	for (struct scan_problem *p = x->problems; p && s->o.report;
		p = p->next)
		report_one(s, x, p);
}

int
scan_root(struct scan *s, struct scan_dir **d, struct err *e)
{
	struct scan_node *x = scan_node_new(s);
	int rc;

	x->refs = 1;
	x->pins = 1; /* never closed */
	x->fd = open_root(s->root_fd);
	rc = x->fd < 0 ? -errno : attributes_read(x->fd, "", &x->pub.a, NULL);
	if (s->o.wanted)
		x->wanted = wanted_top(s->o.wanted);
	pthread_mutex_lock(&s->lock);
	s->n_open += x->fd >= 0;
	scan_order_insert(s, x, s->order.first);
	pthread_mutex_unlock(&s->lock);
	rc = rc < 0 ? rc : read_taken(s, x);
	if (rc < 0)
		return err_sys(e, -rc, "the source");
	report(s, x);
	*d = &x->pub;
	return 0;
}

/*
 * Take child i of p; SCAN_RUNNING when it is still to be read.  A worker that
 * is reading it is waited for.  Entered with the lock held.
 */
static struct scan_node *
take_child(struct scan *s, struct scan_node *p, uint32_t i,
	struct scan_node **garbage)
{
	struct scan_node *x;

	while (p->ahead && p->ahead->index < i)
		scan_drop(s, scan_pop_ahead(p), garbage);
	while (p->next_sub < p->n_subdirs && p->subdirs[p->next_sub] <= i)
		p->next_sub++;
	if (!p->ahead || p->ahead->index != i) {
		x = scan_child_new(s, p, i);
		scan_order_insert(s, x, s->order.first);
		return x;
	}
	while (p->ahead->state == SCAN_RUNNING)
		pthread_cond_wait(&s->settled, &s->lock);
	x = scan_pop_ahead(p);
	scan_no_longer_ahead(s, x);
	if (x->state == SCAN_READY) {
		x->state = SCAN_TAKEN;
		x->holds = 1;
		return x;
	}
	/* too big, or failed for want of something or for good: try again */
	x->state = SCAN_RUNNING;
	scan_order_insert(s, x, s->order.first);
	return x;
}

/* A directory of another file system, taken without reading it. */
static struct scan_node *
take_mount(struct scan *s, struct scan_node *p, uint32_t i)
{
	struct scan_node *x = scan_child_new(s, p, i);

	x->pub.a = p->pub.entries[i].a;
	x->state = SCAN_TAKEN;
	x->holds = 1;
	return x;
}

static int
path_err(const struct scan_dir *d, const char *name, int rc, struct err *e)
{
	auto_buf struct buf path = BUF_INIT;

	scan_dir_path(d, name, &path);
	return err_sys(e, -rc, "%s", (const char *)path.data);
}

int
scan_child(struct scan *s, struct scan_dir *parent, uint32_t i,
	struct scan_dir **d, struct err *e)
{
	struct scan_node *p = scan_node_of(parent), *x, *garbage = NULL;
	const struct scan_entry *en = &parent->entries[i];
	bool mine;
	int rc;

	assert(i < parent->n && S_ISDIR(en->a.mode));
	pthread_mutex_lock(&s->lock);
	x = en->flags & SCAN_MOUNT ? take_mount(s, p, i) :
				     take_child(s, p, i, &garbage);
	mine = x->state == SCAN_RUNNING;
	pthread_mutex_unlock(&s->lock);
	scan_free_garbage(s, garbage);
	rc = mine ? read_taken(s, x) : 0;
	if (rc < 0)
		return path_err(parent, scan_name(parent, en), rc, e);
	report(s, x);
	*d = &x->pub;
	return 0;
}

/* -- Holding -------------------------------------------------------------------- */

struct scan_dir *
scan_dir_get(struct scan_dir *d)
{
	struct scan_node *x = scan_node_of(d);
	auto_lock(&x->scan->lock);

	x->holds++;
	x->refs++;
	return d;
}

void
scan_dir_put(struct scan *s, struct scan_dir *d)
{
	struct scan_node *x = scan_node_of(d), *garbage = NULL;

	if (!d)
		return;
	pthread_mutex_lock(&s->lock);
	if (--x->holds == 0) {
		scan_order_remove(s, x);
		x->next_sub = x->n_subdirs;
		while (x->ahead)
			scan_drop(s, scan_pop_ahead(x), &garbage);
	}
	scan_release(x, &garbage);
	pthread_mutex_unlock(&s->lock);
	scan_free_garbage(s, garbage);
}

int
scan_dir_open(struct scan *s, struct scan_dir *d, int *fd, struct err *e)
{
	int rc = scan_fd_pin(s, scan_node_of(d), fd);

	return rc < 0 ? path_err(d, NULL, rc, e) : 0;
}

void
scan_dir_close(struct scan *s, struct scan_dir *d)
{
	scan_fd_unpin(s, scan_node_of(d));
}

void
scan_dir_path(const struct scan_dir *d, const char *name, struct buf *out)
{
	size_t len = name ? strlen(name) : 0, at;
	const struct scan_dir *up;
	uint8_t *p;

	for (up = d; up->parent; up = up->parent)
		len += strlen(up->name) + 1;
	if (!name && d->parent)
		len--;
	p = buf_reserve(out, len + 1);
	p[at = len] = 0;
	if (name) {
		at -= strlen(name);
		memcpy(p + at, name, strlen(name));
	}
	for (up = d; up->parent; up = up->parent) {
		if (at < len)
			p[--at] = '/';
		at -= strlen(up->name);
		memcpy(p + at, up->name, strlen(up->name));
	}
	out->len += len;
}
