/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tests of `yore find`, as find(1) has them. */
#ifndef YORE_TOOLS_MATCH_H
#define YORE_TOOLS_MATCH_H

#include "repo/view.h"

/* N, +N or -N: exactly, more than, less than. */
enum match_sign { MATCH_ANY, MATCH_EQUAL, MATCH_MORE, MATCH_LESS };

struct match {
	const char *name;  /* pattern for the last component; NULL any */
	const char *iname; /* the same, letter case ignored */
	const char *path;  /* pattern for the whole path; '*' passes '/' */
	char type;	   /* f d l p s c b; 0 any */
	enum match_sign size_sign;
	uint64_t size;
	enum match_sign days_sign;
	int64_t days; /* whole days between mtime and now */
	int64_t now_ns;
	bool has_newer, has_older;
	int64_t newer_ns; /* mtime after it */
	int64_t older_ns; /* mtime not after it */
};

#define MATCH_INIT           \
	{                    \
		.name = NULL \
	}

/* [+-]SIZE; -EINVAL. */
int match_set_size(struct match *m, const char *text);
/* [+-]DAYS, counted back from now_ns; -EINVAL. */
int match_set_days(struct match *m, const char *text, int64_t now_ns);
/* One of the letters; -EINVAL. */
int match_set_type(struct match *m, const char *text);

bool match_entry(const struct match *m, const char *path, const char *name,
	const struct view_attr *a);

#endif
