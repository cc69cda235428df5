/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which deltas of a base there are.  A listing is not believed alone: what it
 * lacks, or has with another size, is asked for by its name, and so is what would
 * come behind the newest.
 */
#include "repo/upkeep/check_deltas.h"

#include <errno.h>

struct listing {
	struct check_base *b;
	struct err e;
	int r;
	uint64_t last; /* number told last; 0: none */
	uint64_t bytes;
	bool disordered;
};

static bool
add(void *ctx, const char *name, uint64_t size)
{
	struct listing *l = ctx;
	uint64_t n = delta_name_n(name);

	if (!n || n > DELTA_N_MAX)
		return true;
	if (!l->b->n) { /* the newest comes first */
		l->b->n = n;
		l->r = scratch_grow(&l->b->deltas,
			(n + 1) * sizeof(struct check_delta), &l->e);
	}
	if (l->r)
		return false;
	if (n > l->b->n || (l->last && n >= l->last)) {
		l->disordered = true;
		return true;
	}
	l->last = n;
	l->bytes += size;
	check_delta(l->b, n)->tail.len = size;
	check_delta(l->b, n)->state = DELTA_LISTED;
	return true;
}

static int
list(struct check_base *b, uint64_t *bytes, struct err *e)
{
	const struct delta_place p = delta_place_of(&b->base, 0);
	struct listing l = { .b = b };
	char prefix[OBJECT_NAME_MAX];
	int r;

	delta_prefix(prefix, &p);
	r = store_list(b->c->rp->store, prefix, "", add, &l, e);
	if (!r && l.r) {
		*e = l.e;
		r = l.r;
	}
	if (l.disordered)
		check_listing_fault(b->c, prefix, "was listed out of order");
	*bytes = l.bytes;
	return r;
}

/* The name and size of a delta; -ENOENT leaves e alone. */
static int
size_of(const struct check_base *b, uint64_t n, char name[OBJECT_NAME_MAX],
	uint64_t *size, struct err *e)
{
	const struct delta_place p = delta_place_of(&b->base, n);
	struct err why = ERR_INIT;
	int r;

	delta_name(name, &p);
	r = store_size(b->c->rp->store, name, size, &why);
	if (r && r != -ENOENT)
		*e = why;
	return r;
}

/* Whether the delta behind those that were listed is there. */
static int
has_more(const struct check_base *b, bool *more, struct err *e)
{
	char name[OBJECT_NAME_MAX];
	uint64_t size;
	int r = size_of(b, b->n + 1, name, &size, e);

	*more = !r;
	return r == -ENOENT ? 0 : r;
}

/* All of them; one that came meanwhile is in the next listing. */
int
check_deltas_list(struct check_base *b, uint64_t *bytes, struct err *e)
{
	const struct delta_place p = delta_place_of(&b->base, 0);
	char prefix[OBJECT_NAME_MAX];
	bool more = false;
	int r = list(b, bytes, e);
	uint64_t n = b->n;

	if (!r)
		r = has_more(b, &more, e);
	if (r || !more)
		return r;
	b->n = 0;
	r = list(b, bytes, e);
	delta_prefix(prefix, &p);
	if (!r && b->n <= n)
		check_listing_fault(b->c, prefix, "lacks deltas that are there");
	return r;
}

/* What is wrong with a delta may be the listing's fault. */
int
check_deltas_ask(struct check_base *b, uint64_t n, struct err *e)
{
	const struct check_delta *cd = check_delta(b, n);
	char name[OBJECT_NAME_MAX];
	uint64_t size;
	int r = size_of(b, n, name, &size, e);

	if (!r && cd->state != DELTA_LISTED)
		check_listing_fault(b->c, name, "is there and was not listed");
	else if (!r && size != cd->tail.len)
		check_listing_fault(b->c, name, "was listed with another size");
	return r == -ENOENT ? 0 : r;
}
