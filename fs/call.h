/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One request of the kernel, from its arrival to its answer: what it is about,
 * and the references that keep that alive meanwhile.  Declared auto_call, it
 * lets go of everything at the end of the operation.
 */
#ifndef YORE_FS_CALL_H
#define YORE_FS_CALL_H

#include "fs/mount.h"

struct call {
	struct mount *m;
	fuse_req_t req;
	enum op op;
	int64_t began_ns;
	bool counted;
	struct picture *picture;
	struct node *node;
	uint64_t at;	   /* in the node's tree */
	struct view *view; /* of the node's tree, once call_view was called */
	struct err e;	   /* for what is called on the way */
};

#define CALL_INIT         \
	{                 \
		.m = NULL \
	}
#define auto_call AUTO(call_end)

/* False: the node id is unknown, and ESTALE has been answered. */
bool call_begin(struct call *c, fuse_req_t req, enum op op, fuse_ino_t id);
void call_end(struct call *c);

/* What the listing, or the node itself, says of the point that the node, a
 * slot, stands for; NULL when it has been removed. */
const struct history_point *call_point(const struct call *c);

/* Open the view of the node, a slot, into c->view; 0 or -errno and c->e. */
int call_view(struct call *c);

/*
 * Answer an error: rc (-errno) as the kernel may see it.  What a user cannot
 * have caused is logged, with the path.
 */
void call_fail(struct call *c, int rc);

static inline bool
call_is_tree(const struct call *c)
{
	return c->node->kind == NODE_TREE;
}

#endif
