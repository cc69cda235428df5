/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Turning what a view or the namespace says into what the kernel wants to
 * hear: attributes, directory entries, how long they hold.
 */
#ifndef YORE_FS_REPLY_H
#define YORE_FS_REPLY_H

#include "fs/call.h"
#include "fs/tree.h"

#define REPLY_FOREVER 1e9 /* seconds: what is below a point never changes */
#define REPLY_ASKED 60.0  /* no refresh finds out that it is gone */
#define REPLY_SHORT 1.0

/* Entry of a view's node in the tree of the call's node. */
void reply_view_entry(
	struct call *c, const struct view_attr *a, struct fuse_entry_param *e);
/* Attributes likewise. */
void reply_view_attr(
	struct call *c, const struct view_attr *a, struct stat *st);

/* Attributes of a virtual node other than a slot. */
void reply_virtual_attr(struct call *c, const struct node *n, struct stat *st);
/* Attributes of the root of a point's tree, as was told with the point; key
 * as in struct node. */
void reply_root_attr(const struct mount *m, uint64_t key,
	const struct history_point *pt, struct stat *st);
/* Attributes of a version, as the child tells. */
void reply_version_attr(const struct mount *m, uint64_t key,
	const struct view_attr *a, struct stat *st);
/* Name, type and inode number of a child that is listed bare. */
void reply_bare(struct call *c, const struct tree_child *child,
	struct fuse_entry_param *e);

/*
 * Make the node that child means in directory dir known to the kernel: enter
 * it (one look-up counted) and fill its entry in.  -ENFILE: no number left.
 */
int reply_enter(struct call *c, struct node *dir,
	const struct tree_child *child, struct node **n,
	struct fuse_entry_param *e);

/* A directory being packed for one READDIR or READDIRPLUS. */
struct reply_dir {
	struct call *c;
	char *buf;
	size_t size;
	size_t used;
	bool plus;
	uint32_t names_only; /* so many files, the first ones */
	uint32_t bare;	     /* and so many are, so far */
	int rc;		     /* why a virtual entry could not be added */
};

/* Append an entry that is followed by position next; false: no room. */
bool reply_dir_add(struct reply_dir *d, const char *name,
	const struct fuse_entry_param *e, uint64_t next);

#endif
