/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The queue between walking, working and placing, and its threads' loops. */
#include <errno.h>
#include <string.h>
#include "repo/base/auto.h"
#include "repo/write/run.h"

int
run_fail(struct run *run, const struct err *e)
{
	auto_lock(&run->lock);
	if (!run->failed.code)
		run->failed = *e;
	pthread_cond_broadcast(&run->changed);
	return -run->failed.code;
}

bool
run_failed(struct run *run)
{
	auto_lock(&run->lock);
	return run->failed.code;
}

void
run_report(struct run *run, const char *path, int code, const char *text)
{
	auto_lock(&run->report_lock);
	run->errors++;
	if (run->o->report)
		run->o->report(run->o->ctx, path, code, text);
}

void
job_free_frames(struct job *j)
{
	for (size_t i = 0; i < j->n_frames; i++) {
		buf_release(&j->frames[i].bytes);
		free(j->frames[i].chunks);
	}
	free(steal(j->frames));
	j->n_frames = 0;
}

void
job_free(struct run *run, struct job *j)
{
	if (!j)
		return;
	for (size_t i = 0; i < j->n_items; i++) {
		if (j->items[i].dir)
			scan_dir_put(run->scan, j->items[i].dir);
	}
	job_free_frames(j);
	free(j->items);
	pickings_release(&j->picked);
	buf_release(&j->arena);
	free(j->memory);
	free(j);
}

struct item *
job_item(struct job **at, enum item_op op)
{
	struct job *j = *at;
	struct item *it;

	if (!j)
		j = *at = xcalloc(1, sizeof(*j));
	if (j->n_items == j->cap_items) {
		j->cap_items = j->cap_items ? j->cap_items * 2 : 32;
		j->items = xrealloc(j->items, j->cap_items * sizeof(*j->items));
	}
	it = &j->items[j->n_items++];
	memset(it, 0, sizeof(*it));
	it->op = (uint8_t)op;
	it->name_at = it->data_at = it->xattrs_at = NOWHERE;
	return it;
}

struct item *
run_item(struct run *run, enum item_op op)
{
	return job_item(&run->job, op);
}

size_t
job_keep(struct job *j, const void *data, size_t len)
{
	return (size_t)(buf_append(&j->arena, data, len) - j->arena.data);
}

void
item_keep(struct item *to, struct buf *arena, const struct item *it,
	const struct job *j)
{
	*to = *it;
	to->dir = NULL;
	arena->len = 0;
	if (it->name_at != NOWHERE) {
		to->name_at = arena->len;
		buf_append(arena, j->arena.data + it->name_at, it->en.name_len);
	}
	if (it->xattrs_at != NOWHERE) {
		to->xattrs_at = arena->len;
		buf_append(arena, j->arena.data + it->xattrs_at,
			it->en.xattrs_len);
	}
}

/* Room for one more job?  An empty queue takes any. */
static bool
full(const struct run *run, const struct job *j)
{
	uint64_t n = run->produced - run->placed;

	return n == JOBS_MAX || (n && run->bytes + j->bytes > JOB_BYTES_MAX);
}

int
job_send(struct run *run, struct job **at, struct err *e)
{
	struct job *j = *at;

	if (!j || !j->n_items)
		return 0;
	auto_lock(&run->lock);
	while (full(run, j) && !run->failed.code)
		pthread_cond_wait(&run->changed, &run->lock);
	if (run->failed.code) {
		*e = run->failed;
		return -e->code;
	}
	*at = NULL;
	j->number = run->produced++;
	run->bytes += j->bytes;
	run->ring[j->number % JOBS_MAX] = j;
	pthread_cond_broadcast(&run->changed);
	return 0;
}

int
run_flush(struct run *run, struct err *e)
{
	return job_send(run, &run->job, e);
}

int
run_between(struct run *run, struct err *e)
{
	const struct job *j = run->job;

	int r;

	if (run->o->interrupted && *run->o->interrupted)
		return err_set(e, ECANCELED, "interrupted");
	r = aside_pass(run, 0, e);
	if (r || !j || (j->n_items < JOB_ITEMS - 2 && j->bytes < SOLID_LEN))
		return r;
	return run_flush(run, e);
}

/* The next job nobody works on; NULL when there will be none. */
static struct job *
next_to_work(struct run *run)
{
	auto_lock(&run->lock);
	while (!run->failed.code && run->worked == run->produced && !run->ended)
		pthread_cond_wait(&run->changed, &run->lock);
	if (run->failed.code || run->worked == run->produced)
		return NULL;
	return run->ring[run->worked++ % JOBS_MAX];
}

void *
run_work_main(void *arg)
{
	struct run *run = arg;
	struct packer *packer = packer_new(
		run->o->zstd_level ? run->o->zstd_level : 3);
	struct job *j;

	while ((j = next_to_work(run))) {
		job_work(run, j, packer);
		auto_lock(&run->lock);
		j->done = true;
		run->n_done++;
		if (j->number == run->placed)
			pthread_cond_broadcast(&run->changed);
	}
	packer_free(packer);
	return NULL;
}

static struct job *
next_to_place(struct run *run)
{
	auto_lock(&run->lock);
	for (;;) {
		struct job *j = run->ring[run->placed % JOBS_MAX];

		if (run->failed.code)
			return NULL;
		if (run->placed < run->produced && j->done)
			return j;
		if (run->placed == run->produced && run->ended)
			return NULL;
		pthread_cond_wait(&run->changed, &run->lock);
	}
}

/* Lock is held.  Jobs are waited for, and there are enough: not for who reads,
 * nor for the disk, before which they would be done. */
static void
note_crowd(struct run *run)
{
	uint64_t n = run->produced - run->placed;

	if (run->bytes >= JOB_BYTES_MAX / 2 && run->n_done * 4 <= n * 3)
		run->crowded++;
	else
		run->crowded -= run->crowded < 2 ? run->crowded : 2;
}

void *
run_place_main(void *arg)
{
	struct run *run = arg;
	struct job *j;

	while ((j = next_to_place(run))) {
		struct err e = ERR_INIT;

		if (job_place(run, j, &e)) {
			run_fail(run, &e);
			break;
		}
		pthread_mutex_lock(&run->lock);
		run->ring[run->placed++ % JOBS_MAX] = NULL;
		run->n_done--;
		run->bytes -= j->bytes;
		note_crowd(run);
		pthread_cond_broadcast(&run->changed);
		pthread_mutex_unlock(&run->lock);
		if (!j->deferred)
			job_free(run, j);
	}
	return NULL;
}
