/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pages that wait to be read are a stack of references; a page is let go of
 * before what it leads to is read. */
#include "repo/write/refers.h"

#include <errno.h>
#include <sys/stat.h>
#include "repo/base/auto.h"

struct refers {
	struct fetch *fetch;
	int (*each)(void *ctx, const struct ref *r, struct err *e);
	void *ctx;
	struct ref *stack;
	size_t n, cap;
};

/* A page that will be read. */
static void
push(struct refers *w, const struct ref *r)
{
	if (w->n == w->cap) {
		w->cap = w->cap ? w->cap * 2 : 256;
		w->stack = xrealloc(w->stack, w->cap * sizeof(*w->stack));
	}
	w->stack[w->n++] = *r;
}

static int
tell_entry(struct refers *w, const struct entry *en, struct err *e)
{
	int r = 0;

	if (en->xattrs_ref)
		r = w->each(w->ctx, en->xattrs_ref, e);
	if (!r && en->content == CONTENT_CHUNK)
		r = w->each(w->ctx, &en->ref, e);
	if (!r && en->content == CONTENT_MAP)
		push(w, &en->ref);
	return r;
}

static int
tell_extent(struct refers *w, const struct page *p, uint32_t i, struct err *e)
{
	struct extent x;

	page_extent(p, i, &x);
	return x.hole ? 0 : w->each(w->ctx, &x.ref, e);
}

static int
tell_page(struct refers *w, const struct page *p, struct err *e)
{
	int r = 0;

	for (uint32_t i = 0; i < p->n && !r; i++) {
		if (p->kind == PAGE_DIR_LEAF)
			r = tell_entry(w, &p->entries[i], e);
		else if (p->kind == PAGE_EXTENT_LEAF)
			r = tell_extent(w, p, i, e);
		else
			push(w, &p->inners[i].ref);
	}
	return r;
}

static int
read_page(struct refers *w, const struct ref *at, struct err *e)
{
	auto_frame struct frame *frame = NULL;
	struct page *p = NULL;
	const uint8_t *data;
	int r = w->each(w->ctx, at, e);

	if (!r)
		r = fetch_chunk(w->fetch, at, &frame, &data, e);
	if (!r)
		r = page_decode(data, at->chunk_len, &p, e);
	if (r)
		return r;
	r = p->kind == PAGE_ROOT
		    ? err_set(e, EUCLEAN, "a page of another kind")
		    : tell_page(w, p, e);
	page_free(p);
	return r;
}

int
refers_walk(struct fetch *f, const struct entry *root,
	int (*each)(void *ctx, const struct ref *r, struct err *e), void *ctx,
	struct err *e)
{
	struct refers w = { .fetch = f, .each = each, .ctx = ctx };
	int r = tell_entry(&w, root, e);

	while (!r && w.n) {
		struct ref at = w.stack[--w.n];

		r = read_page(&w, &at, e);
	}
	free(w.stack);
	return r;
}
