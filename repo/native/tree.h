/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tree of one snapshot: from node numbers and names to entries.
 *
 * Nodes are numbered in pre-order: the root is 0, and entry i of directory d
 * is d + 1 + (nodes before it in d), where an entry and all below it count.
 * The number says the way: locating a node goes down from the root and asks
 * each directory which entry has it.
 */
#ifndef YORE_NATIVE_TREE_H
#define YORE_NATIVE_TREE_H

#include "repo/native/map.h"

struct tree {
	struct page_cache *pages;	/* borrowed */
	const struct entry *root;	/* borrowed */
	struct cached_page *root_page;	/* the root directory's root page, if
					 * the record has it; borrowed */
	/* As in struct map. */
	void (*passed)(void *ctx, const struct ref *r);
	void *passed_ctx;
};

/* A located entry. */
struct tree_node {
	const struct entry *entry;
	struct cached_page *page; /* held: entry lies in it; NULL for the root */
	uint64_t node;
	uint64_t parent;   /* directory it lies in; the root's is itself */
	uint64_t position; /* in the map of that directory */
};

#define TREE_NODE_INIT { .entry = NULL }

void tree_node_release(struct tree_node *tn);

/* Locate a node; -ENOENT there is none, or as map_find_node. */
int tree_locate(const struct tree *t, uint64_t node, struct tree_node *tn,
	struct err *e);
/* The same without fetching: -EAGAIN, and *missing is the page that lacks. */
int tree_peek(const struct tree *t, uint64_t node, struct tree_node *tn,
	struct ref *missing);
/* The entry called name in a located directory, which tn then is. */
int tree_child(const struct tree *t, struct tree_node *tn, const void *name,
	size_t len, struct err *e);
/* The map of a directory's entries; borrows t and tn.  False: it is empty. */
bool tree_map(const struct tree *t, const struct tree_node *tn, struct map *m);

/* The path of a node for a message, as far as it can be read: "a/b/c", or "."
 * for the root; the beginning is left out when it is too long. */
void tree_path(const struct tree *t, uint64_t node, char *out, size_t size);

#define auto_tree_node AUTO(tree_node_release)

#endif
