/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tree is looked at in rounds.  A round takes the frames of the nodes that
 * follow until they come to `reach` bytes, and asks for them; when the reader
 * is half way through it the next one begins.  What a round asks for lies in as
 * many packs as there are states, a stretch in each: the longer it is, the fewer
 * requests they are.
 *
 * A walk that began with the first files of a directory will go through all of it:
 * a round of it is as long as several seconds of the line, but not beyond the
 * directory.  It is planned as a whole, but asked for as the reader comes on: a
 * stretch when he comes to the first of its frames in what the line brings in a
 * second.  Any other walk begins with a short round.
 */
#include <sys/stat.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/base/clock.h"
#include "repo/base/thread.h"
#include "repo/fetch/bring.h"
#include "repo/native/scout.h"

#define MIB (1024u * 1024)
#define REACH_MIN (4 * MIB)
/* Of a directory so many seconds of the line are planned, though only one is
 * asked for at a time. */
#define PLANNED_S 8
#define FRAMES_MAX 4096
#define LATER_MAX 1024
/* What of a file lies behind this is read by some walks only: it is at most one
 * part in TAILS of what a round asks for.  The rest, and what lies behind
 * TAIL_MAX, is left to the file's own stream. */
#define FILE_MAX (1 * MIB)
#define TAIL_MAX (16 * MIB)
#define TAILS 8
/* Of what is asked for, so much may be what lies between: content, pages. */
#define SPARE(wanted) ((wanted) / 3)
#define SPARE_PAGES (2 * MIB)
#define PAGES_BEFORE (128u << 10)
/* A walk that began before so many nodes of a directory, or such a part of them,
 * began with it. */
#define BEGIN_MAX 64
#define BEGIN_PART 16
#define SEEN 16384 /* a power of two */
/* For so long readers of one view wait for its scout, in all, and at once. */
#define PATIENCE_MS 1000
#define AWAIT_MS 300
#define LOOK_MS 20

/* Frames by a hash of their place; whoever shares a hash is left out. */
struct scout_seen {
	uint64_t slot[SEEN];
	unsigned n;
};

struct wanted {
	struct frame_place at;
	uint64_t node; /* that needs it first */
	bool tail;
};

struct round {
	struct scout *s;
	uint64_t from; /* scout.from when it began */
	bool begins; /* the first one of a walk, */
	bool whole;  /* which goes through all of a directory */
	bool more;   /* and nodes are left of it */
	uint64_t reach;
	uint64_t bytes; /* but for tails */
	uint64_t later_bytes; /* that files whose maps lack may come to */
	uint64_t node; /* the one looked at */
	uint64_t end;  /* and the last one */
	size_t n;
	struct wanted wanted[FRAMES_MAX];
	struct frame_place at[FRAMES_MAX]; /* the same */
	/* in ranges, once all is known; what is asked for, a part at a time */
	struct bring_plan *plan;
	size_t sent;	/* frames so far, */
	uint64_t until; /* all that nodes before this need; */
	uint64_t half;	/* here the next part is asked for */
	/* files whose maps lack pages, and those */
	size_t n_later;
	struct frame_place pages[LATER_MAX];
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
	pthread_cond_init(&s->asked, NULL);
	s->tree = tree;
	s->fetch = fetch;
	s->patience_ns = PATIENCE_MS * 1000000LL;
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
	pthread_cond_destroy(&s->asked);
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
	return r->bytes + r->later_bytes >= r->reach || r->n == FRAMES_MAX;
}

static void
take(struct round *r, const struct frame_place *at, bool tail)
{
	if (is_full(r) || !see(r->s->seen, at))
		return;
	r->wanted[r->n++] = (struct wanted){ *at, r->node, tail };
	r->bytes += tail ? 0 : at->len;
}

static uint64_t
reach_now(const struct round *r, unsigned seconds)
{
	uint64_t reach = fetch_bring_reach(r->s->fetch, seconds);

	return reach > REACH_MIN ? reach : REACH_MIN;
}

