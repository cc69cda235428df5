/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tree that a fake history shows: nodes in pre-order. */
#ifndef YORE_TESTS_FAKE_TREE_H
#define YORE_TESTS_FAKE_TREE_H

#include "tests/mount/fake_history.h"

enum fake_kind {
	FAKE_PLAIN,
	FAKE_POINT,  /* content is the point's number */
	FAKE_PIECES, /* read in pieces of 1,000 bytes */
	FAKE_SPARSE, /* data only in [FAKE_DATA, FAKE_DATA + 64 Ki) */
	FAKE_FAILS,  /* EBADMSG; a directory after 5 names */
	FAKE_XATTRS,
};

#define FAKE_DATA (1u << 20)
/* Content of other files: FAKE_PATTERN bytes over and over, beginning at
 * (ino % 4096). */
#define FAKE_PATTERN 65536

struct fake_node {
	char *name;
	char *target; /* symlinks */
	uint32_t parent;
	uint32_t entries; /* below it */
	enum fake_kind kind;
	struct view_attr attr;
};

struct fake_tree {
	struct fake_node *nodes;
	uint32_t n;
	uint32_t room;
	bool acls;
	struct view_totals totals;
};

void fake_tree_build(struct fake_tree *t, const struct fake_options *o);
/* Another: of a database. */
void fake_tree_build_database(struct fake_tree *t);
void fake_tree_release(struct fake_tree *t);
/* The view of the tree as it was at a point; borrows the tree. */
struct view *fake_tree_open(const struct fake_tree *t, unsigned int point);

#endif
