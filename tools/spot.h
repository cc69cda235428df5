/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A repository opened for reading, and places in it: what an address names,
 * with its view open.
 */
#ifndef YORE_TOOLS_SPOT_H
#define YORE_TOOLS_SPOT_H

#include "repo/history.h"
#include "tools/options.h"

struct spot {
	struct view *view;
	struct view_attr attr; /* of the node the path names */
	char *path;	       /* without leading, trailing, doubled '/' */
	char *source;	       /* host/name */
	struct history_point point; /* its tags live as long as the listing */
};

/* Unlock and open the repository that the options name; *h is given.  On
 * failure prints one line and returns the exit status, else 0. */
int spot_open_repository(struct options *o, struct history **h);

/* Open what an address names; the caller owes spot_release. */
int spot_open(struct history *h, const struct history_listing *l,
	const char *address, struct spot *p, struct err *e);
/* The same for a point and a path in it. */
int spot_open_point(struct history *h, const struct history_listing *l,
	const struct history_point *point, const char *path, struct spot *p,
	struct err *e);
void spot_release(struct spot *p);

/* A path with single slashes between its names and none around them, and
 * without "."; given. */
char *spot_tidy(const char *path);

#define auto_spot AUTO(spot_release)
#define auto_history AUTO(spot_history_auto_)
static inline void
spot_history_auto_(struct history **h)
{
	history_free(*h);
}

#endif
