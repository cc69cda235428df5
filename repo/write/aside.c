/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A second very big file at a time.  One that keeps the processors busy leaves
 * the disk idle, one that does not compress the other way round; so the first
 * is read by a thread of its own, and the walk goes on to the next: what lies
 * between is walked, but the next is only begun while jobs wait for those who
 * work and not for the disk.
 *
 * What the walk finds meanwhile has its place in the directory behind the file
 * that is read aside, and waits for that where it is placed (place.c).  Content
 * does not wait; so that each of the two files lies in order, that of the
 * second goes into packs of its own.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include "repo/base/auto.h"
#include "repo/base/log.h"
#include "repo/base/thread.h"
#include "repo/write/run.h"

/* Files from this size on. */
#define ASIDE_MIN (64u << 20)
/* How far the walk goes ahead of one. */
#define AHEAD_ENTRIES 8192
#define AHEAD_BYTES (32u << 20)
/* Jobs that were placed while others waited for those who work; one that was
 * not counts for two that were. */
#define CROWDED 16

static uint64_t
least(const struct run *run)
{
	return run->o->aside_min ? run->o->aside_min : ASIDE_MIN;
}

/* Lock is held.  Whether another file would only be waited for. */
static bool
is_in_the_way(const struct run *run)
{
	return run->crowded < CROWDED && !run->o->aside_min;
}

bool
aside_takes(const struct run *run, uint64_t size)
{
	/* what lies beyond this machine is waited for, not processors; and two
	 * writers of packs would have twice the limit */
	return size >= least(run) && !run->aside.running && !run->w->stash &&
	       !run->o->limit_upload;
}

bool
aside_has_company(const struct run *run, uint64_t size, const char *name)
{
	if (size < least(run) || !run->aside.running)
		return false;
	log_info("%s is read beside %s", name, run->aside.name);
	return true;
}

static void *
aside_main(void *arg)
{
	struct aside *a = arg;
	struct run *run = a->run;

	a->r = run_walk_big(run, &a->file, &a->e);
	if (!a->r) {
		a->job->aside = true;
		a->r = job_send(run, &a->job, &a->e);
	}
	auto_lock(&run->lock);
	run->aside_ended = true;
	pthread_cond_broadcast(&run->changed);
	return NULL;
}

static void
release(struct aside *a)
{
	job_free(a->run, steal(a->job));
	scan_dir_put(a->run->scan, a->file.dir);
	close(a->file.fd);
	free(a->name);
	a->running = false;
}

int
aside_begin(struct run *run, const struct big_file *f, struct err *e)
{
	struct aside *a = &run->aside;
	int r = run_flush(run, e);

	memset(a, 0, sizeof(*a));
	a->run = run;
	a->name = xstrdup(f->name);
	a->file = *f;
	a->file.job = &a->job;
	a->file.dir = scan_dir_get(f->dir);
	a->file.name = a->name;
	a->file.aside = true;
	run->aside_ended = false;
	if (!r && thread_start(&a->thread, aside_main, a))
		r = err_set(e, EAGAIN, "cannot start a thread");
	a->running = r == 0;
	if (r)
		release(a);
	return r;
}

static int
join(struct aside *a, struct err *e)
{
	pthread_join(a->thread, NULL);
	release(a);
	if (a->r)
		*e = a->e;
	return a->r;
}

int
aside_pass(struct run *run, uint64_t size, struct err *e)
{
	struct aside *a = &run->aside;
	bool big = size >= least(run);
	bool far, ended;

	if (!a->running)
		return 0;
	a->entries++;
	a->bytes += big ? 0 : size;
	far = a->entries > AHEAD_ENTRIES || a->bytes > AHEAD_BYTES;
	pthread_mutex_lock(&run->lock);
	while (!run->aside_ended && !run->failed.code &&
		(far || (big && is_in_the_way(run))))
		pthread_cond_wait(&run->changed, &run->lock);
	ended = run->aside_ended || run->failed.code;
	pthread_mutex_unlock(&run->lock);
	return ended ? join(a, e) : 0;
}

int
aside_end(struct run *run, int r, struct err *e)
{
	struct err its = ERR_INIT;

	if (r)
		run_fail(run, e);
	if (!run->aside.running)
		return r;
	if (join(&run->aside, &its) && !r) {
		*e = its;
		r = -its.code;
	}
	return r;
}
