/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The view over one snapshot of a yore repository; private to repo/native.
 *
 * Immutable but for the read-ahead state: every call locates its node anew in
 * pages that the history's views share.
 */
#ifndef YORE_NATIVE_VIEW_H
#define YORE_NATIVE_VIEW_H

#include "repo/format/record.h"
#include "repo/native/interior.h"
#include "repo/native/lookahead.h"
#include "repo/native/tree.h"
#include "repo/view.h"

struct native_view {
	struct view view;
	struct tree tree;
	struct record record;
	struct cached_page *root_page;
	struct fetch *fetch; /* borrowed */
	struct lookahead ahead;
	struct interior interior;
	char *label; /* host/name@time, for messages */
	char *object; /* name of the record in the store */
	/* Called when the last reference is gone, and when all is freed. */
	void (*gone)(void *ctx, struct native_view *v);
	void (*freed)(void *ctx);
	void *ctx;
	struct native_view *next; /* the history's */
};

struct native_view_options {
	struct page_cache *pages; /* borrowed, as fetch */
	struct fetch *fetch;
	const char *label;
	const char *object; /* name of the record in the store */
	void (*gone)(void *ctx, struct native_view *v); /* both may be NULL */
	void (*freed)(void *ctx);
	void *ctx;
};

/* r is taken over, also when it fails: -EUCLEAN. */
int native_view_new(const struct native_view_options *o, struct record *r,
	struct native_view **v, struct err *e);

static inline struct native_view *
native_view_of(struct view *v)
{
	return (struct native_view *)v; /* its first member */
}

/* Locate a node for an operation; errors carry the path. */
int native_view_locate(struct native_view *v, uint64_t node,
	struct tree_node *tn, struct err *e);
/* Put "label:path: " before e's sentence; returns r. */
int native_view_error(struct native_view *v, uint64_t node, int r,
	struct err *e);
void native_view_attr(const struct tree_node *tn, struct view_attr *a);
/* The map of a file's extents. */
struct map native_view_extent_map(struct native_view *v,
	const struct tree_node *tn);

/* Operations that stand in files of their own: data.c, */
int native_view_read(struct view *v, uint64_t node, uint64_t off, size_t len,
	struct view_data *data, struct err *e);
int native_view_seek(struct view *v, uint64_t node, uint64_t off, int whence,
	uint64_t *found, struct err *e);
int native_view_extents(struct view *v, uint64_t node, uint64_t from,
	bool (*each)(void *ctx, const struct view_extent *x), void *ctx,
	struct err *e);
int native_view_neighbours(struct view *v, uint64_t node, int max,
	void (*each)(void *ctx, uint64_t node, const void *data, size_t len),
	void *ctx);
/* data_random.c */
void native_view_at_random(struct view *v, uint64_t node,
	bool (*each)(void *ctx, uint64_t off, const void *data, size_t len),
	void *ctx);
/* places.c */
int native_view_places(struct view *v, uint64_t node, enum view_part part,
	void (*each)(void *ctx, const struct view_place *p), void *ctx,
	struct err *e);
/* mark.c */
int native_view_mark(struct view *v, uint64_t node, struct view_mark *m,
	struct err *e);
void native_view_about(struct view *v, struct view_about *a);
/* xattr.c */
ssize_t native_view_xattr_get(struct view *v, uint64_t node, const char *name,
	void *value, size_t size, struct err *e);
ssize_t native_view_xattr_list(struct view *v, uint64_t node, char *names,
	size_t size, struct err *e);

#endif
