/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which points of a database faults touch.  Deltas are gone through in order,
 * and a table says of each page where it lies as of the delta that was looked
 * at last; so for each cause it is known how many pages lie there, and a point
 * is touched while some do.  Beside that a point needs the records and indexes
 * of its chain, and a reader finds it by the times of the newest delta's chain.
 */
#include "repo/upkeep/check_deltas.h"

#include <string.h>
#include "repo/base/hex.h"

/* -- Causes
 * ----------------------------------------------------------------------- */

uint8_t
check_points_cause(struct check_base *b, const struct check_fault *f,
	enum check_lacks lacks, uint64_t n, uint64_t off)
{
	for (unsigned i = 0; i < b->n_causes; i++) {
		const struct check_cause *k = &b->cause[i];

		if (k->n == n && k->off == off && k->lacks == lacks &&
			(n || k->fault == f->number))
			return (uint8_t)(i + 1);
	}
	/* the last one stands for all that found no room */
	if (b->n_causes == CHECK_CAUSES_MAX)
		return CHECK_CAUSES_MAX;
	b->cause[b->n_causes++] = (struct check_cause){
		.fault = f->number, .lacks = lacks, .n = n, .off = off
	};
	return (uint8_t)b->n_causes;
}

/* The cause that a place in a delta has, if any. */
static uint8_t
cause_at(const struct check_base *b, uint64_t n, uint64_t off)
{
	for (unsigned i = 0; i < b->n_causes && n; i++) {
		const struct check_cause *k = &b->cause[i];

		if (k->n == n &&
			(k->lacks == CHECK_DATA ||
				(k->lacks == CHECK_FRAME && k->off == off)))
			return (uint8_t)(i + 1);
	}
	return 0;
}

static void
tell(struct check_base *b, unsigned cause, uint64_t first, uint64_t last)
{
	struct check_touched t = { .part = CHECK_POINTS,
		.snapshot = b->label,
		.first = first,
		.last = last < check_base_last(b) ? last : check_base_last(b) };

	if (t.first > t.last)
		return;
	hex_encode(t.id, b->base.id, OBJECT_ID_LEN);
	check_fault_touches(b->c, b->c->faults.f[b->cause[cause].fault], &t);
}

/* -- Pages
 * ------------------------------------------------------------------------- */

static void
leave(struct check_base *b, struct check_at *at)
{
	if (at->n && check_delta(b, at->n)->count)
		check_delta(b, at->n)->count--;
	if (at->cause)
		b->cause[at->cause - 1].pages--;
	at->cause = 0;
}

void
check_points_move(struct check_base *b, uint32_t page, uint64_t n, uint64_t off,
	uint16_t slot, uint8_t flags)
{
	struct check_at *at = check_at(b, page);

	leave(b, at);
	*at = (struct check_at){ .n = (uint32_t)n,
		.off = off,
		.slot = slot,
		.flags = (uint8_t)(flags | (at->flags & CHECK_AT_UNKNOWN)),
		.cause = flags & CHECK_AT_ZEROS ? 0 : cause_at(b, n, off) };
	check_delta(b, n)->count++;
	if (!at->cause)
		return;
	b->cause[at->cause - 1].pages++;
	check_proof_forget(b, page);
}

int
check_points_resize(struct check_base *b, uint32_t pages, struct err *e)
{
	for (uint32_t p = pages + 1; p <= b->pages; p++) {
		check_proof_forget(b, p);
		leave(b, check_at(b, p));
		b->unknown -= check_at(b, p)->flags & CHECK_AT_UNKNOWN ? 1 : 0;
		*check_at(b, p) = (struct check_at){ .n = 0 };
	}
	if (pages > b->cap) {
		uint32_t cap = pages + pages / 4 + 64;
		int r = scratch_grow(&b->at, cap * sizeof(struct check_at), e);

		if (!r && b->proving)
			r = scratch_grow(
				&b->hashes, (size_t)cap * PAGE_HASH_LEN, e);
		if (r)
			return r;
		b->cap = cap;
	}
	b->pages = pages;
	return 0;
}

/* Pages of the base in a range that cannot be read. */
static void
spoil(struct check_base *b, const struct check_range *x)
{
	uint32_t size = b->rec->database.page_size;
	const struct check_fault *f = b->c->faults.f[x->fault];
	uint8_t cause = check_points_cause(b, f, CHECK_FRAME, 0, 0);
	uint64_t end = x->off + x->len;

	for (uint64_t p = x->off / size + 1;
		p <= b->pages && (p - 1) * size < end; p++) {
		struct check_at *at = check_at(b, (uint32_t)p);

		if (at->cause)
			continue;
		at->cause = cause;
		b->cause[cause - 1].pages++;
	}
}

int
check_points_begin(struct check_base *b, struct err *e)
{
	int r = check_points_resize(b, b->rec->database.pages, e);

	for (size_t i = 0; i < b->c->bad.n && !r; i++)
		spoil(b, &b->c->bad.r[i]);
	return r;
}

/* -- Points
 * ------------------------------------------------------------------------- */

/* Whether the chain of point m has a delta that the cause is about. */
static bool
in_chain(const struct check_cause *k, uint64_t m)
{
	if (k->lacks != CHECK_RECORD && k->lacks != CHECK_INDEX)
		return false;
	while (m && m != k->n)
		m = delta_before(m);
	return m != 0;
}

void
check_points_at(struct check_base *b, uint64_t n)
{
	for (unsigned i = 0; i < b->n_causes; i++) {
		struct check_cause *k = &b->cause[i];
		bool touched = k->pages || in_chain(k, n);

		if (touched && !k->since)
			k->since = n;
		if (!touched && k->since) {
			tell(b, i, k->since, n - 1);
			k->since = 0;
		}
	}
}

void
check_points_end(struct check_base *b)
{
	for (unsigned i = 0; i < b->n_causes; i++) {
		if (b->cause[i].since)
			tell(b, i, b->cause[i].since, b->n);
	}
	/* what lies in a span is found by its times */
	for (uint64_t m = b->n; m; m = delta_before(m)) {
		for (unsigned i = 0; i < b->n_causes; i++) {
			const struct check_cause *k = &b->cause[i];

			if (k->n == m && (k->lacks == CHECK_RECORD ||
						 k->lacks == CHECK_TIMES))
				tell(b, i, m == b->n ? 1 : delta_before(m) + 1,
					m);
		}
	}
}
