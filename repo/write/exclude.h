/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a backup leaves out.  Patterns mean exactly what they mean to git
 * (gitignore(5)); of several that match, the last of the first of these lists
 * that has one decides: patterns given one by one, the files in the
 * directories (deepest first), files given as a whole.  As in git an excluded
 * directory is not entered, so nothing below it can be taken back in: callers
 * ask about a path only after its parents were not excluded.
 *
 * Beside patterns: directories marked as caches (CACHEDIR.TAG) or by a file of
 * the user's choice keep only the mark; big files are left out by size.  The
 * source itself is never excluded, nor emptied by a mark in it.
 *
 * Rules are made by one thread and immutable afterwards; everything that takes
 * them const may be called from any thread.
 */
#ifndef YORE_WRITE_EXCLUDE_H
#define YORE_WRITE_EXCLUDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "repo/base/err.h"

/* Usual name of the file with patterns for its directory. */
#define EXCLUDE_FILE_NAME ".yoreignore"
/* Bytes of one file with patterns; more is refused with -EFBIG. */
#define EXCLUDE_FILE_MAX (1u << 20)

struct exclude_rules;

/* No rule at all: no file name is looked for in directories either. */
struct exclude_rules *exclude_rules_new(void);
void exclude_rules_free(struct exclude_rules *r);

/* --exclude: one line of a gitignore file, relative to the source. */
void exclude_rules_pattern(struct exclude_rules *r, const char *pattern);
/* --exclude-file: the lines of this file, relative to the source. */
int exclude_rules_file(struct exclude_rules *r, const char *path,
	struct err *e);
/* Files called so hold patterns for their directory and below; -EINVAL when
 * the name has a '/'. */
int exclude_rules_per_directory(struct exclude_rules *r, const char *name,
	struct err *e);
/* --exclude-caches: directories with a valid CACHEDIR.TAG keep only that. */
void exclude_rules_caches(struct exclude_rules *r);
/* --exclude-if-present NAME[:HEADER]: directories with a regular file NAME
 * (that begins with HEADER) keep only that.  -EINVAL no name, or '/'. */
int exclude_rules_if_present(struct exclude_rules *r, const char *spec,
	struct err *e);
/* --exclude-larger-than: regular files of more bytes; 0 is no limit. */
void exclude_rules_larger_than(struct exclude_rules *r, uint64_t bytes);

bool exclude_larger(const struct exclude_rules *r, uint64_t size);

/* -- Directories -------------------------------------------------------------
 * The rules that hold for the entries of one directory.  Counted; directories
 * without a file of their own share their parent's. */

struct exclude_dir;

/* The chain above the source's own directory; the caller owes a put. */
struct exclude_dir *exclude_dir_top(const struct exclude_rules *r);
struct exclude_dir *exclude_dir_get(struct exclude_dir *d);
void exclude_dir_put(struct exclude_dir *d); /* NULL is allowed */

/* Whether a file of this name could change what holds in its directory: when
 * a directory has none such, exclude_dir_enter need not be asked. */
bool exclude_name_matters(const struct exclude_rules *r, const char *name);

/*
 * Enter the directory open as fd; path is its own, relative to the source, ""
 * for the source.  *d (given) is above with the patterns of this directory's
 * file, when there is one.  *mark (borrowed from the rules) is the name that
 * marks the directory: all other entries are left out; else NULL.
 * An error (file with patterns unreadable, too long, not a regular file)
 * leaves *d and *mark valid without that file.
 */
int exclude_dir_enter(struct exclude_dir *above, const char *path, int fd,
	struct exclude_dir **d, const char **mark, struct err *e);

/* The same with the file's bytes at hand (tests, fuzzing). */
struct exclude_dir *exclude_dir_lines(struct exclude_dir *above,
	const char *path, const char *lines, size_t len);

/*
 * Whether the entry at path (relative to the source; its last component is
 * name) of the directory that d holds for is excluded by a pattern.  is_dir:
 * it is a directory itself, not a link to one.
 */
bool excluded(const struct exclude_dir *d, const char *path, const char *name,
	bool is_dir);

#endif
