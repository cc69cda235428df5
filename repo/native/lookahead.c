/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A walk foresees a stretch of nodes: those whose content lies in the next
 * frames.  A read within the stretch confirms the walk, which then reaches
 * twice as far, from one frame up to LOOKAHEAD_MAX; a read elsewhere is a miss
 * and begins a walk that at first only foresees and asks for nothing.  After
 * MISSES_MAX misses in a row one confirmation is not enough.
 *
 * Order of locks: lookahead.lock before those of the page cache; fetch_ahead
 * and fetch_stretch are called with none held.
 */
#include <sys/stat.h>
#include <errno.h>
#include "repo/native/lookahead.h"
#include "repo/native/streams.h"

#define KIB 1024u
#define MIB (1024u * KIB)

#define WALKS 4
#define MISSES_MAX 3
/* Who goes so many nodes on is still on the same walk: between them are those
 * that are read without asking, because a mount has been given their content. */
#define NEAR 64
#define FRAME_TYPICAL (256 * KIB)
#define LOOKAHEAD_MAX (8 * MIB)
/* A walk that reaches so far is one that a scout goes ahead of. */
#define SCOUT_MIN (512 * KIB)
/* Entries looked at in one go, when nothing is asked for and otherwise. */
#define STEPS_FORESEEN 1024
#define STEPS_ASKED 16384
/* Directories listed in the order of the tree before more is fetched than a
 * page that lacks. */
#define LISTED_MIN 2
/* Pages of one file's map fetched alone before they are by the stretch. */
#define LACKED_MIN 2
/* Then so much to either side: all of the map of a file of some GB. */
#define EXTENTS_FIRST (768 * KIB)
/* Leaves of one directory asked for ahead. */
#define LEAVES_MAX 96

struct walk {
	uint64_t last;	 /* node read last */
	uint64_t until;	 /* nodes after last and up to here are foreseen */
	uint64_t refill; /* at this node, which begins a frame, look again */
	uint64_t reach;	 /* bytes asked for ahead */
	struct frame_place frame; /* where last lies; len 0: unused */
	uint32_t hits;
	uint32_t used;
};

struct lookahead_state {
	struct streams streams;
	struct walk walks[WALKS];
	uint32_t clock;
	uint32_t misses;
	uint64_t listed;     /* directory listed last, */
	uint64_t listed_end; /* and the first node behind all below it */
	unsigned streak; /* listings in the order of the tree */
	struct stretches stretches; /* of this streak */
	uint64_t leaves_of;   /* directory whose leaves are asked for */
	uint32_t leaves;      /* how many at a time, */
	uint32_t leaves_left; /* and how many of them are still to come */
};

void
lookahead_init(struct lookahead *l, const struct tree *tree,
	struct fetch *fetch)
{
	pthread_mutex_init(&l->lock, NULL);
	l->tree = tree;
	l->fetch = fetch;
	scout_init(&l->scout, tree, fetch);
}

void
lookahead_release(struct lookahead *l)
{
	scout_release(&l->scout);
	if (l->state)
		streams_release(&l->state->streams);
	free(l->state);
	pthread_mutex_destroy(&l->lock);
}

/* With the lock held. */
static struct lookahead_state *
state_of(struct lookahead *l)
{
	if (l->state)
		return l->state;
	l->state = xcalloc(1, sizeof(*l->state));
	l->state->streams.near = !fetch_is_far(l->fetch);
	return l->state;
}

/* -- Listings ---------------------------------------------------------------- */

/* Whether the page that a map begins with is in memory. */
static bool
is_there(const struct lookahead *l, const struct map *m)
{
	auto_cached_page struct cached_page *cp = NULL;
	auto_frame struct frame *fr = NULL;

	if (m->root || fetch_is_near(l->fetch, &m->ref->place))
		return true;
	cp = page_cache_peek(m->pages, m->ref);
	if (!cp)
		fr = fetch_peek(l->fetch, &m->ref->place);
	return cp || fr;
}

