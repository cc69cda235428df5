/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include "repo/base/clock.h"
#include "fs/call.h"
#include "fs/complaint.h"
#include "fs/interrupt.h"

/* .yore/ and what is in it are there to look at the mount with. */
static bool
is_own(const struct node *n)
{
	return n->kind == NODE_YORE || n->kind == NODE_TEXT;
}

bool
call_begin(struct call *c, fuse_req_t req, enum op op, fuse_ino_t id)
{
	c->m = fuse_req_userdata(req);
	c->req = req;
	c->op = op;
	c->began_ns = clock_mono_ns();
	c->node = mount_node(c->m, id, &c->at);
	c->counted = !c->node || !is_own(c->node);
	if (c->counted)
		metrics_begin(&c->m->metrics, op, c->began_ns);
	c->picture = mount_picture(c->m);
	if (c->node)
		return true;
	fuse_reply_err(req, ESTALE);
	return false;
}

void
call_end(struct call *c)
{
	if (!c->m)
		return;
	if (c->counted)
		metrics_end(
			&c->m->metrics, c->op, clock_mono_ns() - c->began_ns);
	interrupt_end();
	view_put(c->view);
	nodes_put(c->m->nodes, c->node);
	picture_put(c->picture);
}

const struct history_point *
call_point(const struct call *c)
{
	size_t i;

	if (c->node->moment)
		return &c->node->moment->point;
	i = picture_find(c->picture, c->node->id, c->node->key);
	return i == HISTORY_NONE ? NULL : &c->picture->listing->points[i];
}

int
call_view(struct call *c)
{
	if (c->view)
		return 0;
	interrupt_begin(c->req);
	return views_open(c->m->views, c->picture, c->node, &c->view, &c->e);
}

/*
 * What a program may be told.  ENOSYS above all would switch the operation
 * off for the whole mount, and EACCES would blame the reader for what the
 * mount may not read.
 */
static int
visible_errno(int code)
{
	switch (code) {
	case ENOENT:
	case ENOTDIR:
	case EISDIR:
	case EINVAL:
	case ENODATA:
	case ENXIO:
	case ERANGE:
	case EINTR:
	case ENETDOWN: /* offline, and not in the cache */
	case ENOMEM:
	case ESTALE:
		return code;
	default:
		return EIO;
	}
}

void
call_fail(struct call *c, int rc)
{
	int code = visible_errno(-rc);

	if (code == EIO || code == ESTALE || code == ENOMEM) {
		c->m->metrics.errors++;
		complaint_log(c, -rc);
	}
	fuse_reply_err(c->req, code);
}