/* How far it goes, with what is known of the line by now. */
static void
choose_reach(struct round *r)
{
	if (r->begins && !r->whole)
		r->reach = REACH_MIN;
	else
		r->reach = reach_now(r, r->whole ? PLANNED_S : 1);
}

/* The page that lacks, what follows it, and some of what lies before it: the
 * pages of what a directory has are behind each other, and it is behind them. */
static void
bring_page(struct scout *s, const struct ref *missing)
{
	size_t len = stretches_begin(
		&s->stretches, &missing->place, STRETCH_MAX);

	if (len < missing->place.len)
		len = missing->place.len;
	fetch_stretch_around(s->fetch, &missing->place, PAGES_BEFORE, len);
	fetch_settle(s->fetch); /* what lies before it is wanted next */
}

/* The frames of a file.  -EAGAIN: *missing lacks (unless it is NULL: then it is
 * waited for). */
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

	while (!rc && map_at_extent(&at)->off < TAIL_MAX && !is_full(r)) {
		const struct extent *x = map_at_extent(&at);

		if (!x->hole)
			take(r, &x->ref.place, x->off >= FILE_MAX);
		rc = map_next(&m, &at, NULL);
	}
	return rc;
}

static void
take_file_or_later(struct round *r, const struct entry *en)
{
	struct ref missing;

	if (take_file(r, en, &missing) != -EAGAIN || r->n_later == LATER_MAX)
		return;
	r->pages[r->n_later] = missing.place;
	r->later[r->n_later].node = r->node;
	r->later[r->n_later++].en = *en;
	r->later_bytes += (en->size < FILE_MAX ? en->size : FILE_MAX) / 4;
}

/* Pages of many files' maps lie here and there: they are asked for together. */
static void
take_later(struct round *r)
{
	uint64_t node = r->node;

	fetch_bring(r->s->fetch, r->pages, r->n_later, SPARE_PAGES);
	r->later_bytes = 0;
	r->reach *= 2; /* they may be more than was thought */
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
		struct wanted w = r->wanted[i];
		size_t k = i;

		for (; k > 0 && r->wanted[k - 1].node > w.node; k--)
			r->wanted[k] = r->wanted[k - 1];
		r->wanted[k] = w;
	}
}

static void
plan(struct round *r)
{
	uint64_t most = r->bytes / TAILS, tails = 0;
	size_t n = 0;

	sort(r);
	for (size_t i = 0; i < r->n; i++) {
		const struct wanted *w = &r->wanted[i];

		if (w->tail && tails + w->at.len > most)
			continue;
		tails += w->tail ? w->at.len : 0;
		r->wanted[n] = *w;
		r->at[n++] = w->at;
	}
	r->n = n;
	r->plan = fetch_bring_plan(
		r->s->fetch, r->at, n, SPARE(r->bytes + tails));
}

/* Ask for what the reader comes to in a second, if he goes on as fast as it
 * comes: who stops has not asked for much more. */
static void
send(struct round *r)
{
	uint64_t window = reach_now(r, 1), bytes = 0, half = 0;
	size_t i = r->sent;

	for (; i < r->n && bytes < window; i++)
		bytes += r->at[i].len;
	r->half = r->from;
	for (size_t k = r->sent; k < i && half < bytes / 2; k++) {
		half += r->at[k].len;
		r->half = r->wanted[k].node;
	}
	r->sent = i;
	r->until = i < r->n ? r->wanted[i].node : r->node;
	fetch_bring_send(r->s->fetch, r->plan, i);
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
			take(r, &en->ref.place, false);
		else if (en->content == CONTENT_MAP && !S_ISDIR(en->mode))
			take_file_or_later(r, en);
		r->node++;
		if (en->totals.entries)
			return;
		r->node = base + p->nodes_before[i + 1];
	}
}

/* False at the end of the round's part of the tree, or where it cannot be read. */
static bool
take_next(struct round *r)
{
	auto_tree_node struct tree_node tn = TREE_NODE_INIT;
	struct ref missing;
	int rc;

	if (r->node > r->end)
		return false;
	rc = tree_peek(r->s->tree, r->node, &tn, &missing);
	if (rc == -EAGAIN) {
		bring_page(r->s, &missing);
		choose_reach(r);
		rc = tree_locate(r->s->tree, r->node, &tn, NULL);
	}
	if (rc || !tn.page)
		return false;
	take_leaf(r, &tn);
	r->s->looked = r->node;
	return true;
}