void
lookahead_list(struct lookahead *l, uint64_t dir, const struct map *m)
{
	bool there = is_there(l, m);
	struct lookahead_state *st;
	size_t len = 0;

	pthread_mutex_lock(&l->lock);
	st = state_of(l);
	if (dir <= st->listed) {
		st->streak = 0;
		st->stretches.n = 0;
	} else if (dir >= st->listed_end) {
		st->streak++; /* not just a way down */
	}
	st->listed = dir;
	st->listed_end = dir + 1 + m->span;
	if (!there && st->streak >= LISTED_MIN)
		len = stretches_begin(
			&st->stretches, &m->ref->place, STRETCH_MAX);
	pthread_mutex_unlock(&l->lock);
	if (len)
		fetch_stretch(l->fetch, &m->ref->place, len);
}

/* How many leaves behind this one to ask for: 4 at first, then 16, 64, 96,
 * each time when half of them are passed. */
static uint32_t
count_leaves(struct lookahead *l, uint64_t dir, bool first)
{
	auto_lock(&l->lock);
	struct lookahead_state *st = state_of(l);

	if (first || st->leaves_of != dir) {
		st->leaves_of = dir;
		st->leaves = st->leaves_left = 4;
		return st->leaves;
	}
	if (st->leaves_left > 0)
		st->leaves_left--;
	if (st->leaves_left > st->leaves / 2)
		return 0;
	st->leaves *= 4;
	if (st->leaves > LEAVES_MAX)
		st->leaves = LEAVES_MAX;
	st->leaves_left = st->leaves;
	return st->leaves;
}

/* No more leaves than these are known to come: ask again behind them. */
static void
limit_leaves(struct lookahead *l, uint64_t dir, uint32_t left)
{
	auto_lock(&l->lock);

	if (l->state->leaves_of == dir && left < l->state->leaves_left)
		l->state->leaves_left = left;
}

void
lookahead_leaf(struct lookahead *l, uint64_t dir, const struct map *m,
	const struct map_at *at)
{
	auto_cached_page struct cached_page *holder = NULL;
	const struct ref *refs[LEAVES_MAX];
	const struct page *p = at->leaf->page;
	struct wish w = { .n = 0 };
	uint32_t n, left;

	if (p->nodes_before[p->n] == m->span)
		return; /* it is the only one */
	n = count_leaves(l, dir, at->n_before == 0);
	if (n) {
		n = map_following(m, at->n_before, refs, n, &holder, &left);
		limit_leaves(l, dir, left);
	}
	for (uint32_t i = 0; i < n; i++)
		wish_add(&w, &refs[i]->place);
	wish_send(&w, l->fetch);
}

/* -- Big files --------------------------------------------------------------- */

/* How much to fetch from the page that lacks; 0: nothing but it. */
static size_t
extents_stretch(struct lookahead *l, uint64_t node, const struct ref *missing)
{
	auto_lock(&l->lock);
	struct file_stream *s = streams_of(&state_of(l)->streams, node);
	size_t len;

	if (s->lacked++ < LACKED_MIN)
		return 0;
	len = stretches_begin(&s->stretches, &missing->place, STRETCH_MAX);
	return s->lacked == LACKED_MIN + 1 && len < EXTENTS_FIRST
		       ? EXTENTS_FIRST
		       : len;
}

void
lookahead_extents(struct lookahead *l, uint64_t node, const struct map *m,
	uint64_t off)
{
	struct ref missing;
	struct map peek = *m;

	peek.missing = &missing;
	for (int i = 0; i < MAP_DEPTH_MAX && fetch_is_far(l->fetch); i++) {
		auto_map_at struct map_at at = MAP_AT_INIT;
		size_t len;

		if (map_find_offset(&peek, off, &at, NULL) != -EAGAIN)
			return;
		len = extents_stretch(l, node, &missing);
		if (!len)
			return;
		fetch_stretch_around(
			l->fetch, &missing.place, EXTENTS_FIRST, len);
	}
}

