/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fs/random.h"

#include <stdatomic.h>
#include "repo/base/buf.h"
#include "repo/base/thread.h"
#include "fs/store.h"

#define PAGE 4096u
/* Handed over of one file. */
#define BYTES_MAX (32u << 20)
#define WAITING_MAX 8

struct file {
	struct view *view; /* owned */
	uint64_t node;
	uint64_t nodeid;
	uint64_t given; /* bytes */
};

struct random {
	struct mount *m;
	_Atomic uint64_t recent[64]; /* node ids, by their low bits */
	_Atomic bool stop;
	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t more;
	pthread_t thread;
	bool started;
	struct file waiting[WAITING_MAX];
	unsigned int n_waiting;
};

struct giving {
	struct random *r;
	struct file *f;
};

static bool
give(void *ctx, uint64_t off, const void *data, size_t len)
{
	struct giving *g = ctx;

	if (off % PAGE || len % PAGE) /* at the end of the file */
		return true;
	if (g->r->stop || g->f->given + len > BYTES_MAX ||
		store_bytes(g->r->m, g->f->nodeid, off, data, len) != 0)
		return false;
	g->f->given += len;
	return true;
}

/* The next file, once there is one; false: to stop. */
static bool
next(struct random *r, struct file *f)
{
	auto_lock(&r->lock);

	while (!r->stop && r->n_waiting == 0)
		pthread_cond_wait(&r->more, &r->lock);
	if (r->stop)
		return false;
	*f = r->waiting[--r->n_waiting];
	return true;
}

static void *
run(void *arg)
{
	struct random *r = arg;
	struct file f;

	while (next(r, &f)) {
		struct giving g = { .r = r, .f = &f };

		view_at_random(f.view, f.node, give, &g);
		view_put(f.view);
	}
	return NULL;
}

struct random *
random_new(struct mount *m)
{
	struct random *r = xcalloc(1, sizeof(*r));

	r->m = m;
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->more, NULL);
	return r;
}

void
random_note(struct random *r, struct call *c)
{
	uint64_t nodeid = mount_nodeid(r->m, c->node, c->at);
	_Atomic uint64_t *recent = &r->recent[nodeid % n_elements(r->recent)];

	if (atomic_exchange(recent, nodeid) == nodeid)
		return;
	auto_lock(&r->lock);

	if (!r->started)
		r->started = !r->stop && !thread_start(&r->thread, run, r);
	if (!r->started || r->n_waiting == WAITING_MAX)
		return;
	r->waiting[r->n_waiting++] = (struct file){ .view = view_get(c->view),
		.node = c->at,
		.nodeid = nodeid };
	pthread_cond_signal(&r->more);
}

void
random_stop(struct random *r)
{
	pthread_mutex_lock(&r->lock);
	r->stop = true;
	pthread_cond_signal(&r->more);
	pthread_mutex_unlock(&r->lock);
	if (r->started)
		pthread_join(r->thread, NULL);
	r->started = false;
	while (r->n_waiting > 0)
		view_put(r->waiting[--r->n_waiting].view);
}

void
random_free(struct random *r)
{
	if (!r)
		return;
	random_stop(r);
	pthread_mutex_destroy(&r->lock);
	pthread_cond_destroy(&r->more);
	free(r);
}
