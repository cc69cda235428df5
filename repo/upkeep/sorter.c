/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory is filled, sorted and written as a run.  Reading, each run has an
 * equal part of the memory as its window, and a heap of the runs says which
 * has the least record.  What fits memory is never written.
 */
#include "repo/upkeep/sorter.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "repo/base/buf.h"
#include "repo/upkeep/scratch.h"

struct run {
	uint64_t begin, n; /* in records of the file */
	uint64_t next;	   /* the first that is not in the window */
	uint8_t *window;
	size_t i, filled;
};

struct sorter {
	size_t size, max; /* of a record; records in memory */
	int (*compare)(const void *, const void *);
	uint8_t *memory;
	size_t n, cap; /* records in memory */
	uint64_t total, written;
	int fd;
	struct run *runs;
	size_t n_runs;
	size_t *heap; /* numbers of runs, least record first */
	size_t n_heap;
	bool reading;
	size_t window; /* records; without runs: the next record */
	uint8_t *handed; /* out last */
};

struct sorter *
sorter_new(size_t size, int (*compare)(const void *, const void *),
	size_t memory)
{
	struct sorter *s = xcalloc(1, sizeof(*s));

	s->size = size;
	s->compare = compare;
	s->max = memory / size > 16 ? memory / size : 16;
	s->fd = -1;
	s->handed = xmalloc(size);
	return s;
}

void
sorter_free(struct sorter *s)
{
	if (!s)
		return;
	if (s->fd >= 0)
		close(s->fd);
	free(s->memory);
	free(s->runs);
	free(s->heap);
	free(s->handed);
	free(s);
}

uint64_t
sorter_n(const struct sorter *s)
{
	return s->total;
}

/* -- Adding ----------------------------------------------------------------- */

static int
write_fully(struct sorter *s, const uint8_t *data, size_t len, uint64_t off,
	struct err *e)
{
	while (len) {
		ssize_t n = pwrite(s->fd, data, len, (off_t)off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, errno, "cannot write a scratch file");
		data += n;
		len -= (size_t)n;
		off += (uint64_t)n;
	}
	return 0;
}

static void
sort_memory(struct sorter *s)
{
	if (s->n)
		qsort(s->memory, s->n, s->size, s->compare);
}

static int
write_run(struct sorter *s, struct err *e)
{
	int r;

	if (s->fd < 0)
		s->fd = scratch_file(e);
	if (s->fd < 0)
		return s->fd;
	sort_memory(s);
	r = write_fully(s, s->memory, s->n * s->size, s->written * s->size, e);
	if (r)
		return r;
	s->runs = xrealloc(s->runs, (s->n_runs + 1) * sizeof(*s->runs));
	s->runs[s->n_runs++] = (struct run){ .begin = s->written, .n = s->n };
	s->written += s->n;
	s->n = 0;
	return 0;
}

int
sorter_add(struct sorter *s, const void *record, struct err *e)
{
	if (s->n == s->cap && s->cap < s->max) {
		s->cap = s->cap ? s->cap * 2 : 1024;
		if (s->cap > s->max)
			s->cap = s->max;
		s->memory = xrealloc(s->memory, s->cap * s->size);
	}
	if (s->n == s->cap) {
		int r = write_run(s, e);

		if (r)
			return r;
	}
	memcpy(s->memory + s->n++ * s->size, record, s->size);
	s->total++;
	return 0;
}

/* -- Reading ------------------------------------------------------------------ */

static int
fill(struct sorter *s, struct run *run, struct err *e)
{
	uint64_t left = run->begin + run->n - run->next;
	size_t want = left < s->window ? (size_t)left : s->window, got = 0;

	while (got < want * s->size) {
		ssize_t n = pread(s->fd, run->window + got,
			want * s->size - got,
			(off_t)(run->next * s->size + got));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_sys(e, n ? errno : EIO,
				"cannot read a scratch file");
		got += (size_t)n;
	}
	run->next += want;
	run->filled = want;
	run->i = 0;
	return 0;
}

static const uint8_t *
head(const struct sorter *s, size_t at)
{
	const struct run *run = &s->runs[s->heap[at]];

	return run->window + run->i * s->size;
}

static void
sink_down(struct sorter *s, size_t at)
{
	for (;;) {
		size_t least = at, child = 2 * at + 1, was;

		for (size_t c = child; c < child + 2 && c < s->n_heap; c++) {
			if (s->compare(head(s, c), head(s, least)) < 0)
				least = c;
		}
		if (least == at)
			return;
		was = s->heap[at];
		s->heap[at] = s->heap[least];
		s->heap[least] = was;
		at = least;
	}
}

/* Everything is in the file; memory becomes windows. */
static int
begin_merge(struct sorter *s, struct err *e)
{
	int r = 0;

	s->window = s->max / s->n_runs;
	if (!s->window)
		s->window = 1;
	s->memory = xrealloc(s->memory, s->window * s->n_runs * s->size);
	free(s->heap);
	s->heap = xcalloc(s->n_runs, sizeof(*s->heap));
	s->n_heap = s->n_runs;
	for (size_t i = 0; i < s->n_runs && !r; i++) {
		s->runs[i].window = s->memory + i * s->window * s->size;
		s->runs[i].next = s->runs[i].begin;
		s->heap[i] = i;
		r = fill(s, &s->runs[i], e);
	}
	for (size_t i = s->n_heap; i-- > 0 && !r;)
		sink_down(s, i);
	return r;
}

int
sorter_read(struct sorter *s, struct err *e)
{
	bool again = s->reading;
	int r = 0;

	s->reading = true;
	if (!s->n_runs) {
		if (!again)
			sort_memory(s);
		s->window = 0;
		return 0;
	}
	if (!again && s->n)
		r = write_run(s, e);
	s->n_heap = 0;
	return r ? r : begin_merge(s, e);
}

/* The record that was handed out last is over: what is behind it in its run? */
static int
advance(struct sorter *s, struct err *e)
{
	struct run *run = &s->runs[s->heap[0]];
	int r = 0;

	if (++run->i == run->filled) {
		if (run->next == run->begin + run->n)
			s->heap[0] = s->heap[--s->n_heap];
		else
			r = fill(s, run, e);
	}
	if (!r && s->n_heap)
		sink_down(s, 0);
	return r;
}

int
sorter_next(struct sorter *s, const void **record, struct err *e)
{
	int r;

	if (!s->n_runs) {
		if (s->window == s->n)
			return 0;
		*record = s->memory + s->window++ * s->size;
		return 1;
	}
	if (!s->n_heap)
		return 0;
	memcpy(s->handed, head(s, 0), s->size);
	*record = s->handed;
	r = advance(s, e);
	return r ? r : 1;
}
