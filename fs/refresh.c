/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * After a refresh every node the kernel knows is looked up again.  What means
 * something else now, or nothing, is taken out of the kernel's name cache;
 * virtual directories lose their cached listings.  A listing that is being
 * answered from the old picture meanwhile may still get into the cache; it
 * is found out within REPLY_SHORT by the directory's new mtime.
 */
#include <errno.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/base/clock.h"
#include "repo/base/log.h"
#include "fs/detach.h"
#include "fs/refresh.h"

struct refresh {
	pthread_mutex_t lock; /* guards kicked and stopping */
	pthread_cond_t wake;
	bool kicked;
	bool stopping;
	struct mount *m;
	pthread_t thread;
	char last_error[ERR_TEXT_MAX];
};

static void
collect(void *ctx, struct node *n)
{
	buf_append(ctx, &n->number, sizeof(n->number));
}

/*
 * Does n's name still mean n?  What was asked of the history is not asked
 * again here, where a slow store would keep all news from being announced: the
 * kernel will ask.
 */
static bool
is_current(const struct picture *p, const struct node *n)
{
	struct tree_child child;
	const char *id = "";

	if (!n->parent || n->kind == NODE_TEXT)
		return true;
	if (*n->id && !n->moment &&
		picture_find(p, n->id, n->key) == HISTORY_NONE)
		return false;
	if (n->asked)
		return true;
	if (tree_find(p, n->parent, n->name, clock_wall_ns(), &child, NULL))
		return false;
	if (child.point != HISTORY_NONE)
		id = p->listing->points[child.point].id;
	return strcmp(id, n->id) == 0;
}

static void
announce(struct mount *m, const struct picture *p, struct node *n)
{
	bool listed = n->kind != NODE_TREE && !n->text;

	if (n != m->root && !is_current(p, n))
		fuse_lowlevel_notify_inval_entry(m->session,
			mount_nodeid(m, n->parent, VIEW_ROOT), n->name,
			strlen(n->name));
	else if (listed)
		fuse_lowlevel_notify_inval_inode(
			m->session, mount_nodeid(m, n, VIEW_ROOT), 0, 0);
}

/* Nodes are visited unlocked: the kernel may ask for them meanwhile. */
static void
announce_all(struct mount *m, const struct picture *p)
{
	auto_buf struct buf numbers = BUF_INIT;

	nodes_each(m->nodes, collect, &numbers);
	for (size_t at = 0; at < numbers.len; at += sizeof(uint32_t)) {
		uint32_t number;
		struct node *n;

		memcpy(&number, numbers.data + at, sizeof(number));
		n = nodes_get(m->nodes, number);
		if (n)
			announce(m, p, n);
		nodes_put(m->nodes, n);
	}
}

static void
show_news(struct mount *m)
{
	auto_listing struct history_listing *l = history_listing(m->history);
	auto_picture struct picture *old = mount_picture(m);
	auto_picture struct picture *p = NULL;

	if (l->version == old->listing->version)
		return;
	p = mount_show(m, clock_wall_ns());
	views_mark_removed(m->views, p);
	announce_all(m, p);
	log_info("%zu snapshots of %zu sources", p->listing->n_points,
		p->listing->n_sources);
}

static void
refresh_now(struct refresh *r)
{
	struct mount *m = r->m;
	struct err e = ERR_INIT;

	m->metrics.refreshes++;
	if (history_refresh(m->history, &e) != 0) {
		m->metrics.refresh_errors++;
		if (strcmp(e.text, r->last_error) != 0)
			log_warn("cannot refresh: %s", e.text);
		memcpy(r->last_error, e.text, sizeof(e.text));
	} else {
		r->last_error[0] = '\0';
		m->refreshed_ns = clock_wall_ns();
	}
	show_news(m);
}

/* Unmount when idle, unless in use: a working directory, an open file. */
static void
leave_when_idle(struct mount *m)
{
	int64_t idle_ns = clock_mono_ns() - m->metrics.last_request_ns;

	if (m->options->idle_s == 0 || idle_ns < m->options->idle_s * NS_PER_S)
		return;
	m->metrics.last_request_ns = clock_mono_ns();
	if (detach_if_unused(m->options->mountpoint) == 0)
		log_info("unmounted: idle for %d s", m->options->idle_s);
}

/* Sleep until kicked, or for s seconds; false: the end. */
static bool
rest(struct refresh *r, int s, bool *kicked)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += s;
	auto_lock(&r->lock);
	while (!r->kicked && !r->stopping) {
		if (pthread_cond_timedwait(&r->wake, &r->lock, &until) ==
			ETIMEDOUT)
			break;
	}
	*kicked = r->kicked;
	r->kicked = false;
	return !r->stopping;
}

static void *
run(void *arg)
{
	struct refresh *r = arg;
	const struct mount_options *o = r->m->options;
	int64_t due_ns = clock_mono_ns() + o->refresh_s * NS_PER_S;
	bool kicked;
	int nap_s = o->refresh_s ? o->refresh_s : 3600;

	if (o->idle_s && o->idle_s / 4 + 1 < nap_s)
		nap_s = o->idle_s / 4 + 1;
	while (rest(r, nap_s, &kicked)) {
		bool due = o->refresh_s && clock_mono_ns() >= due_ns;

		if (kicked || due) {
			refresh_now(r);
			due_ns = clock_mono_ns() + o->refresh_s * NS_PER_S;
		}
		leave_when_idle(r->m);
	}
	return NULL;
}

struct refresh *
refresh_start(struct mount *m)
{
	struct refresh *r = xcalloc(1, sizeof(*r));
	pthread_condattr_t attr;

	r->m = m;
	pthread_mutex_init(&r->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&r->wake, &attr);
	pthread_condattr_destroy(&attr);
	if (pthread_create(&r->thread, NULL, run, r) != 0) {
		log_warn("no thread to refresh with: new snapshots will not"
			 " appear");
		free(r);
		return NULL;
	}
	return r;
}

void
refresh_kick(struct refresh *r)
{
	if (!r)
		return;
	auto_lock(&r->lock);
	r->kicked = true;
	pthread_cond_signal(&r->wake);
}

void
refresh_stop(struct refresh *r)
{
	if (!r)
		return;
	pthread_mutex_lock(&r->lock);
	r->stopping = true;
	pthread_cond_signal(&r->wake);
	pthread_mutex_unlock(&r->lock);
	pthread_join(r->thread, NULL);
	pthread_cond_destroy(&r->wake);
	pthread_mutex_destroy(&r->lock);
	free(r);
}
