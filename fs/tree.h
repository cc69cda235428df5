/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The virtual directories above the points: what names each has in a picture
 * and what they mean.  Looking a name up takes O(log n) in the number of
 * points, listing takes O(n) and opens no view.  Knows nothing of FUSE and
 * keeps no state.
 */
#ifndef YORE_FS_TREE_H
#define YORE_FS_TREE_H

#include <sys/stat.h>
#include "fs/nodes.h"
#include "fs/picture.h"

struct tree_child {
	enum node_kind kind;
	const char *name; /* borrowed for the call */
	size_t point;	  /* TREE, LINK: index; else HISTORY_NONE */
	bool passing;	  /* the name may soon mean something else */
};

/*
 * What the name means in a virtual directory; 0, or -ENOENT.  now_ns is the
 * time that relative expressions are resolved against.
 */
int tree_find(const struct picture *p, const struct node *dir, const char *name,
	int64_t now_ns, struct tree_child *child);

/*
 * Call each name from position `from` (0: the first, else a `next`) until
 * the callback returns false.
 */
typedef bool tree_each(
	void *ctx, const struct tree_child *child, uint64_t next);
void tree_list(const struct picture *p, const struct node *dir, uint64_t from,
	int64_t now_ns, tree_each *each, void *ctx);

/*
 * When the listing of a virtual directory last changed, for its mtime.  What
 * at/2h lists changes as time goes by: the time is now.
 */
int64_t tree_time(
	const struct picture *p, const struct node *dir, int64_t now_ns);

/* Where the symlink `latest` in dir points; given. */
char *tree_link_target(
	const struct picture *p, const struct node *dir, size_t point);

#endif
