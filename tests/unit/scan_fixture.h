/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Trees to scan, and what walking them with a scanner gives. */
#ifndef YORE_TESTS_SCAN_FIXTURE_H
#define YORE_TESTS_SCAN_FIXTURE_H

#include "tests/unit/unit.h"
#include "repo/base/buf.h"
#include "repo/write/scan.h"

/* A new directory, in memory where there is such a place; free() the path. */
char *fixture_make_place(void);
void fixture_remove_place(const char *dir);
/* Of a group of tests: it works in a place of its own. */
int fixture_setup(void **state);
int fixture_teardown(void **state);

void fixture_make_dir(const char *path);
void fixture_make_file(const char *path, const char *text);
int fixture_open_dir(const char *path);
/* n empty files with names of six digits. */
void fixture_fill(const char *dir, unsigned n);
/* 1,240 directories, two deep. */
void fixture_make_wide(const char *path);

struct walk {
	struct scan *scan;
	struct buf paths;    /* terminated, in walk order */
	struct buf problems; /* "path: code\n" */
	unsigned n_dirs;
	unsigned n_excluded;
	void (*visit)(struct walk *w, struct scan_dir *d);
	struct buf printed; /* as find -printf prints it */
};

/* Walk all of the tree; w must be zero but for visit.  Checks the order of all
 * names on the way. */
void fixture_walk(struct walk *w, const char *path, struct scan_options o);
void fixture_walk_release(struct walk *w);
/* All paths in walk order, a space between. */
void fixture_assert_paths(struct walk *w, const char *expected);
void fixture_assert_problems(const struct walk *w, const char *expected);
/* Paths whose last component is name. */
unsigned fixture_count_name(const struct walk *w, const char *name);

#endif
