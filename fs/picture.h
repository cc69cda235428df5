/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the mount shows at a moment: a listing of the history, and what is
 * computed from it once.  Immutable and counted; a refresh makes a new one,
 * and requests in progress keep the one they began with.
 */
#ifndef YORE_FS_PICTURE_H
#define YORE_FS_PICTURE_H

#include "repo/base/auto.h"
#include "repo/history.h"

struct answers;

/* What part of the history the mount can reach: everything, the sources with
 * that host and name, or one tree whose totals are known. */
struct scope {
	const char *host; /* NULL: every source */
	const char *name;
	bool one_tree;
	struct view_totals tree;
};

struct picture {
	_Atomic int refs;
	struct history *history; /* borrowed, to ask for moments */
	struct answers *answers; /* borrowed, to ask for versions */
	bool modes_enforced;	 /* modes of directories matter */
	struct history_listing *listing;
	int64_t changed_ns; /* when it replaced another; 0 the first */
	int64_t newest_ns;  /* newest point of all */
	uint32_t *tagged;   /* indexes of points by tag, then as in listing */
	size_t *tag_first;  /* n_tags + 1 places in tagged */
	bool has_xattrs;    /* something in scope has an attribute, an ACL */
	bool has_acl;
	uint64_t bytes; /* of the newest point of each source in scope */
	uint64_t entries;
};

/* What the history lists now; changed_ns as in the struct.  answers and
 * modes_enforced are the caller's to set. */
struct picture *picture_new(
	struct history *h, const struct scope *scope, int64_t changed_ns);
struct picture *picture_get(struct picture *p);
void picture_put(struct picture *p);

/* The points of one source that carry a tag. */
struct tagged {
	const uint32_t *points; /* indexes, ascending */
	size_t n;
};
struct tagged picture_tagged(
	const struct picture *p, const char *tag, size_t source);

/* Index of the snapshot with that id and key, or HISTORY_NONE. */
size_t picture_find(const struct picture *p, const char *id, uint64_t key);

#define auto_picture AUTO(picture_auto_)
static inline void
picture_auto_(struct picture **p)
{
	picture_put(*p);
}

#endif
