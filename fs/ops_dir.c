/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Directories.  Positions: 0 is ".", 1 is "..", then those of the view or the
 * namespace moved by 2.  With READDIRPLUS the kernel learns every entry's
 * attributes on the way and has nothing left to ask.
 */
#include <errno.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/base/clock.h"
#include "fs/interrupt.h"
#include "fs/numbers.h"
#include "fs/ops.h"
#include "fs/reply.h"

#define DOTS 2
#define BUFFER_MAX (1u << 20)

static bool
add_view_entry(void *ctx, const struct view_dirent *d)
{
	struct reply_dir *dir = ctx;
	struct fuse_entry_param e;
	char name[256];

	if (d->name_len >= sizeof(name))
		return true;
	memcpy(name, d->name, d->name_len);
	name[d->name_len] = '\0';
	reply_view_entry(dir->c, &d->attr, &e);
	if (dir->names_only > dir->bare && !S_ISDIR(d->attr.mode)) {
		e.ino = 0; /* the kernel then takes the name alone */
		dir->bare++;
	}
	return reply_dir_add(dir, name, &e, d->next + DOTS);
}

static bool
add_virtual_entry(void *ctx, const struct tree_child *child, uint64_t next)
{
	struct reply_dir *dir = ctx;
	struct call *c = dir->c;
	struct fuse_entry_param e;
	struct node *n;
	bool added;

	if (child->bare) {
		reply_bare(c, child, &e);
		return reply_dir_add(dir, child->name, &e, next + DOTS);
	}
	dir->rc = reply_enter(c, c->node, child, &n, &e);
	if (dir->rc != 0)
		return false;
	added = reply_dir_add(dir, child->name, &e, next + DOTS);
	if (!added || !dir->plus)
		nodes_forget(c->m->nodes, n, 1);
	return added;
}

/* "." and "..", of which the kernel wants no more than a number. */
static bool
add_dots(struct reply_dir *dir, uint64_t from)
{
	struct fuse_entry_param e = { .attr = { .st_mode = S_IFDIR } };
	const struct node *n = dir->c->node;

	e.attr.st_ino = n->kind == NODE_TREE ? numbers_inode(n->key, dir->c->at)
					     : n->ino;
	return (from > 0 || reply_dir_add(dir, ".", &e, 1)) &&
	       (from > 1 || reply_dir_add(dir, "..", &e, 2));
}

static int
list(struct reply_dir *dir, uint64_t from)
{
	struct call *c = dir->c;
	int rc;

	if (!add_dots(dir, from))
		return 0;
	from = from > DOTS ? from - DOTS : 0;
	if (!call_is_tree(c)) {
		interrupt_begin(c->req);
		rc = tree_list(c->picture, c->node, from, clock_wall_ns(),
			add_virtual_entry, dir, &c->e);
		return rc ? rc : dir->rc;
	}
	if (dir->plus)
		dir->names_only = from > 0 ? names_list_on(c) : names_list(c);
	rc = call_view(c);
	if (rc == 0)
		rc = view_list(
			c->view, c->at, from, add_view_entry, dir, &c->e);
	if (dir->bare > 0)
		names_listed_bare(c);
	return rc;
}

static void
answer_list(fuse_req_t req, fuse_ino_t id, size_t size, off_t off, bool plus)
{
	auto_call struct call c = CALL_INIT;
	auto_free char *buf = NULL;
	struct reply_dir dir = { .c = &c, .plus = plus };
	int rc;

	if (!call_begin(&c, req, plus ? OP_READDIRPLUS : OP_READDIR, id))
		return;
	dir.size = size < BUFFER_MAX ? size : BUFFER_MAX;
	dir.buf = buf = xmalloc(dir.size);
	rc = list(&dir, (uint64_t)off);
	/* what was packed before an error is good; the error comes next */
	if (rc != 0 && dir.used == 0)
		call_fail(&c, rc);
	else
		fuse_reply_buf(req, dir.buf, dir.used);
}

void
op_readdir(fuse_req_t req, fuse_ino_t id, size_t size, off_t off,
	struct fuse_file_info *fi)
{
	(void)fi;
	answer_list(req, id, size, off, false);
}

void
op_readdirplus(fuse_req_t req, fuse_ino_t id, size_t size, off_t off,
	struct fuse_file_info *fi)
{
	(void)fi;
	answer_list(req, id, size, off, true);
}

/* Nodes carry their state in their number, so there is nothing to open. */
void
op_opendir(fuse_req_t req, fuse_ino_t id, struct fuse_file_info *fi)
{
	auto_call struct call c = CALL_INIT;

	if (!call_begin(&c, req, OP_OPENDIR, id))
		return;
	if (c.m->no_opendir) {
		fuse_reply_err(req, ENOSYS);
		return;
	}
	fi->cache_readdir = call_is_tree(&c);
	fi->keep_cache = call_is_tree(&c);
	fuse_reply_open(req, fi);
}
