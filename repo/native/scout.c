/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tree is looked at in rounds.  A round takes the frames of the nodes that
 * follow until they come to `reach` bytes, and asks for them; when the reader
 * is half way through it the next one begins, with twice the reach.  So what is
 * on its way or waits in the cache is at most one and a half rounds, and what
 * is brought in vain when a walk ends about as much as it has read.
 */
#include <sys/stat.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/native/scout.h"

#define MIB (1024u * 1024)
#define REACH_MIN (4 * MIB)
#define REACH_MAX (64 * MIB)
#define FRAMES_MAX 4096
#define LATER_MAX 256
/* Of a file that is longer, its own stream reads ahead. */
#define FILE_MAX (1 * MIB)
#define SEEN 16384 /* a power of two */

/* Frames by a hash of their place; whoever shares a hash is left out. */
struct scout_seen {
	uint64_t slot[SEEN];
	unsigned n;
};

struct round {
	struct scout *s;
	uint64_t reach;
	uint64_t bytes;
	uint64_t half; /* node where half of it is passed */
	uint64_t node; /* the one looked at */
	size_t n;
	struct frame_place at[FRAMES_MAX];
	uint64_t of[FRAMES_MAX]; /* node that needs it first */
	/* files whose maps lack pages, which are on their way */
	size_t n_later;
	struct {
		uint64_t node;
		struct entry en;
	} later[LATER_MAX];
};

void
scout_init(struct scout *s, const struct tree *tree, struct fetch *fetch)
{
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->wake, NULL);
	s->tree = tree;
	s->fetch = fetch;
}

void
scout_release(struct scout *s)
{
	pthread_mutex_lock(&s->lock);
	s->stop = true;
	pthread_cond_signal(&s->wake);
	pthread_mutex_unlock(&s->lock);
	cancel_raise(&s->cancel);
	if (s->started)
		pthread_join(s->thread, NULL);
	free(s->seen);
	pthread_cond_destroy(&s->wake);
	pthread_mutex_destroy(&s->lock);
}

/* -- One round ------------------------------------------------------------------ */

/* Whether the frame is new here. */
static bool
see(struct scout_seen *seen, const struct frame_place *at)
{
	uint64_t h;

	memcpy(&h, at->pack, sizeof(h));
	h = (h ^ (at->off + 1)) * 0x9e3779b97f4a7c15ULL;
	h = h ? h : 1;
	if (seen->n > SEEN / 4 * 3)
		memset(seen, 0, sizeof(*seen));
	for (uint64_t i = h >> 40;; i++) {
		uint64_t *slot = &seen->slot[i & (SEEN - 1)];

		if (*slot == h)
			return false;
		if (*slot)
			continue;
		*slot = h;
		seen->n++;
		return true;
	}
}

static bool
is_full(const struct round *r)
{
	return r->bytes >= r->reach || r->n == FRAMES_MAX;
}

static void
take(struct round *r, const struct frame_place *at)
{
	if (is_full(r) || !see(r->s->seen, at))
		return;
	r->at[r->n] = *at;
	r->of[r->n++] = r->node;
	r->bytes += at->len;
	if (r->bytes <= r->reach / 2)
		r->half = r->node;
}

/* The page that lacks, and what follows it. */
static void
bring_page(struct scout *s, const struct ref *missing)
{
	size_t len = stretches_begin(
		&s->stretches, &missing->place, STRETCH_MAX);

	if (len < missing->place.len)
		len = missing->place.len;
	fetch_stretch(s->fetch, &missing->place, len);
}

/* The frames a file begins with.  -EAGAIN: *missing lacks (unless it is NULL:
 * then it is waited for). */
static int
take_file(struct round *r, const struct entry *en, struct ref *missing)
{
	auto_map_at struct map_at at = MAP_AT_INIT;
	struct map m = { .pages = r->s->tree->pages,
		.kind = MAP_EXTENTS,
		.ref = &en->ref,
		.span = en->size,
		.missing = missing };
	int rc = map_find_offset(&m, 0, &at, NULL);

	while (!rc && map_at_extent(&at)->off < FILE_MAX && !is_full(r)) {
		if (!map_at_extent(&at)->hole)
			take(r, &map_at_extent(&at)->ref.place);
		rc = map_next(&m, &at, NULL);
	}
	return rc;
}

/* Pages of many files' maps lie here and there; none of them is waited for
 * before all have been asked for. */
static void
take_file_later(struct round *r, const struct entry *en)
{
	struct ref missing;

	if (take_file(r, en, &missing) != -EAGAIN || r->n_later == LATER_MAX)
		return;
	fetch_ahead(r->s->fetch, &missing.place, 1);
	r->later[r->n_later].node = r->node;
	r->later[r->n_later++].en = *en;
}

