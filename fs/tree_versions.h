/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * versions/ of a source: a directory for each path that any snapshot has, in
 * which its versions are, files (and what else is no directory) by their names
 * (fs/version_name.h).  What was a directory has in it a directory for each
 * name that it ever had; its own versions are found in there by their times,
 * but not listed, or who walks through versions/ would walk through every tree
 * there ever was.  .versions, not listed either, lists all of them.
 *
 * Positions: of a version that of its snapshot, as in snapshots/; then the
 * names, by their order.
 */
#ifndef YORE_FS_TREE_VERSIONS_H
#define YORE_FS_TREE_VERSIONS_H

#include "fs/tree.h"

#define TREE_VERSIONS_LIST ".versions"

/* Does a source have versions beside its points? */
bool tree_versions_of(const struct picture *p, size_t source);

int tree_versions_find(const struct picture *p, const struct node *dir,
	const char *name, struct tree_child *child, struct err *e);
int tree_versions_list(const struct picture *p, const struct node *dir,
	uint64_t from, tree_each *each, void *ctx, struct err *e);

/*
 * Who may enter versions/ itself: whoever may enter the root of every
 * snapshot.  False: nobody is kept out.
 */
bool tree_versions_access(const struct picture *p, const struct node *dir,
	struct node_access *access);

#endif
