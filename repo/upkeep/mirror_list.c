/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/upkeep/mirror_private.h"

#define BATCH 1000 /* what one request lists */

void
mirror_list_begin(struct mirror_list *l, struct store *s, const char *prefix)
{
	*l = (struct mirror_list){ .store = s, .prefix = prefix };
	l->batch = xcalloc(BATCH, sizeof(*l->batch));
}

void
mirror_list_end(struct mirror_list *l)
{
	free(l->batch);
}

static bool
add_object(void *ctx, const struct store_object *o)
{
	struct mirror_list *l = ctx;
	struct mirror_object *to = &l->batch[l->n++];

	memcpy(to->name, o->name, strlen(o->name) + 1);
	to->size = o->size;
	to->modified_ns = o->modified_ns;
	return l->n < BATCH;
}

int
mirror_list_peek(struct mirror_list *l, const struct mirror_object **o,
	struct err *e)
{
	int r;

	*o = NULL;
	if (l->i == l->n && !l->ended) {
		l->i = l->n = 0;
		r = store_list_objects(
			l->store, l->prefix, l->after, add_object, l, e);
		if (r)
			return r;
		l->ended = l->n < BATCH;
		if (l->n)
			memcpy(l->after, l->batch[l->n - 1].name,
				sizeof(l->after));
	}
	if (l->i == l->n)
		return 0;
	*o = &l->batch[l->i];
	if (l->i && strcmp(l->batch[l->i - 1].name, (*o)->name) >= 0)
		return err_set(e, EIO, "%s: a listing is not in order",
			l->store->name);
	return 0;
}

void
mirror_names_add(struct mirror_names *all, const struct mirror_object *o)
{
	if (all->n == all->cap) {
		all->cap = all->cap ? all->cap * 2 : 64;
		all->o = xrealloc(all->o, all->cap * sizeof(*all->o));
	}
	all->o[all->n++] = *o;
}

int
mirror_names_load(struct mirror_names *all, struct store *s,
	const char *prefix, struct err *e)
{
	const struct mirror_object *o;
	struct mirror_list l;
	int r;

	mirror_list_begin(&l, s, prefix);
	while (!(r = mirror_list_peek(&l, &o, e)) && o) {
		mirror_names_add(all, o);
		mirror_list_next(&l);
	}
	mirror_list_end(&l);
	return r;
}

void
mirror_names_release(struct mirror_names *all)
{
	free(all->o);
	*all = (struct mirror_names){ .o = NULL };
}

const struct mirror_object *
mirror_names_find(const struct mirror_names *all, const char *prefix)
{
	size_t lo = 0, hi = all->n, len = strlen(prefix);

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (strncmp(all->o[mid].name, prefix, len) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < all->n && !strncmp(all->o[lo].name, prefix, len)
		       ? &all->o[lo]
		       : NULL;
}
