/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/native/state_later.h"

#include <stdbool.h>
#include <string.h>
#include <sys/queue.h>
#include "repo/base/auto.h"
#include "repo/base/thread.h"
#include "repo/native/state.h"

struct job {
	STAILQ_ENTRY(job) next;
	char *path;
	struct buf b;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t written = PTHREAD_COND_INITIALIZER;
static STAILQ_HEAD(, job) jobs = STAILQ_HEAD_INITIALIZER(jobs);
static struct job *at_work; /* or NULL; in no list */
static bool working;	     /* a thread is there */

/* The next job (given), or NULL: there is none, and no thread then. */
static struct job *
next(void)
{
	auto_lock(&lock);

	at_work = STAILQ_FIRST(&jobs);
	if (at_work)
		STAILQ_REMOVE_HEAD(&jobs, next);
	else
		working = false;
	pthread_cond_broadcast(&written);
	return at_work;
}

static void
job_free(struct job *j)
{
	buf_release(&j->b);
	free(j->path);
	free(j);
}

static void *
work(void *arg)
{
	struct job *j = next(), *done;

	(void)arg;
	while (j) {
		state_write(j->path, &j->b);
		done = j;
		j = next();
		job_free(done);
	}
	return NULL;
}

/* Whether something of this path (NULL: of any) is not yet written. */
static bool
is_waiting(const char *path)
{
	struct job *j;

	if (at_work && (!path || strcmp(at_work->path, path) == 0))
		return true;
	STAILQ_FOREACH(j, &jobs, next) {
		if (!path || strcmp(j->path, path) == 0)
			return true;
	}
	return false;
}

void
state_later_wait(const char *path)
{
	pthread_mutex_lock(&lock);
	while (is_waiting(path))
		pthread_cond_wait(&written, &lock);
	pthread_mutex_unlock(&lock);
}

static void
wait_for_all(void)
{
	state_later_wait(NULL);
}

/* Nothing is under way while a process is doubled: the other one would wait for a
 * thread that it has not. */
static void
before_fork(void)
{
	pthread_mutex_lock(&lock);
	while (is_waiting(NULL))
		pthread_cond_wait(&written, &lock);
}

static void
after_fork(void)
{
	pthread_mutex_unlock(&lock);
}

static void
wait_when_needed(void)
{
	atexit(wait_for_all);
	pthread_atfork(before_fork, after_fork, after_fork);
}

void
state_later(const char *path, struct buf *b)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct job *j = xcalloc(1, sizeof(*j));
	pthread_t worker;
	bool begin;

	j->path = xstrdup(path);
	j->b = *b;
	*b = (struct buf)BUF_INIT;
	pthread_once(&once, wait_when_needed);
	pthread_mutex_lock(&lock);
	STAILQ_INSERT_TAIL(&jobs, j, next);
	begin = !working;
	working = true;
	pthread_mutex_unlock(&lock);
	if (!begin)
		return;
	if (thread_start(&worker, work, NULL))
		work(NULL);
	else
		pthread_detach(worker);
}
