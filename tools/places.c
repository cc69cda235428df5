/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/places.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>
#include "repo/base/buf.h"

static int
compare_names(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* The set's own copy of a name. */
static const char *
intern(struct places *p, const char *name)
{
	char *const *found = tfind(name, &p->names, compare_names);
	char *copy;

	if (found)
		return *found;
	copy = xstrdup(name);
	if (!tsearch(copy, &p->names, compare_names))
		abort();
	return copy;
}

static int
compare(const void *a, const void *b)
{
	const struct view_place *x = a, *y = b;
	int c = x->object == y->object ? 0 : strcmp(x->object, y->object);

	if (c == 0)
		c = (x->off > y->off) - (x->off < y->off);
	return c ? c : (x->len > y->len) - (x->len < y->len);
}

void
places_sort(struct places *p)
{
	size_t n = 0;

	if (p->n_sorted == p->n)
		return;
	qsort(p->at, p->n, sizeof(*p->at), compare);
	for (size_t i = 0; i < p->n; i++)
		if (n == 0 || compare(&p->at[n - 1], &p->at[i]) != 0)
			p->at[n++] = p->at[i];
	p->n = p->n_sorted = n;
}

void
places_add(struct places *p, const struct view_place *at)
{
	const struct view_place *last = p->n ? &p->at[p->n - 1] : NULL;
	const char *object = last && strcmp(last->object, at->object) == 0
				     ? last->object
				     : intern(p, at->object);

	if (last && last->object == object && last->off == at->off &&
		last->len == at->len)
		return;
	if (p->n == p->cap)
		places_sort(p);
	if (p->n >= p->cap / 2) {
		p->cap = p->cap * 2 + 1024;
		p->at = xrealloc(p->at, p->cap * sizeof(*p->at));
	}
	p->at[p->n++] = (struct view_place){ object, at->off, at->len };
}

void
places_join(struct places *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n; i++) {
		struct view_place *last = n ? &p->at[n - 1] : NULL;

		if (last && last->object == p->at[i].object &&
			last->len != UINT64_MAX &&
			last->off + last->len == p->at[i].off)
			last->len += p->at[i].len;
		else
			p->at[n++] = p->at[i];
	}
	p->n = p->n_sorted = n;
}

uint64_t
places_bytes(const struct places *p)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < p->n; i++)
		if (p->at[i].len != UINT64_MAX)
			sum += p->at[i].len;
	return sum;
}

void
places_release(struct places *p)
{
	tdestroy(p->names, free);
	free(p->at);
	*p = (struct places)PLACES_INIT;
}