static void
take_later(struct round *r)
{
	uint64_t node = r->node;

	for (size_t i = 0; i < r->n_later; i++) {
		r->node = r->later[i].node;
		take_file(r, &r->later[i].en, NULL);
	}
	r->node = node;
}

/* In the order of nodes, of which those of later stand at the end. */
static void
sort(struct round *r)
{
	for (size_t i = 1; i < r->n; i++) {
		struct frame_place at = r->at[i];
		uint64_t of = r->of[i];
		size_t k = i;

		for (; k > 0 && r->of[k - 1] > of; k--) {
			r->at[k] = r->at[k - 1];
			r->of[k] = r->of[k - 1];
		}
		r->at[k] = at;
		r->of[k] = of;
	}
}

/* Entries up to a directory that is not empty or the end of the leaf. */
static void
take_leaf(struct round *r, const struct tree_node *tn)
{
	const struct page *p = tn->page->page;
	uint32_t first = (uint32_t)(tn->entry - p->entries);
	uint64_t base = tn->node - p->nodes_before[first];

	for (uint32_t i = first; i < p->n && !is_full(r); i++) {
		const struct entry *en = &p->entries[i];

		r->node = base + p->nodes_before[i];
		if (en->content == CONTENT_CHUNK)
			take(r, &en->ref.place);
		else if (en->content == CONTENT_MAP && !S_ISDIR(en->mode))
			take_file_later(r, en);
		r->node++;
		if (en->totals.entries)
			return;
		r->node = base + p->nodes_before[i + 1];
	}
}

/* False at the end of the tree, or where it cannot be read. */
static bool
take_next(struct round *r)
{
	auto_tree_node struct tree_node tn = TREE_NODE_INIT;
	struct ref missing;
	int rc;

	if (r->node > r->s->tree->root->totals.entries)
		return false;
	rc = tree_peek(r->s->tree, r->node, &tn, &missing);
	if (rc == -EAGAIN) {
		bring_page(r->s, &missing);
		rc = tree_locate(r->s->tree, r->node, &tn, NULL);
	}
	if (rc || !tn.page)
		return false;
	take_leaf(r, &tn);
	r->s->looked = r->node;
	return true;
}

/* -- The thread ------------------------------------------------------------------ */

/* What the line brings in two seconds; of many short gets at first it is thought
 * to bring less than it does. */
static uint64_t
reach_now(struct scout *s)
{
	uint64_t rate = 2 * fetch_bring_rate(s->fetch);

	return rate < REACH_MIN	  ? REACH_MIN
	       : rate > REACH_MAX ? REACH_MAX
				  : rate;
}

/* Wait for a reader that has come far enough. */
static bool
next_round(struct scout *s, struct round *r)
{
	auto_lock(&s->lock);

	while (!s->stop && s->reader < s->next)
		pthread_cond_wait(&s->wake, &s->lock);
	r->n = r->n_later = 0;
	r->bytes = 0;
	r->reach = s->reach ? s->reach : reach_now(s);
	s->looked = s->from;
	r->node = r->half = s->from;
	return !s->stop;
}

/* Unless the reader has gone elsewhere meanwhile. */
static void
end_round(struct scout *s, const struct round *r, uint64_t from, bool end)
{
	auto_lock(&s->lock);

	if (s->from != from)
		return;
	s->from = r->node;
	s->next = end ? UINT64_MAX : r->half;
	s->reach = 0;
}

static void *
work(void *ctx)
{
	struct scout *s = ctx;
	auto_free struct round *r = xcalloc(1, sizeof(*r));

	r->s = s;
	s->seen = xcalloc(1, sizeof(*s->seen));
	cancel_set_current(&s->cancel);
	while (next_round(s, r)) {
		uint64_t from = r->node;
		bool more = true;

		while (!is_full(r) && more && !cancel_raised(&s->cancel))
			more = take_next(r);
		take_later(r);
		sort(r);
		fetch_bring(s->fetch, r->at, r->n);
		end_round(s, r, from, !more);
	}
	return NULL;
}

/* With the lock held.  It leaves signals to others. */
static void
start(struct scout *s)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	s->started = pthread_create(&s->thread, NULL, work, s) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

bool
scout_follow(struct scout *s, uint64_t node)
{
	bool passed;

	if (!fetch_brings(s->fetch))
		return true;
	auto_lock(&s->lock);
	passed = node >= s->from && node >= s->looked;
	if (!s->started || node < s->begun || (passed && s->next < UINT64_MAX)) {
		s->begun = node;
		s->looked = node + 1;
		s->from = node + 1;
		s->next = node;
		s->reach = REACH_MIN;
		passed = true;
	}
	s->reader = node;
	if (!s->started)
		start(s);
	if (node >= s->next)
		pthread_cond_signal(&s->wake);
	return !s->started || node < s->from || s->next == UINT64_MAX;
}
