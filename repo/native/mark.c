/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Content that has one name in a repository is the same: a chunk by its id, and
 * by that of the root page all that is below a directory or in a big file.
 */
#include <string.h>
#include "repo/native/view.h"

_Static_assert(VIEW_MARK_LEN == CHUNK_ID_LEN, "a mark is a chunk's id");

int
native_view_mark(struct view *view, uint64_t node, struct view_mark *m,
	struct err *e)
{
	auto_tree_node struct tree_node tn = TREE_NODE_INIT;
	int r = native_view_locate(native_view_of(view), node, &tn, e);

	if (r)
		return r;
	m->ino = tn.entry->ino;
	if (tn.entry->content == CONTENT_CHUNK ||
		tn.entry->content == CONTENT_MAP)
		memcpy(m->content, tn.entry->ref.id, VIEW_MARK_LEN);
	if (tn.entry->xattrs_ref)
		memcpy(m->xattrs, tn.entry->xattrs_ref->id, VIEW_MARK_LEN);
	return 0;
}

void
native_view_about(struct view *view, struct view_about *a)
{
	const struct record *r = &native_view_of(view)->record;

	a->path = r->path ? r->path : "";
	a->began_ns = r->began_ns;
	a->ended_ns = r->ended_ns;
	a->n_errors = r->n_errors;
	a->opaque = r->opaque;
	a->opaque_len = r->opaque_len;
}
