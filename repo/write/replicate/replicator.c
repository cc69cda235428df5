/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Each replication has two times: when to look at its database, and when to go
 * on uploading.  A thread takes the one that is due first and nobody works on;
 * uploads of one replication are always one thread's, because of its writer.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>
#include "repo/base/auto.h"
#include "repo/base/clock.h"
#include "repo/base/hex.h"
#include "repo/crypto/id.h"
#include "repo/native/repository.h"
#include "repo/write/replicate/replicator.h"
#include "repo/write/run.h"

#define CAPTURE_THREADS 2
#define UPLOAD_THREADS_MAX 16

struct member {
	struct replicator *r;
	struct replication *rp;
	dev_t dev;
	ino_t ino;
	/* Guarded by the replicator's lock. */
	int64_t capture_ns, upload_ns; /* when due; monotonic */
	bool captures, uploads;	       /* somebody is at it */
	bool flushed;
};

struct uploader {
	struct replicator *r;
	unsigned number;
	struct writer *writer;
	pthread_t thread;
	bool runs;
};

struct replicator {
	struct replicator_options o;
	char *dir; /* of this repository, below state_dir */
	int fd;
	atomic_bool interrupted;

	pthread_mutex_t lock;
	pthread_cond_t due, changed; /* for captures, for uploads */
	/* Guarded by lock. */
	bool timed; /* a thread that captures waits until one is due */
	struct member **members;
	size_t n, cap;
	bool stopping;
	int64_t deadline_ns; /* of uploading, once stopping */

	pthread_t capturers[CAPTURE_THREADS];
	unsigned n_capturers;
	struct uploader uploaders[UPLOAD_THREADS_MAX];
	unsigned n_uploaders;
};

/* -- Making -------------------------------------------------------------------
 */

/* Make a directory and those above it. */
static int
make_dirs(const char *path, struct err *e)
{
	auto_free char *p = xstrdup(path);

	for (char *at = p + 1;; at++) {
		bool end = !*at;

		if (!end && *at != '/')
			continue;
		*at = 0;
		if (mkdir(p, 0700) && errno != EEXIST)
			return err_sys(e, errno, "%s", p);
		if (end)
			return 0;
		*at = '/';
	}
}

static int
open_writers(struct replicator *r, struct err *e)
{
	unsigned n = r->o.upload_threads ? r->o.upload_threads : 1;
	int err = 0;

	for (unsigned i = 0; i < n && i < UPLOAD_THREADS_MAX && !err; i++) {
		struct uploader *u = &r->uploaders[i];

		*u = (struct uploader){ .r = r, .number = i };
		err = writer_open(r->o.repo, r->o.open, &u->writer, e);
		if (!err)
			r->n_uploaders++;
	}
	return err;
}

int
replicator_new(const struct replicator_options *o, struct replicator **out,
	struct err *e)
{
	struct replicator *r = xcalloc(1, sizeof(*r));
	pthread_condattr_t attr;
	int err;

	r->o = *o;
	r->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	pthread_mutex_init(&r->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&r->due, &attr);
	pthread_cond_init(&r->changed, &attr);
	pthread_condattr_destroy(&attr);
	r->o.host = xstrdup(o->host);
	err = open_writers(r, e);
	if (!err) {
		r->dir = xasprintf("%s/%s", o->state_dir,
			r->uploaders[0].writer->rp->id_text);
		err = make_dirs(r->dir, e);
	}
	if (err) {
		replicator_free(r);
		return err;
	}
	*out = r;
	return 0;
}

void
replicator_free(struct replicator *r)
{
	if (!r)
		return;
	replicator_stop(r, 0);
	for (size_t i = 0; i < r->n; i++) {
		replication_free(r->members[i]->rp);
		free(r->members[i]);
	}
	for (unsigned i = 0; i < r->n_uploaders; i++)
		writer_free(r->uploaders[i].writer);
	if (r->fd >= 0)
		close(r->fd);
	pthread_mutex_destroy(&r->lock);
	pthread_cond_destroy(&r->due);
	pthread_cond_destroy(&r->changed);
	free((void *)(uintptr_t)r->o.host);
	free(r->members);
	free(r->dir);
	free(r);
}

int
replicator_fd(const struct replicator *r)
{
	return r->fd;
}

/* -- Members ------------------------------------------------------------------
 */

static void
tell(struct replicator *r)
{
	const uint64_t one = 1;

	/* full: it is readable already */
	if (write(r->fd, &one, sizeof(one)) < 0)
		return;
}

