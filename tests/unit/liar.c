/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/liar.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include "repo/base/buf.h"

#define NAMES_MAX 400

static struct liar *
liar_of(struct store *s)
{
	return (struct liar *)s;
}

/* A listing as it is. */
struct names {
	char names[NAMES_MAX][STORE_NAME_MAX + 1];
	struct store_object o[NAMES_MAX];
	size_t n;
};

static bool
note(void *ctx, const struct store_object *o)
{
	struct names *l = ctx;

	assert(l->n < NAMES_MAX);
	snprintf(l->names[l->n], sizeof(l->names[0]), "%s", o->name);
	l->o[l->n] = *o;
	l->o[l->n].name = l->names[l->n];
	l->n++;
	return true;
}

static bool
tell_lie(enum lie lie, const struct names *l, size_t i,
	bool (*each)(void *ctx, const struct store_object *o), void *ctx)
{
	struct store_object o = l->o[i];

	if (lie == LIE_EMPTY || (lie == LIE_SHORT && i > 0) ||
		(lie == LIE_SPARSE && i % 2 == 0) ||
		(lie == LIE_LAST && i + 1 == l->n))
		return true;
	if (lie == LIE_SWAP && (i ^ 1) < l->n)
		o = l->o[i ^ 1];
	if (lie == LIE_SMALL)
		o.size /= 2;
	return each(ctx, &o) && (lie != LIE_TWICE || each(ctx, &o));
}

static int
list_objects(struct store *s, const struct store_query *q,
	bool (*each)(void *ctx, const struct store_object *o), void *ctx,
	struct err *e)
{
	struct liar *liar = liar_of(s);
	bool lies = strncmp(q->prefix, liar->prefix, strlen(liar->prefix)) == 0;
	struct names *l = xcalloc(1, sizeof(*l));
	int r = q->folder ? store_list_folder(liar->inner, q->prefix, note, l, e)
			  : store_list_objects(liar->inner, q->prefix, q->after,
				    note, l, e);

	if (lies && liar->honest && ++liar->n >= liar->honest)
		lies = false;
	for (size_t i = 0; i < l->n && !r; i++) {
		if (!tell_lie(lies ? liar->lie : LIE_NOTHING, l, i, each, ctx))
			break;
	}
	free(l);
	return r;
}

struct plain {
	bool (*each)(void *ctx, const char *name, uint64_t size);
	void *ctx;
};

static bool
pass_on(void *ctx, const struct store_object *o)
{
	struct plain *p = ctx;

	return p->each(p->ctx, o->name, o->size);
}

static int
list(struct store *s, const char *prefix, const char *after,
	bool (*each)(void *ctx, const char *name, uint64_t size), void *ctx,
	struct err *e)
{
	struct plain p = { each, ctx };

	return list_objects(s,
		&(struct store_query){ .prefix = prefix, .after = after },
		pass_on, &p, e);
}

static int
get(struct store *s, const char *name, uint64_t off, size_t len, void *buf,
	size_t *got, const struct store_call *call, struct err *e)
{
	return store_get_call(
		liar_of(s)->inner, name, off, len, buf, got, call, e);
}

static int
size(struct store *s, const char *name, uint64_t *n, struct err *e)
{
	return store_size(liar_of(s)->inner, name, n, e);
}

static void
stats(struct store *s, struct store_stats *st)
{
	store_stats(liar_of(s)->inner, st);
}

static void
nothing(struct store *s)
{
	(void)s;
}

static const struct store_ops liar_ops = {
	.get = get,
	.size = size,
	.list = list,
	.list_objects = list_objects,
	.stats = stats,
	.free = nothing,
};

void
liar_init(struct liar *liar, struct store *inner)
{
	liar->inner = inner;
	liar->store = (struct store){ .ops = &liar_ops, .name = inner->name };
}
