/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Frames are asked for ahead by the window, and then waited for one by one, in
 * the order in which they lie in their packs.  What read-ahead had no room for
 * is asked for again half a window later.
 */
#include "repo/native/keep.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/base/hex.h"
#include "repo/native/history.h"

#define WINDOW (16u << 20)
#define WINDOW_FRAMES 512
/* What is no frame of a pack is read in pieces. */
#define PIECE (1u << 20)

struct cache *
keep_cache(struct history *h)
{
	struct native_history *n = native_history_if(h);

	return n ? cached_cache(n->rp->store) : NULL;
}

const struct keyring *
keep_keys(struct history *h)
{
	struct native_history *n = native_history_if(h);

	return n ? n->rp->keys : NULL;
}

/* -- One place ---------------------------------------------------------------
 */

/* Whether a place is one of a pack's frames; which. */
static bool
is_frame(const struct view_place *p, struct frame_place *at)
{
	*at = (struct frame_place){ .off = p->off, .len = (uint32_t)p->len };
	if (strncmp(p->object, "data/", 5) == 0)
		at->object = OBJECT_DATA;
	else if (strncmp(p->object, "meta/", 5) == 0)
		at->object = OBJECT_META;
	return at->object && at->len == p->len &&
	       strlen(p->object) == 8 + 2 * OBJECT_ID_LEN &&
	       hex_decode(at->pack, OBJECT_ID_LEN, p->object + 8) == 0;
}

/* Read bytes that nothing here knows how to verify. */
static int
read_through(struct store *s, const struct view_place *p, struct err *e)
{
	auto_free uint8_t *piece = xmalloc(PIECE);
	uint64_t off = p->off, end = p->off + p->len;
	size_t got = PIECE;
	int r = 0;

	for (; r == 0 && off < end && got > 0; off += got) {
		uint64_t left = end - off;
		size_t len = left < PIECE ? (size_t)left : PIECE;

		r = store_get(s, p->object, off, len, piece, &got, e);
	}
	return r;
}

static int
bring_one(struct native_history *n, const struct view_place *p, struct err *e)
{
	struct frame *frame = NULL;
	struct frame_place at;
	int r;

	if (p->len == UINT64_MAX)
		return 0;
	if (!is_frame(p, &at))
		return read_through(n->rp->store, p, e);
	r = fetch_frame(n->fetch, &at, &frame, e);
	if (r == 0)
		frame_put(frame);
	return r;
}

/* -- All of them -------------------------------------------------------------
 */

/* Ask for the places from i on, as far as a window reaches; returns where the
 * second half of what was asked for begins. */
static size_t
ask(struct native_history *n, const struct keep_job *j, size_t i)
{
	struct frame_place at[WINDOW_FRAMES];
	size_t n_at = 0, half = i + 1;
	uint64_t bytes = 0;

	for (; i < j->n && n_at < WINDOW_FRAMES && bytes < WINDOW; i++) {
		if (j->at[i].len == UINT64_MAX ||
			!is_frame(&j->at[i], &at[n_at]))
			continue;
		bytes += at[n_at++].len;
		if (bytes < WINDOW / 2 && n_at < WINDOW_FRAMES / 2)
			half = i + 1;
	}
	fetch_ahead(n->fetch, at, n_at);
	return half;
}

static bool
is_its_own(int r)
{
	return r == -ENOENT || r == -EBADMSG || r == -EUCLEAN;
}

int
keep_bring(struct history *h, struct keep_job *j, struct err *e)
{
	struct native_history *n = native_history_if(h);
	size_t again = 0;

	if (!n)
		return err_set(
			e, EINVAL, "%s: no repository of yore's", h->name);
	for (size_t i = 0; i < j->n; i++) {
		int r;

		if (i >= again)
			again = ask(n, j, i);
		r = bring_one(n, &j->at[i], e);
		if (r < 0 && !is_its_own(r))
			return r;
		if (r < 0)
			j->failed(j->ctx, e);
		else if (j->at[i].len != UINT64_MAX)
			j->done += j->at[i].len;
	}
	return 0;
}