static void
wake(void *ctx, enum replication_wake what)
{
	struct member *m = ctx;
	int64_t now = clock_mono_ns();

	tell(m->r);
	auto_lock(&m->r->lock);
	if (what == REPLICATION_WAKE_CAPTURE) {
		m->capture_ns = now;
		pthread_cond_broadcast(&m->r->due);
	}
	if (what == REPLICATION_WAKE_UPLOAD) {
		m->upload_ns = now;
		pthread_cond_broadcast(&m->r->changed);
	}
}

static int
check_new(struct replicator *r, const char *path, const struct stat *st,
	struct err *e)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->members[i]->dev == st->st_dev &&
			r->members[i]->ino == st->st_ino)
			return err_set(e, EEXIST,
				"%s and %s are the same database",
				replication_path(r->members[i]->rp), path);
	return 0;
}

/* A directory for what is kept of one source. */
static int
source_dir(struct replicator *r, const char *name, char **dir, struct err *e)
{
	uint8_t key[SOURCE_KEY_LEN];
	char hex[SOURCE_KEY_LEN * 2 + 1];

	source_key(r->uploaders[0].writer->rp->keys, r->o.host, name, key);
	*dir = xasprintf("%s/%s", r->dir, hex_encode(hex, key, sizeof(key)));
	return make_dirs(*dir, e);
}

int
replicator_add(struct replicator *r, const char *path, const char *name,
	size_t *index, struct err *e)
{
	struct member *m = xcalloc(1, sizeof(*m));
	auto_free char *dir = NULL;
	struct stat st = { .st_ino = 0 };
	int err = stat(path, &st) ? 0 : check_new(r, path, &st, e);

	if (!err)
		err = source_dir(r, name, &dir, e);
	*m = (struct member){ .r = r, .dev = st.st_dev, .ino = st.st_ino };
	if (!err)
		err = replication_new(
			&(struct replication_options){ .path = path,
				.host = r->o.host,
				.name = name,
				.state_dir = dir,
				.sync_ns = r->o.sync_ns,
				.snapshot_ns = r->o.snapshot_ns,
				.queue_limit = r->o.queue_limit,
				.limit_upload = r->o.limit_upload,
				.silent = r->o.silent,
				.interrupted = &r->interrupted,
				.wake = wake,
				.ctx = m },
			&m->rp, e);
	if (err) {
		free(m);
		return err;
	}
	auto_lock(&r->lock);
	if (r->n == r->cap) {
		r->cap = r->cap * 2 + 16;
		r->members = xrealloc(r->members, r->cap * sizeof(*r->members));
	}
	*index = r->n;
	r->members[r->n++] = m;
	pthread_cond_broadcast(&r->due);
	pthread_cond_broadcast(&r->changed);
	return 0;
}

size_t
replicator_count(const struct replicator *r)
{
	return r->n;
}

struct replication *
replicator_get(struct replicator *r, size_t index)
{
	return r->members[index]->rp;
}

/* -- Threads ------------------------------------------------------------------
 */

static int64_t *
due(struct member *m, bool upload)
{
	return upload ? &m->upload_ns : &m->capture_ns;
}

static bool *
busy(struct member *m, bool upload)
{
	return upload ? &m->uploads : &m->captures;
}

/* The member that is due first; of uploads, among those of one thread. */
static struct member *
first_due(struct replicator *r, const struct uploader *u)
{
	struct member *first = NULL;
	unsigned step = u ? r->n_uploaders : 1;

	for (size_t i = u ? u->number : 0; i < r->n; i += step) {
		struct member *m = r->members[i];

		if (!*busy(m, u) && (!first || *due(m, u) < *due(first, u)))
			first = m;
	}
	return first;
}

static void
wait_until(struct replicator *r, pthread_cond_t *changed, int64_t t_ns)
{
	const struct timespec ts = { .tv_sec = t_ns / NS_PER_S,
		.tv_nsec = t_ns % NS_PER_S };

	if (t_ns == REPLICATION_NEVER)
		pthread_cond_wait(changed, &r->lock);
	else
		pthread_cond_timedwait(changed, &r->lock, &ts);
}

/* Of those who capture one looks at the clock, so that a look at a database
 * does not wake all of them. */
static void
wait_until_due(struct replicator *r, int64_t t_ns)
{
	if (r->timed) {
		pthread_cond_wait(&r->due, &r->lock);
		return;
	}
	r->timed = true;
	wait_until(r, &r->due, t_ns);
	r->timed = false;
}

/* Whoever captures is busy now: another one looks at the clock, if something
 * may be due before that is over. */
static void
hand_over(struct replicator *r)
{
	struct member *m = first_due(r, NULL);

	if (!r->timed && m && m->capture_ns < clock_mono_ns() + NS_PER_S)
		pthread_cond_signal(&r->due);
}

