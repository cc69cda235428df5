/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a view will be asked next, guessed from what it was asked before, and
 * the frames for it asked for ahead.  Everything here is advice: it reads only
 * pages that are in memory and never fails.  May be called from any thread.
 *
 * Directories that are listed in the order of the tree (find, ls -R) are a walk
 * too: pages are small and lie one behind the other, so the page that lacks is
 * fetched with all that follows it in its object.
 *
 * Big files have streams (repo/native/streams.h), whose windows are translated
 * into frames by the extents map.  Small files share frames in the
 * order of the tree; a walk is a reader that goes through the tree in that
 * order (tar, cp -a, grep -r): it is known by reading next what the nodes
 * after its last one lie in.
 */
#ifndef YORE_NATIVE_LOOKAHEAD_H
#define YORE_NATIVE_LOOKAHEAD_H

#include "repo/native/scout.h"
#include "repo/native/tree.h"
#include "repo/sqlite/page_order.h"

struct lookahead_state;

struct lookahead {
	pthread_mutex_t lock;
	struct lookahead_state *state; /* made when first needed */
	const struct tree *tree;
	struct fetch *fetch;
	struct scout scout; /* of walks that go on */
};

/* Borrows tree and fetch. */
void lookahead_init(struct lookahead *l, const struct tree *tree,
	struct fetch *fetch);
void lookahead_release(struct lookahead *l);

/* A listing of directory dir, whose map is m, is about to begin. */
void lookahead_list(struct lookahead *l, uint64_t dir, const struct map *m);
/* It has come to a leaf of the map. */
void lookahead_leaf(struct lookahead *l, uint64_t dir, const struct map *m,
	const struct map_at *at);
/* A read of [off, off + len), not empty, of a file with an extents map. */
void lookahead_stream(struct lookahead *l, uint64_t node, const struct map *m,
	uint64_t off, size_t len);
/* The order of a database's pages, of page_size bytes each, is known; taken over. */
void lookahead_order(struct lookahead *l, uint64_t node, struct page_order *o,
	uint32_t page_size);
/* What lies at `off` of a file with an extents map is about to be looked up:
 * where that would be a request a page, its pages are fetched together. */
void lookahead_extents(struct lookahead *l, uint64_t node, const struct map *m,
	uint64_t off);
/* A file is about to be read: as scout_await. */
void lookahead_await(struct lookahead *l, uint64_t node);
/* A read at the beginning of a file, which lies in the frame `at`. */
void lookahead_walk(struct lookahead *l, const struct tree_node *tn,
	const struct frame_place *at);

#endif