void
lookahead_stream(struct lookahead *l, uint64_t node, const struct map *m,
	uint64_t off, size_t len)
{
	struct wish w = { .n = 0 };

	pthread_mutex_lock(&l->lock);
	streams_read(&state_of(l)->streams, node, m, off, len,
		fetch_window_max(l->fetch), &w);
	pthread_mutex_unlock(&l->lock);
	wish_send(&w, l->fetch);
}

void
lookahead_order(struct lookahead *l, uint64_t node, struct page_order *o,
	uint32_t page_size)
{
	auto_lock(&l->lock);

	streams_order(&state_of(l)->streams, node, o, page_size);
}

/* -- Walks -------------------------------------------------------------------- */

struct foresight {
	struct lookahead *l;
	struct walk *walk;
	struct wish *wish;
	struct frame_place frame; /* that the entry before lies in */
	uint64_t bytes;
	unsigned frames;
	unsigned steps;
	bool done;
};

/* Where the content of an entry begins; false when it has none of its own. */
static bool
first_frame(struct foresight *f, const struct entry *en,
	struct frame_place *at)
{
	auto_map_at struct map_at first = MAP_AT_INIT;
	struct ref missing;
	struct map m = { .pages = f->l->tree->pages,
		.kind = MAP_EXTENTS,
		.ref = &en->ref,
		.span = en->size,
		.missing = &missing };
	int r;

	if (en->content == CONTENT_CHUNK) {
		*at = en->ref.place;
		return true;
	}
	if (en->content != CONTENT_MAP || S_ISDIR(en->mode))
		return false;
	r = map_find_offset(&m, 0, &first, NULL);
	if (r == -EAGAIN && f->walk->reach)
		wish_add(f->wish, &missing.place);
	if (r || map_at_extent(&first)->hole)
		return false;
	*at = map_at_extent(&first)->ref.place;
	return true;
}

/* Take entry `node` into the stretch, unless that is long enough. */
static void
foresee_entry(struct foresight *f, const struct entry *en, uint64_t node)
{
	struct walk *w = f->walk;
	struct frame_place at;

	if (first_frame(f, en, &at)) {
		if (!wish_same_frame(&at, &f->frame)) {
			f->done = w->reach ? f->bytes >= w->reach
					   : f->frames > 0;
			if (f->done)
				return;
			f->frames++;
			f->frame = at;
			if (f->bytes <= w->reach / 2)
				w->refill = node;
			if (w->reach)
				wish_add(f->wish, &at);
		}
		/* What is left of the frame that is being read is no part
		 * of what is reached for. */
		if (f->frames > 0)
			f->bytes += en->content == CONTENT_CHUNK
					    ? en->size
					    : FRAME_TYPICAL;
	}
	w->until = node;
	f->done = ++f->steps >= (w->reach ? STEPS_ASKED : STEPS_FORESEEN) ||
		  f->wish->n == WISH_FRAMES_MAX;
}

/* Take entries up to a directory that is not empty or the end of the leaf;
 * returns the number of the next node. */
static uint64_t
foresee_leaf(struct foresight *f, const struct tree_node *tn)
{
	const struct page *p = tn->page->page;
	uint32_t first = (uint32_t)(tn->entry - p->entries);
	uint64_t base = tn->node - p->nodes_before[first];

	for (uint32_t i = first; i < p->n && !f->done; i++) {
		const struct entry *en = &p->entries[i];

		foresee_entry(f, en, base + p->nodes_before[i]);
		if (en->totals.entries)
			return base + p->nodes_before[i] + 1;
	}
	return base + p->nodes_before[p->n];
}

