/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Places are collected as they come and sorted now and then: of those of one
 * page the last one stays.
 */
#include "repo/foreign/litestream03/pages.h"

#include <errno.h>
#include <string.h>
#include "repo/base/buf.h"

#define FIRST_CAP 1024

void
ls03_pages_release(struct ls03_pages *p)
{
	free(p->places);
	p->places = NULL;
}

static int
compare(const void *left, const void *right)
{
	const struct ls03_place *a = left, *b = right;

	if (a->pgno != b->pgno)
		return a->pgno < b->pgno ? -1 : 1;
	if (a->segment != b->segment)
		return a->segment < b->segment ? -1 : 1;
	return a->frame < b->frame ? -1 : a->frame > b->frame;
}

static void
sort(struct ls03_pages *p)
{
	size_t kept = 0;

	if (p->n > 0)
		qsort(p->places, p->n, sizeof(*p->places), compare);
	for (size_t i = 0; i < p->n; i++) {
		if (kept > 0 && p->places[kept - 1].pgno == p->places[i].pgno)
			kept--;
		p->places[kept++] = p->places[i];
	}
	p->n = kept;
}

static int
make_room(struct ls03_pages *p, struct err *e)
{
	if (p->n < p->cap)
		return 0;
	sort(p);
	if (p->n > LS03_PAGES_MAX)
		return err_set(e, EFBIG,
			"logs change more than %u pages of the database",
			LS03_PAGES_MAX);
	if (p->n >= p->cap / 2) {
		p->cap = p->cap ? 2 * p->cap : FIRST_CAP;
		p->places = xrealloc(p->places, p->cap * sizeof(*p->places));
	}
	return 0;
}

/* The file is cut to its size before the next log. */
static void
cut(struct ls03_pages *p)
{
	size_t kept = 0;

	for (size_t i = 0; i < p->n; i++)
		if (p->places[i].pgno <= p->n_pages)
			p->places[kept++] = p->places[i];
	p->n = kept;
	if (p->n_pages < p->base_pages)
		p->base_pages = p->n_pages;
}

/* The number of frames up to the last commit among the first n. */
static size_t
committed(const struct ls03_log *log, size_t n)
{
	while (n > 0 && log->frames[n - 1].commit_pages == 0)
		n--;
	return n;
}

int
ls03_pages_add(struct ls03_pages *p, const struct ls03_log *log,
	size_t n_frames, bool whole, struct err *e)
{
	size_t n = committed(log, n_frames), seg = 0;
	int r = 0;

	if (p->page_size != 0 && p->page_size != log->page_size)
		return err_set(e, EUCLEAN,
			"logs of one generation have pages of %u and of %u "
			"bytes",
			p->page_size, log->page_size);
	p->page_size = log->page_size;
	for (size_t i = 0; i < n && r == 0; i++) {
		while (log->segments[seg].end <= i)
			seg++;
		r = make_room(p, e);
		if (r == 0)
			p->places[p->n++] = (struct ls03_place){
				.pgno = log->frames[i].pgno,
				.segment = (uint32_t)(log->first + seg),
				.frame = (uint32_t)i
			};
	}
	if (r == 0 && n > 0)
		p->n_pages = log->frames[n - 1].commit_pages;
	if (r == 0 && n > 0 && whole)
		cut(p);
	return r;
}

void
ls03_pages_end(struct ls03_pages *p)
{
	sort(p);
}

const struct ls03_place *
ls03_pages_find(const struct ls03_pages *p, uint32_t pgno)
{
	size_t low = 0, high = p->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (p->places[middle].pgno < pgno)
			low = middle + 1;
		else
			high = middle;
	}
	return low < p->n && p->places[low].pgno == pgno ? &p->places[low]
							 : NULL;
}
