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
#define RECENT 64

struct file {
	struct view *view; /* owned */
	uint64_t node;
	uint64_t nodeid;
	uint64_t given; /* bytes */
	bool give;
};

struct random {
	struct mount *m;
	/* node ids, by their low bits */
	_Atomic uint64_t expected[RECENT];
	_Atomic uint64_t recent[RECENT];
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

	thread_step_back();
	while (next(r, &f)) {
		struct giving g = { .r = r, .f = &f };

		view_at_random(f.view, f.node, f.give ? give : NULL, &g);
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

/* Once a file that is in `recent`. */
static void
note(struct random *r, struct call *c, _Atomic uint64_t recent[RECENT],
	bool give)
{
	uint64_t nodeid = mount_nodeid(r->m, c->node, c->at);

	if (atomic_exchange(&recent[nodeid % RECENT], nodeid) == nodeid)
		return;
	auto_lock(&r->lock);

	if (!r->started)
		r->started = !r->stop && !thread_start(&r->thread, run, r);
	if (!r->started || r->n_waiting == WAITING_MAX)
		return;
	r->waiting[r->n_waiting++] = (struct file){ .view = view_get(c->view),
		.node = c->at,
		.nodeid = nodeid,
		.give = give };
	pthread_cond_signal(&r->more);
}

void
random_expect(struct random *r, struct call *c)
{
	note(r, c, r->expected, false);
}

void
random_note(struct random *r, struct call *c)
{
	note(r, c, r->recent, true);
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