/* -- The thread ------------------------------------------------------------------ */

/* The last node below the highest directory that a walk has begun with, whose
 * first read was of `node`; 0: it began in the middle. */
static uint64_t
find_end(const struct tree *t, uint64_t node)
{
	uint64_t dir = node, end = 0;
	struct ref missing;

	while (dir > 0) {
		auto_tree_node struct tree_node tn = TREE_NODE_INIT;
		auto_tree_node struct tree_node up = TREE_NODE_INIT;
		uint64_t n, passed;

		if (tree_peek(t, dir, &tn, &missing) ||
			tree_peek(t, tn.parent, &up, &missing))
			break;
		dir = tn.parent;
		n = up.entry->totals.entries;
		passed = node - dir;
		if (passed <= BEGIN_MAX || passed <= n / BEGIN_PART)
			end = dir + n;
	}
	return end;
}

/* Wait for a reader that has come far enough. */
static bool
next_round(struct scout *s, struct round *r)
{
	auto_lock(&s->lock);

	while (!s->stop && s->reader < s->next)
		pthread_cond_wait(&s->wake, &s->lock);
	r->from = s->from;
	r->begins = s->begins;
	if (!s->begins && r->sent < r->n)
		return !s->stop;
	bring_plan_free(r->plan);
	r->plan = NULL;
	r->n = r->n_later = r->sent = 0;
	r->bytes = r->later_bytes = 0;
	s->looked = s->from;
	r->node = s->begins ? s->begun : s->from;
	return !s->stop;
}

static void
choose_end(struct round *r)
{
	uint64_t end;

	if (!r->begins)
		return;
	end = find_end(r->s->tree, r->node);
	r->whole = end > 0;
	r->end = r->whole ? end : r->s->tree->root->totals.entries;
}

/* What the nodes that follow need. */
static void
look(struct round *r)
{
	choose_end(r);
	choose_reach(r);
	r->more = true;
	while (!is_full(r) && r->more && !cancel_raised(&r->s->cancel))
		r->more = take_next(r);
	take_later(r);
	plan(r);
}

/* Unless the reader has gone elsewhere meanwhile. */
static void
end_round(struct scout *s, const struct round *r)
{
	auto_lock(&s->lock);

	if (s->from != r->from)
		return;
	s->from = r->until;
	if (r->more || r->sent < r->n)
		s->next = r->half;
	else
		s->next = r->end < s->tree->root->totals.entries ? r->node
								  : UINT64_MAX;
	s->begins = false;
	pthread_cond_broadcast(&s->asked);
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
		if (!r->plan)
			look(r);
		send(r);
		end_round(s, r);
	}
	bring_plan_free(r->plan);
	return NULL;
}

/* With the lock held. */
static void
doze(struct scout *s)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += LOOK_MS * 1000000L;
	until.tv_sec += until.tv_nsec / NS_PER_S;
	until.tv_nsec %= NS_PER_S;
	pthread_cond_clockwait(&s->asked, &s->lock, CLOCK_MONOTONIC, &until);
}

void
scout_await(struct scout *s, uint64_t node)
{
	struct cancel *cancel = cancel_current();
	int64_t began, waited = 0;

	if (!s->begins)
		return;
	auto_lock(&s->lock);
	began = clock_mono_ns();
	while (s->begins && s->started && node >= s->begun && waited < s->patience_ns &&
		waited < AWAIT_MS * 1000000LL && !cancel_raised(cancel)) {
		doze(s);
		waited = clock_mono_ns() - began;
	}
	s->patience_ns -= waited;
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
		s->begins = true;
		passed = true;
	}
	s->reader = node;
	if (!s->started)
		s->started = !thread_start(&s->thread, work, s);
	if (node >= s->next)
		pthread_cond_signal(&s->wake);
	return !s->started || (node < s->from && !s->begins) ||
	       s->next == UINT64_MAX;
}
