/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "repo/base/auto.h"
#include "repo/base/buf.h"
#include "repo/write/spread.h"

/* Pages remembered: a metadata of gigabytes. */
#define PAGES_MAX (1u << 20)
/* A tree with more packs is too big for few of them to matter. */
#define PACKS_MAX 1024

struct spread_page {
	uint8_t id[CHUNK_ID_LEN];
	struct frame_place at;
	uint32_t len; /* 0: an empty slot */
};

void
spread_init(struct spread *s, const struct record *parent,
	const struct avoid *avoid)
{
	memset(s, 0, sizeof(*s));
	s->avoid = avoid;
	pthread_mutex_init(&s->lock, NULL);
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
	free(s->pages);
	pthread_mutex_destroy(&s->lock);
}

/* -- Pages of the snapshot before ---------------------------------------------- */

/* The slot of an id, or the empty one where it belongs. */
static struct spread_page *
slot_of(struct spread *s, const uint8_t id[CHUNK_ID_LEN])
{
	size_t i;

	memcpy(&i, id, sizeof(i));
	for (;; i++) {
		struct spread_page *p = &s->pages[i & (s->cap_pages - 1)];

		if (!p->len || !memcmp(p->id, id, CHUNK_ID_LEN))
			return p;
	}
}

static void
grow(struct spread *s)
{
	auto_free struct spread_page *old = s->pages;
	size_t n = s->cap_pages;

	s->cap_pages = n ? n * 2 : 1024;
	s->pages = xcalloc(s->cap_pages, sizeof(*s->pages));
	for (size_t i = 0; i < n; i++) {
		if (old[i].len)
			*slot_of(s, old[i].id) = old[i];
	}
}

void
spread_before(struct spread *s, const struct ref *r)
{
	auto_lock(&s->lock);
	struct spread_page *p;

	if (s->n_pages == PAGES_MAX)
		return;
	if ((s->n_pages + 1) * 4 > s->cap_pages * 3)
		grow(s);
	p = slot_of(s, r->id);
	s->n_pages += p->len == 0;
	memcpy(p->id, r->id, CHUNK_ID_LEN);
	p->at = r->place;
	p->len = r->chunk_len;
}

static bool
find_before(struct spread *s, struct ref *r)
{
	auto_lock(&s->lock);
	const struct spread_page *p;

	if (!s->n_pages)
		return false;
	p = slot_of(s, r->id);
	r->place = p->at;
	r->chunk_off = 0;
	r->chunk_len = p->len;
	return p->len > 0 && !avoid_has(s->avoid, &p->at);
}

/* The map of a file that has more is more than little. */
#define FILE_MAX (64u << 20)

static bool
has_little_map(const struct entry *en)
{
	return S_ISREG(en->mode) && en->content == CONTENT_MAP &&
	       en->size <= FILE_MAX;
}

static bool
gathers(const struct spread *s, const struct frame_place *at)
{
	for (uint32_t i = 0; i < s->n_gather; i++) {
		if (!memcmp(s->gather[i].id, at->pack, OBJECT_ID_LEN))
			return true;
	}
	return false;
}

bool
spread_gathers(const struct spread *s, const struct entry *en)
{
	return has_little_map(en) && gathers(s, &en->ref.place);
}

int
spread_find(struct spread *s, struct known *known, struct ref *r)
{
	int rc = known_find_placed(known, r);

	if (!rc || find_before(s, r))
		rc = 0;
	else
		rc = known_find(known, r);
	return !rc && gathers(s, &r->place) ? -ENOENT : rc;
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
spread_use_entry(struct spread *s, const struct entry *en)
{
	if (has_little_map(en))
		spread_use(s, &en->ref.place);
}

void
spread_carry(struct spread *s, const struct record *parent)
{
	for (uint32_t i = 0; i < parent->n_page_packs; i++) {
		struct frame_place at = { .len = 0 };
		struct page_pack *p;

		memcpy(at.pack, parent->page_packs[i].id, OBJECT_ID_LEN);
		p = pack_of(s, &at);
		if (p)
			p->bytes += parent->page_packs[i].bytes;
	}
}

void
spread_note(const struct spread *s, struct record *r)
{
	record_reset_page_packs(r);
	for (size_t i = 0; i < s->n && s->n < PACKS_MAX; i++) {
		if (s->packs[i].bytes < SPREAD_LITTLE &&
			r->n_page_packs < RECORD_PAGE_PACKS_MAX)
			r->page_packs[r->n_page_packs++] = s->packs[i];
	}
}
