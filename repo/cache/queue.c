/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is given to the cache waits here, in order, for one thread that does
 * it.  Jobs stay in the queue until they are done, so that what is under way
 * counts as well.
 */
#include <errno.h>
#include <string.h>
#include <time.h>
#include "repo/base/clock.h"
#include "repo/base/thread.h"
#include "repo/cache/private.h"

#define QUEUE_DEFAULT (16u << 20)
#define BATCH_BYTES (8u << 20)
#define BATCH_JOBS 512
#define ROOM_WAIT_MS 200
#define IDLE_S 30
#define AUDIT_AFTER_S 10

/* -- Giving -------------------------------------------------------------- */

static struct job *
job_new(enum job_kind kind, const struct key *k, const void *data, size_t len)
{
	struct job *j = xmalloc(sizeof(*j) + len);

	*j = (struct job){ .kind = kind, .key = *k, .len = len };
	if (len)
		memcpy(j->data, data, len);
	return j;
}

static size_t
weight(const struct job *j)
{
	return sizeof(*j) + (j->kind == JOB_FORGET ? 0 : (size_t)j->len);
}

/* With the lock held: wait for room, at most ROOM_WAIT_MS unless patient. */
static bool
wait_for_room(struct queue *q, size_t len)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += ROOM_WAIT_MS * 1000000L;
	until.tv_sec += until.tv_nsec / 1000000000L;
	until.tv_nsec %= 1000000000L;
	while (q->bytes > 0 && q->bytes + len > q->max) {
		if (q->patient)
			pthread_cond_wait(&q->moved, &q->lock);
		else if (q->stuck || pthread_cond_timedwait(&q->moved, &q->lock,
					     &until) == ETIMEDOUT)
			return !(q->stuck = true);
	}
	return true;
}

/* With the lock held. */
static void
append(struct queue *q, struct job *j)
{
	*q->last = j;
	q->last = &j->next;
	q->bytes += weight(j);
	q->given++;
	pthread_cond_signal(&q->work);
}

static void
give(struct cache *c, struct job *j)
{
	struct queue *q = &c->queue;
	bool room;

	pthread_mutex_lock(&q->lock);
	room = j->kind == JOB_FORGET || wait_for_room(q, weight(j));
	if (room)
		append(q, j);
	pthread_mutex_unlock(&q->lock);
	if (room)
		return;
	c->dropped += j->len;
	queue_failed(c, -EBUSY, "cannot write fast enough");
	free(j);
}

void
cache_write(struct cache *c, const char *name, uint64_t off, const void *data,
	size_t len)
{
	struct key k;
	struct job *j;

	if (c->any || !len || off > INT64_MAX - (uint64_t)len)
		return;
	files_key(&k, c->repository, name);
	j = job_new(JOB_WRITE, &k, data, len);
	j->off = off;
	give(c, j);
}

void
cache_put(struct cache *c, const char *name, const void *data, size_t len)
{
	struct key k;

	if (c->any || !len || len > CACHE_WHOLE_MAX)
		return;
	files_key(&k, c->repository, name);
	give(c, job_new(JOB_PUT, &k, data, len));
}

void
queue_forget(struct cache *c, const struct key *k, uint64_t off, uint64_t len)
{
	struct job *j = job_new(JOB_FORGET, k, NULL, 0);
	uint64_t to = len > INT64_MAX - off ? INT64_MAX : off + len;

	j->off = off;
	j->len = to - off;
	give(c, j);
	objects_removed(&c->objects, k, off, to);
}

void
cache_forget(struct cache *c, const char *name, uint64_t off, uint64_t len)
{
	struct key k;

	if (c->any || !len || off > INT64_MAX)
		return;
	files_key(&k, c->repository, name);
	c->forgotten++;
	queue_forget(c, &k, off, len);
}

void
queue_subtract(struct cache *c, const struct key *k, struct ranges *set)
{
	auto_lock(&c->queue.lock);

	for (const struct job *j = c->queue.first; j; j = j->next)
		if (j->kind == JOB_FORGET &&
			memcmp(&j->key, k, sizeof(*k)) == 0)
			ranges_remove(set, j->off, j->off + j->len);
}

/* -- Failing, and waiting for the end ------------------------------------ */

void
queue_failed(struct cache *c, int r, const char *what)
{
	auto_lock(&c->queue.lock);

	if (!c->queue.failed.code)
		err_sys(&c->queue.failed, -r, "cache %s: %s", c->files.path,
			what);
	cache_complain(c, -r, what);
}

int
cache_sync(struct cache *c, struct err *e)
{
	struct queue *q = &c->queue;
	auto_lock(&q->lock);
	uint64_t given = q->given;
	int code;

	while (q->done < given)
		pthread_cond_wait(&q->moved, &q->lock);
	code = q->failed.code;
	if (code && e)
		*e = q->failed;
	q->failed.code = 0;
	return -code;
}

