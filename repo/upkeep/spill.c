/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/upkeep/spill.h"

#include <errno.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/upkeep/scratch.h"

/* Of each run, at least a record and at most this is in memory. */
#define WINDOW_MAX (256u << 10)

struct window {
	uint64_t off, left; /* records in the file that are not in memory */
	uint8_t *data;
	size_t n, i;
};

struct spill {
	size_t size;
	size_t max; /* records in the buffer */
	uint8_t *buffer;
	size_t n;
	uint64_t count;
	int fd;	       /* of the runs, or -1 */
	uint64_t *run; /* records of each */
	size_t n_runs;
	/* while it is read: */
	struct window *windows;
	size_t window_max; /* records of one */
	size_t *heap;	   /* of windows, the one with the least first */
	size_t n_heap;
	bool begun; /* the first of the heap was handed out */
};

struct spill *
spill_new(size_t size, size_t memory)
{
	struct spill *s = xcalloc(1, sizeof(*s));

	s->size = size;
	s->max = memory / size ? memory / size : 1;
	s->fd = -1;
	return s;
}

void
spill_free(struct spill *s)
{
	if (!s)
		return;
	for (size_t i = 0; s->windows && i < s->n_runs; i++)
		free(s->windows[i].data);
	free(s->windows);
	free(s->heap);
	free(s->buffer);
	free(s->run);
	if (s->fd >= 0)
		close(s->fd);
	free(s);
}

uint64_t
spill_count(const struct spill *s)
{
	return s->count;
}

static int
compare(const void *a, const void *b, void *size)
{
	return memcmp(a, b, *(const size_t *)size);
}

static void
sort_buffer(struct spill *s)
{
	if (s->n)
		qsort_r(s->buffer, s->n, s->size, compare, &s->size);
}

static int
write_run(struct spill *s, struct err *e)
{
	size_t len = s->n * s->size;

	if (s->fd < 0)
		s->fd = scratch_file(e);
	if (s->fd < 0)
		return s->fd;
	sort_buffer(s);
	for (size_t done = 0; done < len;) {
		ssize_t w = write(s->fd, s->buffer + done, len - done);

		if (w < 0 && errno != EINTR)
			return err_sys(e, errno, "a scratch file");
		done += w < 0 ? 0 : (size_t)w;
	}
	s->run = xrealloc(s->run, (s->n_runs + 1) * sizeof(*s->run));
	s->run[s->n_runs++] = s->n;
	s->n = 0;
	return 0;
}

int
spill_add(struct spill *s, const void *record, struct err *e)
{
	if (!s->buffer)
		s->buffer = xmalloc(s->max * s->size);
	if (s->n == s->max) {
		int r = write_run(s, e);

		if (r)
			return r;
	}
	memcpy(s->buffer + s->n++ * s->size, record, s->size);
	s->count++;
	return 0;
}

/* -- Merging ------------------------------------------------------------------
 */

static int
fill(struct spill *s, struct window *w, struct err *e)
{
	size_t n = w->left < s->window_max ? (size_t)w->left : s->window_max;
	size_t len = n * s->size;

	for (size_t done = 0; done < len;) {
		ssize_t got = pread(s->fd, w->data + done, len - done,
			(off_t)(w->off * s->size + done));

		if (got == 0 || (got < 0 && errno != EINTR))
			return err_sys(e, got ? errno : EIO, "a scratch file");
		done += got < 0 ? 0 : (size_t)got;
	}
	w->off += n;
	w->left -= n;
	w->n = n;
	w->i = 0;
	return 0;
}

static const uint8_t *
head(const struct spill *s, size_t i)
{
	const struct window *w = &s->windows[s->heap[i]];

	return w->data + w->i * s->size;
}

static void
sink_down(struct spill *s, size_t i)
{
	for (;;) {
		size_t least = i, child = 2 * i + 1, w = s->heap[i];

		for (size_t k = child; k < child + 2 && k < s->n_heap; k++) {
			if (memcmp(head(s, k), head(s, least), s->size) < 0)
				least = k;
		}
		if (least == i)
			return;
		s->heap[i] = s->heap[least];
		s->heap[least] = w;
		i = least;
	}
}

/* The buffer's memory is shared among the runs. */
static int
begin_merging(struct spill *s, struct err *e)
{
	uint64_t off = 0;
	int r = s->n ? write_run(s, e) : 0;
	size_t each;

	if (r)
		return r;
	each = s->max * s->size / s->n_runs;
	each = each < WINDOW_MAX ? each : WINDOW_MAX;
	s->window_max = each / s->size ? each / s->size : 1;
	free(steal(s->buffer));
	s->windows = xcalloc(s->n_runs, sizeof(*s->windows));
	s->heap = xcalloc(s->n_runs, sizeof(*s->heap));
	for (size_t i = 0; i < s->n_runs && !r; i++) {
		struct window *w = &s->windows[i];

		*w = (struct window){ .off = off,
			.left = s->run[i],
			.data = xmalloc(s->window_max * s->size) };
		off += s->run[i];
		s->heap[s->n_heap++] = i;
		r = fill(s, w, e);
	}
	for (size_t i = s->n_heap; i-- > 0 && !r;)
		sink_down(s, i);
	return r;
}

int
spill_sort(struct spill *s, struct err *e)
{
	if (s->n_runs)
		return begin_merging(s, e);
	sort_buffer(s);
	s->max = 0; /* what is read next */
	return 0;
}

/* Take what was handed out last off the heap. */
static int
advance(struct spill *s, struct err *e)
{
	struct window *w = &s->windows[s->heap[0]];
	int r = 0;

	if (++w->i == w->n) {
		if (w->left)
			r = fill(s, w, e);
		else
			s->heap[0] = s->heap[--s->n_heap];
	}
	if (!r && s->n_heap)
		sink_down(s, 0);
	return r;
}

int
spill_next(struct spill *s, const void **record, struct err *e)
{
	int r = 0;

	if (!s->n_runs) {
		if (s->max == s->n)
			return 0;
		*record = s->buffer + s->max++ * s->size;
		return 1;
	}
	if (s->begun && s->n_heap)
		r = advance(s, e);
	s->begun = true;
	if (r || !s->n_heap)
		return r;
	*record = head(s, 0);
	return 1;
}