static void
foresee(struct lookahead *l, struct walk *w, struct wish *wish)
{
	auto_tree_node struct tree_node tn = TREE_NODE_INIT;
	struct foresight f = { .l = l, .walk = w, .wish = wish,
		.frame = w->frame };
	uint64_t node = w->last + 1;
	struct ref missing;
	int r;

	w->until = w->refill = w->last;
	while (!f.done) {
		r = tree_peek(l->tree, node, &tn, &missing);
		if (r == -EAGAIN && w->reach > FRAME_TYPICAL)
			wish->page = missing.place;
		if (r)
			return;
		node = foresee_leaf(&f, &tn);
	}
}

static struct walk *
walk_at(struct lookahead_state *st, const struct frame_place *at)
{
	for (int i = 0; i < WALKS; i++) {
		if (wish_same_frame(&st->walks[i].frame, at))
			return &st->walks[i];
	}
	return NULL;
}

static struct walk *
walk_to(struct lookahead_state *st, uint64_t node)
{
	for (int i = 0; i < WALKS; i++) {
		struct walk *w = &st->walks[i];

		if (w->frame.len && w->last < node &&
			(node <= w->until || node - w->last <= NEAR))
			return w;
	}
	return NULL;
}

static struct walk *
new_walk(struct lookahead_state *st)
{
	struct walk *oldest = &st->walks[0];

	for (int i = 1; i < WALKS; i++) {
		if (st->clock - st->walks[i].used > st->clock - oldest->used)
			oldest = &st->walks[i];
	}
	*oldest = (struct walk){ .used = st->clock };
	st->misses++;
	return oldest;
}

static void
confirm(struct lookahead_state *st, struct walk *w)
{
	if (w->reach == 0 && st->misses >= MISSES_MAX && w->hits == 0) {
		w->hits++;
		return;
	}
	w->hits++;
	st->misses = 0;
	w->reach = w->reach ? w->reach * 2 : FRAME_TYPICAL;
	if (w->reach > LOOKAHEAD_MAX)
		w->reach = LOOKAHEAD_MAX;
}

/* The walk that a read belongs to now.  Where small files of several packs take
 * turns, the next one may lie where another walk has been, too: being foreseen
 * counts for more. */
static struct walk *
find_walk(struct lookahead_state *st, uint64_t node,
	const struct frame_place *at)
{
	struct walk *w = walk_to(st, node);

	if (!w)
		w = walk_at(st, at);
	return w ? w : new_walk(st);
}

/* Returns whether what comes next is to be foreseen anew. */
static bool
follow(struct lookahead_state *st, struct walk *w, uint64_t node,
	const struct frame_place *at)
{
	bool same = wish_same_frame(&w->frame, at);
	bool again = !same && (w->frame.len == 0 || node >= w->refill);

	if (again && w->frame.len > 0)
		confirm(st, w);
	if (!same || node > w->last)
		w->last = node;
	w->frame = *at;
	w->used = st->clock;
	return again;
}

void
lookahead_await(struct lookahead *l, uint64_t node)
{
	scout_await(&l->scout, node);
}

/* With the lock held.  Who has listed a directory and reads the small files in
 * it in that order will go on. */
static bool
goes_on(const struct lookahead_state *st, const struct walk *w,
	const struct tree_node *tn)
{
	return w->reach >= SCOUT_MIN ||
	       (w->reach && st->listed == tn->parent &&
		       tn->entry->content == CONTENT_CHUNK);
}

void
lookahead_walk(struct lookahead *l, const struct tree_node *tn,
	const struct frame_place *at)
{
	uint64_t node = tn->node;
	struct wish wish;
	struct lookahead_state *st;
	struct walk *w;
	bool scouted;

	wish.n = 0;
	wish.page.len = 0;
	pthread_mutex_lock(&l->lock);
	st = state_of(l);
	st->clock++;
	w = find_walk(st, node, at);
	if (follow(st, w, node, at))
		foresee(l, w, &wish);
	scouted = goes_on(st, w, tn);
	pthread_mutex_unlock(&l->lock);
	/* what a scout has not come to yet it asks for soon, in fewer gets */
	if (!scouted || scout_follow(&l->scout, node))
		wish_send(&wish, l->fetch);
	scout_await(&l->scout, node);
}