/* Do what is due for m; with the lock held but for that. */
static void
work(struct replicator *r, struct member *m, const struct uploader *u, bool all)
{
	int64_t next;

	*busy(m, u) = true;
	*due(m, u) = REPLICATION_NEVER;
	if (!u)
		hand_over(r);
	pthread_mutex_unlock(&r->lock);
	next = u ? replication_upload(m->rp, u->writer)
		 : replication_capture(m->rp, all);
	pthread_mutex_lock(&r->lock);
	*busy(m, u) = false;
	if (next < *due(m, u))
		*due(m, u) = next;
	if (!u && r->timed)
		pthread_cond_broadcast(&r->due);
	if (r->stopping)
		pthread_cond_broadcast(&r->changed);
}

/* One that has not been looked at since the end began. */
static struct member *
first_to_flush(struct replicator *r)
{
	for (size_t i = 0; i < r->n; i++)
		if (!r->members[i]->flushed && !r->members[i]->captures)
			return r->members[i];
	return NULL;
}

static void *
capture_main(void *arg)
{
	struct replicator *r = arg;
	struct member *m;

	auto_lock(&r->lock);
	while (!r->stopping) {
		m = first_due(r, NULL);
		if (m && m->capture_ns <= clock_mono_ns())
			work(r, m, NULL, false);
		else
			wait_until_due(
				r, m ? m->capture_ns : REPLICATION_NEVER);
	}
	while ((m = first_to_flush(r))) {
		m->flushed = true;
		work(r, m, NULL, true);
	}
	return NULL;
}

/* Nothing will be captured any more. */
static bool
captures_ended(const struct replicator *r)
{
	for (size_t i = 0; i < r->n; i++)
		if (!r->members[i]->flushed || r->members[i]->captures)
			return false;
	return true;
}

static void *
upload_main(void *arg)
{
	struct uploader *u = arg;
	struct replicator *r = u->r;

	auto_lock(&r->lock);
	for (;;) {
		struct member *m = first_due(r, u);
		int64_t now = clock_mono_ns();

		if (r->stopping && now >= r->deadline_ns)
			break;
		if (m && m->upload_ns <= now)
			work(r, m, u, false);
		else if (r->stopping && captures_ended(r))
			break;
		else
			wait_until(r, &r->changed,
				m ? m->upload_ns : REPLICATION_NEVER);
	}
	for (size_t i = u->number; i < r->n; i += r->n_uploaders)
		replication_upload_end(r->members[i]->rp);
	return NULL;
}

int
replicator_start(struct replicator *r, struct err *e)
{
	for (unsigned i = 0; i < CAPTURE_THREADS; i++, r->n_capturers++)
		if (pthread_create(&r->capturers[i], NULL, capture_main, r))
			return err_set(e, EAGAIN, "cannot start a thread");
	for (unsigned i = 0; i < r->n_uploaders; i++) {
		struct uploader *u = &r->uploaders[i];

		if (pthread_create(&u->thread, NULL, upload_main, u))
			return err_set(e, EAGAIN, "cannot start a thread");
		u->runs = true;
	}
	return 0;
}

void
replicator_changed(struct replicator *r, size_t index, bool database)
{
	struct member *m = r->members[index];
	int64_t t = replication_changed(m->rp, database);

	auto_lock(&r->lock);
	if (t < m->capture_ns) {
		m->capture_ns = t;
		pthread_cond_broadcast(&r->due);
	}
}

void
replicator_look(struct replicator *r, size_t index)
{
	wake(r->members[index], REPLICATION_WAKE_CAPTURE);
}

void
replicator_stop(struct replicator *r, int64_t flush_ns)
{
	pthread_mutex_lock(&r->lock);
	r->stopping = true;
	r->deadline_ns = clock_mono_ns() + flush_ns;
	/* a base can be made another time, from its packs; deltas go up */
	r->interrupted = true;
	pthread_cond_broadcast(&r->due);
	pthread_cond_broadcast(&r->changed);
	pthread_mutex_unlock(&r->lock);
	for (; r->n_capturers; r->n_capturers--)
		pthread_join(r->capturers[r->n_capturers - 1], NULL);
	pthread_mutex_lock(&r->lock);
	pthread_cond_broadcast(&r->changed);
	pthread_mutex_unlock(&r->lock);
	for (unsigned i = 0; i < r->n_uploaders; i++)
		if (r->uploaders[i].runs)
			pthread_join(r->uploaders[i].thread, NULL);
	for (unsigned i = 0; i < r->n_uploaders; i++)
		r->uploaders[i].runs = false;
}