/* -- The thread ---------------------------------------------------------- */

/* Jobs at the head that are done together; with the lock held. */
static size_t
take_batch(const struct queue *q, size_t max, const struct job **jobs)
{
	size_t n = 0, bytes = 0;

	for (const struct job *j = q->first; j; j = j->next) {
		if (n && (j->kind != JOB_WRITE || n == BATCH_JOBS ||
				 bytes + j->len > max))
			break;
		jobs[n++] = j;
		bytes += (size_t)j->len;
		if (j->kind != JOB_WRITE)
			break;
	}
	return n;
}

static void
do_jobs(struct cache *c, const struct job *const *jobs, size_t n)
{
	const struct job *j = jobs[0];
	int r;

	switch (j->kind) {
	case JOB_WRITE:
		batch_write(c, jobs, n);
		break;
	case JOB_PUT:
		whole_put(c, j);
		break;
	case JOB_FORGET:
		r = cache_enter(c, LOCK_WAIT_COMMAND_MS, NULL);
		if (r == 0) {
			r = evict_range(c, &j->key, j->off, j->len, true, NULL);
			cache_leave(c);
		}
		if (cache_checked(c, r) < 0)
			queue_failed(c, r, "cannot forget");
	}
}

/* Take the first n jobs off; with the lock held. */
static void
finish(struct queue *q, size_t n)
{
	while (n-- > 0) {
		struct job *j = q->first;

		q->first = j->next;
		if (!q->first)
			q->last = &q->first;
		q->bytes -= weight(j);
		q->done++;
		free(j);
	}
	q->stuck = false;
	pthread_cond_broadcast(&q->moved);
}

/* Wait for something to do; false when `seconds` have passed without. */
static bool
wait_for_work(struct queue *q, time_t seconds)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += seconds;
	while (!q->first && !q->stopping)
		if (pthread_cond_timedwait(&q->work, &q->lock, &until) ==
			ETIMEDOUT)
			return false;
	return true;
}

static void
do_first(struct cache *c)
{
	struct queue *q = &c->queue;
	const struct job *jobs[BATCH_JOBS];
	size_t max = c->batch_max < BATCH_BYTES ? c->batch_max : BATCH_BYTES;
	size_t n = take_batch(q, max, jobs);

	pthread_mutex_unlock(&q->lock);
	do_jobs(c, jobs, n);
	pthread_mutex_lock(&q->lock);
	finish(q, n);
}

/* What is done from time to time; without the lock. */
static void
look_after(struct cache *c, bool idle, int64_t *flushed_ns, bool *audited)
{
	if (idle || clock_mono_ns() - *flushed_ns > IDLE_S * NS_PER_S) {
		uses_flush(c);
		*flushed_ns = clock_mono_ns();
	}
	if (idle && !*audited) {
		rebuild_audit(c);
		*audited = true;
	}
}

static void *
work(void *arg)
{
	struct cache *c = arg;
	struct queue *q = &c->queue;
	int64_t flushed_ns = clock_mono_ns();
	bool audited = c->any;

	pthread_mutex_lock(&q->lock);
	while (q->first || !q->stopping) {
		bool busy = wait_for_work(q, audited ? IDLE_S : AUDIT_AFTER_S);

		if (q->first)
			do_first(c);
		pthread_mutex_unlock(&q->lock);
		look_after(c, !busy, &flushed_ns, &audited);
		pthread_mutex_lock(&q->lock);
	}
	pthread_mutex_unlock(&q->lock);
	uses_flush(c);
	return NULL;
}

/* -- Starting and stopping ----------------------------------------------- */

static void
cond_init(pthread_cond_t *cond)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(cond, &attr);
	pthread_condattr_destroy(&attr);
}

int
queue_start(struct cache *c, const struct cache_options *o, struct err *e)
{
	struct queue *q = &c->queue;
	int r;

	pthread_mutex_init(&q->lock, NULL);
	cond_init(&q->work);
	cond_init(&q->moved);
	q->last = &q->first;
	q->max = o->queue ? o->queue : QUEUE_DEFAULT;
	q->patient = o->patient;
	r = thread_start(&q->thread, work, c);
	return r ? err_sys(e, r, "cannot start a thread for the cache") : 0;
}

void
queue_stop(struct cache *c)
{
	struct queue *q = &c->queue;

	pthread_mutex_lock(&q->lock);
	q->stopping = true;
	pthread_cond_signal(&q->work);
	pthread_mutex_unlock(&q->lock);
	pthread_join(q->thread, NULL);
	pthread_cond_destroy(&q->work);
	pthread_cond_destroy(&q->moved);
	pthread_mutex_destroy(&q->lock);
}
