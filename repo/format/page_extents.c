/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The extents of a leaf stay as they are encoded.  They are all looked at once,
 * which leaves a mark at every few of them to begin from: a third of what
 * decoded ones would take, and a big file has a hundred thousand.
 */
#include "repo/format/page_decode.h"

/* Extents from one mark to the next. */
#define APART 8

/* What is known before an extent is decoded. */
struct extent_mark {
	struct hint_state before;
	uint64_t off;
	uint32_t body, id; /* of the page's bytes, and of its ids */
};

struct extent_leaf {
	const uint8_t *packs, *ids, *body, *body_end; /* borrowed */
	uint64_t n_packs, n_ids;
	struct extent_mark marks[];
};

static void
take_extent(struct decoder *d, uint64_t off, struct extent *x)
{
	uint64_t v = read_varint(&d->r);

	x->off = off;
	x->len = v >> 1;
	x->hole = v & 1;
	if (x->len == 0 || x->len > BYTES_MAX - off)
		page_refuse(d, "an extent is empty or too long");
	if (!x->hole)
		page_take_ref(d, OBJECT_DATA, x->len, false, &x->ref);
	else
		memset(&x->ref, 0, sizeof(x->ref));
}

void
page_take_extents(struct decoder *d, uint64_t off)
{
	struct page *p = d->page;
	size_t n_marks = (p->n + APART - 1) / APART;
	size_t size = sizeof(*p->extents) + n_marks * sizeof(struct extent_mark);
	struct extent_leaf *l = xmalloc(size);
	struct extent x;

	*l = (struct extent_leaf){ .packs = d->packs,
		.ids = d->ids,
		.body = d->r.p,
		.body_end = d->r.end,
		.n_packs = d->n_packs,
		.n_ids = d->n_ids };
	p->extents = l;
	p->memory += size;
	p->off = off;
	for (uint32_t i = 0; i < p->n && !d->r.bad; i++) {
		if (i % APART == 0)
			l->marks[i / APART] = (struct extent_mark){
				.before = d->st.data,
				.off = off,
				.body = (uint32_t)(d->r.p - l->body),
				.id = (uint32_t)(l->n_ids - d->n_ids) };
		take_extent(d, off, &x);
		off += x.len;
	}
	p->end = off;
}

/* To where mark number i is. */
static struct decoder
begin_at(const struct extent_leaf *l, uint32_t i)
{
	const struct extent_mark *m = &l->marks[i];

	return (struct decoder){
		.r = { .p = l->body + m->body, .end = l->body_end },
		.st.data = m->before,
		.packs = l->packs,
		.n_packs = l->n_packs,
		.ids = l->ids + (size_t)m->id * CHUNK_ID_LEN,
		.n_ids = l->n_ids - m->id,
	};
}

void
page_extent(const struct page *p, uint32_t i, struct extent *x)
{
	struct decoder d = begin_at(p->extents, i / APART);

	take_extent(&d, p->extents->marks[i / APART].off, x);
	for (uint32_t left = i % APART; left > 0; left--)
		take_extent(&d, x->off + x->len, x);
}

const uint8_t *
page_extent_packs(const struct page *p, size_t *n)
{
	*n = (size_t)p->extents->n_packs;
	return p->extents->packs;
}

uint32_t
page_extent_at(const struct page *p, uint64_t off, struct extent *x)
{
	const struct extent_mark *marks = p->extents->marks;
	uint32_t lo = 0, n = (p->n + APART - 1) / APART, i;
	struct decoder d;

	while (n - lo > 1) {
		uint32_t mid = lo + (n - lo) / 2;

		if (marks[mid].off <= off)
			lo = mid;
		else
			n = mid;
	}
	d = begin_at(p->extents, lo);
	take_extent(&d, marks[lo].off, x);
	for (i = lo * APART; i + 1 < p->n && x->off + x->len <= off; i++)
		take_extent(&d, x->off + x->len, x);
	return i;
}
