/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A random directory tree that a test knows in full, forged into a repository,
 * and the comparison of a view with it.
 */
#ifndef YORE_TESTS_MODEL_H
#define YORE_TESTS_MODEL_H

#include "tests/unit/forge.h"

struct model_node {
	struct model_node *parent;
	struct model_node *children; /* sorted by name */
	size_t n_children;
	uint8_t name[NAME_LEN_MAX];
	struct entry en; /* what is forged */
	uint64_t number;
	/* Content of a file: pieces, of which those without data are holes. */
	struct model_piece {
		uint8_t *data;
		uint64_t len;
	} *pieces;
	size_t n_pieces;
	struct buf xattrs; /* encoded */
	struct ref xattrs_ref;
};

struct model {
	struct model_node root;
	struct model_node **nodes; /* by number */
	size_t n;
	unsigned seed;
};

/* breadth: entries of the root directory at most. */
void model_init(struct model *m, unsigned seed, unsigned breadth);
void model_release(struct model *m);
/* Forge the tree; r's root, root page and next_link are filled in. */
void model_forge(struct model *m, struct forge *f, struct record *r,
	bool inline_page);

/* A repository of one snapshot of such a tree, web1/home, in two packs: of data
 * and of metadata. */
struct model_repo {
	struct forge f;
	struct model m;
	char packs[2][OBJECT_NAME_MAX];
	size_t pack_lens[2];
};

void model_repo_init(struct model_repo *w, unsigned seed, unsigned breadth,
	uint32_t page_max, bool inline_page);
void model_repo_release(struct model_repo *w);

/*
 * Compare every answer of a view.  Fails the test where one is wrong; returns
 * the number of those that are errors, which only may be those of damage.
 */
size_t model_compare(const struct model *m, struct view *v, unsigned seed);

#endif
