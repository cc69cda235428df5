/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/write/scatter.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "repo/base/buf.h"
#include "repo/write/run.h"

/* A tree with more is too big for few requests to matter: 16 bytes each. */
#define FRAMES_MAX (1u << 16)
#define PACKS_MAX 1024

struct scatter_frame {
	uint64_t off;
	uint32_t len;
	uint16_t pack;
	bool movable;
};

/* -- What is gathered ---------------------------------------------------------- */

static int
by_len(const void *x, const void *y)
{
	const struct scattered *a = x, *b = y;

	return (a->len > b->len) - (a->len < b->len);
}

/* Of n stretches by length, how many are gathered. */
static uint32_t
choose(const struct scattered *st, uint32_t n)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < n; i++)
		sum += st[i].len;
	while (n > SCATTER_MAX && st[n - 1].len > sum - st[n - 1].len)
		sum -= st[--n].len;
	return n > SCATTER_MAX ? n : 0;
}

void
scatter_init(struct scatter *s, const struct record *parent, bool off)
{
	memset(s, 0, sizeof(*s));
	s->off = off;
	if (off)
		return;
	s->n_gather = parent->n_scattered;
	if (s->n_gather)
		memcpy(s->gather, parent->scattered,
			s->n_gather * sizeof(*s->gather));
	qsort(s->gather, s->n_gather, sizeof(*s->gather), by_len);
	s->n_gather = choose(s->gather, s->n_gather);
}

void
scatter_release(struct scatter *s)
{
	free(s->frames);
	free(s->packs);
}

/* Whether what holds the file's content can be stored again without reading
 * anything else, and without changing what the file is. */
static bool
is_movable(const struct entry *en)
{
	return en->content == CONTENT_CHUNK && en->link == 0 &&
	       en->size <= SMALL_FILE_MAX;
}

bool
scatter_gathers(const struct scatter *s, const struct entry *en)
{
	const struct frame_place *at = &en->ref.place;

	if (s->n_gather == 0 || !is_movable(en))
		return false;
	for (uint32_t i = 0; i < s->n_gather; i++) {
		const struct scattered *st = &s->gather[i];

		if (at->off >= st->off && at->off - st->off < st->len &&
			!memcmp(st->pack, at->pack, OBJECT_ID_LEN))
			return true;
	}
	return false;
}

/* -- What is noted --------------------------------------------------------------- */

/* PACKS_MAX: there are too many. */
static uint32_t
pack_of(struct scatter *s, const uint8_t id[OBJECT_ID_LEN])
{
	for (uint32_t i = s->n_packs; i-- > 0;) {
		if (!memcmp(s->packs[i], id, OBJECT_ID_LEN))
			return i;
	}
	if (s->n_packs == PACKS_MAX)
		return PACKS_MAX;
	s->packs = xrealloc(s->packs, (s->n_packs + 1) * sizeof(*s->packs));
	memcpy(s->packs[s->n_packs], id, OBJECT_ID_LEN);
	return s->n_packs++;
}

void
scatter_use(struct scatter *s, const struct frame_place *at, bool movable)
{
	struct scatter_frame *f = s->n ? &s->frames[s->n - 1] : NULL;
	uint32_t pack;

	if (s->off || at->object != OBJECT_DATA)
		return;
	pack = pack_of(s, at->pack);
	if (f && f->off == at->off && f->pack == pack) {
		f->movable &= movable;
		return;
	}
	if (pack == PACKS_MAX || s->n == FRAMES_MAX) {
		s->off = true;
		return;
	}
	if (s->n == s->cap) {
		s->cap = s->cap ? s->cap * 2 : 256;
		s->frames = xrealloc(s->frames, s->cap * sizeof(*s->frames));
	}
	s->frames[s->n++] = (struct scatter_frame){ .off = at->off,
		.len = at->len,
		.pack = (uint16_t)pack,
		.movable = movable };
}

void
scatter_use_entry(struct scatter *s, const struct entry *en)
{
	if (en->content == CONTENT_CHUNK)
		scatter_use(s, &en->ref.place, is_movable(en));
}

static int
by_pack(const void *x, const void *y)
{
	const struct scatter_frame *a = x, *b = y;

	if (a->pack != b->pack)
		return a->pack < b->pack ? -1 : 1;
	return (a->off > b->off) - (a->off < b->off);
}

/* The stretch that begins with frame i: returns the first frame behind it.
 * *bytes of frames, or UINT64_MAX if some cannot be moved. */
static size_t
stretch_at(const struct scatter *s, size_t i, struct scattered *st,
	uint64_t *bytes)
{
	const struct scatter_frame *f = &s->frames[i];
	uint64_t end = f->off + f->len;
	bool movable = f->movable;

	memcpy(st->pack, s->packs[f->pack], OBJECT_ID_LEN);
	st->off = f->off;
	*bytes = f->len;
	for (i++; i < s->n; i++) {
		const struct scatter_frame *g = &s->frames[i];

		if (g->pack != f->pack || g->off > end + SCATTER_GAP)
			break;
		movable &= g->movable;
		if (g->off < end)
			continue;
		*bytes += g->len;
		end = g->off + g->len;
	}
	st->len = end - st->off;
	if (!movable)
		*bytes = UINT64_MAX;
	return i;
}

void
scatter_note(struct scatter *s, struct record *r)
{
	size_t i = 0;

	record_reset_scattered(r);
	if (s->off || s->n == 0)
		return;
	qsort(s->frames, s->n, sizeof(*s->frames), by_pack);
	while (i < s->n && r->n_scattered < RECORD_SCATTERED_MAX) {
		uint64_t bytes;

		i = stretch_at(s, i, &r->scattered[r->n_scattered], &bytes);
		if (bytes < SCATTER_LITTLE)
			r->n_scattered++;
	}
}
