/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The virtual directories above the points: what names each has in a picture
 * and what they mean.  Looking a name up takes O(log n) in the number of
 * points, listing takes O(n) and opens no view.  Knows nothing of FUSE and
 * keeps no state.
 *
 * Moments of databases are asked of the history, which may ask the store: no
 * lock may be held, and what that fails with is returned.
 */
#ifndef YORE_FS_TREE_H
#define YORE_FS_TREE_H

#include <sys/stat.h>
#include "fs/nodes.h"
#include "fs/picture.h"

struct tree_child {
	enum node_kind kind;
	const char *name; /* borrowed for the call */
	size_t point;	  /* TREE, LINK: index of the snapshot that it leads
			   * to; else HISTORY_NONE */
	bool is_moment;	  /* TREE, LINK: it leads to this one instead */
	struct history_point moment;
	bool is_version;  /* TREE: of that snapshot it is only one node, */
	struct view_attr version; /* with these attributes */
	struct node_access access;
	bool asked;	  /* of the history: may cease without any notice */
	bool passing;	  /* the name may soon mean something else */
	bool bare;	  /* listed without what it means, which only looking
			   * it up tells: point need not be known */
};

#define TREE_CHILD_INIT                \
	{                              \
		.point = HISTORY_NONE, \
	}

/* The point that a child leads to, or NULL.  Borrowed from either. */
const struct history_point *tree_child_point(
	const struct picture *p, const struct tree_child *child);

/*
 * What the name means in a virtual directory; 0, -ENOENT, or what asking for
 * moments failed with.  now_ns is the time that relative expressions are
 * resolved against.
 */
int tree_find(const struct picture *p, const struct node *dir, const char *name,
	int64_t now_ns, struct tree_child *child, struct err *e);

/*
 * Call each name from position `from` (0: the first, else a `next`) until
 * the callback returns false.
 */
typedef bool tree_each(
	void *ctx, const struct tree_child *child, uint64_t next);
int tree_list(const struct picture *p, const struct node *dir, uint64_t from,
	int64_t now_ns, tree_each *each, void *ctx, struct err *e);

/*
 * When the listing of a virtual directory last changed, for its mtime.  What
 * at/2h lists changes as time goes by: the time is now.
 */
int64_t tree_time(
	const struct picture *p, const struct node *dir, int64_t now_ns);

/* Where the symlink `latest` in dir, which child describes, points; given. */
char *tree_link_target(const struct picture *p, const struct node *dir,
	const struct tree_child *child);

#endif
