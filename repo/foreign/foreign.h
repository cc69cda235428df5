/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Histories that other programs wrote.  Each format is recognised by the names
 * of its objects alone, opened as a struct history, and never written to.
 *
 * What is opened may hold one replica, at its root, or many below it, as a
 * bucket does that several databases are replicated to: folders are looked
 * into until one is recognised, and nothing below that one.  A replica is a
 * source <format>/<last component of its path>; of several with the same last
 * component each is called by its whole path below the root, '/' written as
 * '-'.  What appears below it later is shown after a refresh.
 */
#ifndef YORE_FOREIGN_FOREIGN_H
#define YORE_FOREIGN_FOREIGN_H

#include "repo/foreign/place.h"
#include "repo/history.h"
#include "repo/open.h"

/* -- Recognising ---------------------------------------------------------- */

/* A folder that is looked at.  Its listings are asked for once, whoever
 * looks. */
struct foreign_look;

/* What lies directly in a folder, in byte order; folders end in '/'.  Of a
 * huge one only the first ones. */
struct foreign_names {
	char **names;
	size_t n;
};

/*
 * The names in the folder (below is "") or in a folder in it ("ltx/"); *names
 * is borrowed until the look is over.  A LIST each, the first time.
 */
int foreign_look_names(struct foreign_look *k, const char *below,
	const struct foreign_names **names, struct err *e);
bool foreign_names_have(const struct foreign_names *names, const char *name);

/* -- Formats -------------------------------------------------------------- */

/* Where a replica lies in the store, and what its source is called. */
struct foreign_root {
	char *prefix; /* of all its names: "", or ends in '/' */
	char *name;   /* one path component, unique among those of its format */
};

/* Borrowed until open returns, but for the place, which is counted. */
struct foreign_open {
	struct foreign_place *place;
	const char *host; /* of its sources: the format's name */
	const struct foreign_root *roots; /* at least one */
	size_t n_roots;
};

struct foreign_format {
	const char *name;  /* what --format takes, and host of its sources */
	const char *about; /* one line, for yore formats */
	const char *marks; /* the names it is recognised by, for messages */
	/* Does this folder look like a replica?  1, 0, -errno. */
	int (*look)(struct foreign_look *k, struct err *e);
	/* A history of these replicas, a source each.  One that cannot be
	 * shown is logged and left out, unless it is the only one. */
	int (*open)(const struct foreign_open *o, struct history **h,
		struct err *e);
};

/* All of them, in the order in which they are asked; ends with NULL. */
extern const struct foreign_format *const foreign_formats[];

/*
 * Open what is at an address as that format says, or (NULL) as the first one
 * that recognises it.  *h is given.  -ENOENT nothing was recognised: the
 * sentence says what was looked for; -EINVAL there is no such format.
 */
int foreign_open_history(const char *address, const char *format,
	const struct history_open_options *o, struct history **h,
	struct err *e);

#endif
