/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/write/spread.h"

/* A tree with more packs is too big for few of them to matter. */
#define PACKS_MAX 1024

void
spread_init(struct spread *s, const struct record *parent)
{
	memset(s, 0, sizeof(*s));
	if (parent->n_page_packs <= SPREAD_MAX)
		return;
	s->n_gather = parent->n_page_packs;
	memcpy(s->gather, parent->page_packs,
		s->n_gather * sizeof(*s->gather));
}

void
spread_release(struct spread *s)
{
	free(s->packs);
}

bool
spread_gathers(const struct spread *s, const struct frame_place *at)
{
	for (uint32_t i = 0; i < s->n_gather; i++) {
		if (!memcmp(s->gather[i].id, at->pack, OBJECT_ID_LEN))
			return true;
	}
	return false;
}

static struct page_pack *
pack_of(struct spread *s, const struct frame_place *at)
{
	for (size_t i = s->n; i-- > 0;) {
		if (!memcmp(s->packs[i].id, at->pack, OBJECT_ID_LEN))
			return &s->packs[i];
	}
	if (s->n == PACKS_MAX)
		return NULL;
	if (s->n == s->cap) {
		s->cap = s->cap ? s->cap * 2 : 16;
		s->packs = xrealloc(s->packs, s->cap * sizeof(*s->packs));
	}
	memcpy(s->packs[s->n].id, at->pack, OBJECT_ID_LEN);
	s->packs[s->n].bytes = 0;
	return &s->packs[s->n++];
}

void
spread_use(struct spread *s, const struct frame_place *at)
{
	struct page_pack *p = pack_of(s, at);

	if (p)
		p->bytes += at->len;
}

void
spread_note(const struct spread *s, struct record *r)
{
	r->n_page_packs = 0;
	for (size_t i = 0; i < s->n && s->n < PACKS_MAX; i++) {
		if (s->packs[i].bytes < SPREAD_LITTLE &&
			r->n_page_packs < RECORD_PAGE_PACKS_MAX)
			r->page_packs[r->n_page_packs++] = s->packs[i];
	}
}
