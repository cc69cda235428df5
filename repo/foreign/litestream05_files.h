/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which LTX files a replica of Litestream 0.5 holds, from their names alone,
 * and which of its states can be had from them.
 *
 * A file holds the pages that changed from one TXID to another.  Level 0 has
 * one a TXID, levels 1 to 8 what was joined of the level below, level 9
 * snapshots, from TXID 1.  Names are ltx/<level>/<min>-<max>.ltx, in S3 and OSS
 * <level, 4 digits>/<min>-<max>.ltx; TXIDs have 16 lower-case digits.
 */
#ifndef YORE_FOREIGN_LITESTREAM05_FILES_H
#define YORE_FOREIGN_LITESTREAM05_FILES_H

#include "repo/store/store.h"

#define LITESTREAM05_LEVELS 10
#define LITESTREAM05_SNAPSHOTS 9 /* their level */
#define LITESTREAM05_FILES_MAX 1000000
#define LITESTREAM05_NAME_MAX 64 /* of a file below the replica's root */

enum litestream05_layout { LITESTREAM05_LTX, LITESTREAM05_S3 };

enum litestream05_state {
	LITESTREAM05_UNREAD,
	LITESTREAM05_READ,
	LITESTREAM05_BAD /* no such header, or the file is gone */
};

/* What its header says, once that has been read. */
struct litestream05_info {
	int64_t time_ns;
	uint32_t commit; /* pages of the database */
	uint32_t page_size;
	enum litestream05_state state;
};

struct litestream05_file {
	uint64_t min, max; /* TXIDs */
	uint64_t size;
	int64_t modified_ns; /* as in struct store_object */
	uint8_t level;
	uint8_t layout;
	struct litestream05_info info;
};

/* A state that can be had. */
struct litestream05_moment {
	uint64_t txid;
	uint32_t file; /* of the lowest level that ends with it */
	bool snapshot; /* the first one, or a file of level 9 ends with it */
};

struct litestream05_files {
	struct litestream05_file *files; /* by min, then max, then level */
	size_t n;
	struct litestream05_moment *moments; /* by TXID */
	size_t n_moments;
	/* The first TXID that no file has, though there are later ones: those
	 * cannot be had; 0: none is missing. */
	uint64_t missing;
	uint64_t newest; /* the highest TXID of all files; 0: no files */
};

/* What a name below the replica's root says; false: not such a file. */
bool litestream05_file_parse(const char *name, struct litestream05_file *f);
/* Whether it names an LTX file that has no level: "ltx/" and two TXIDs. */
bool litestream05_file_is_older(const char *name);
void litestream05_file_name(
	const struct litestream05_file *f, char out[LITESTREAM05_NAME_MAX]);
/* Order of struct litestream05_files. */
int litestream05_file_compare(const void *a, const void *b);

/*
 * List a replica whose names begin with prefix.  before (may be NULL) is what
 * was there last: then, should it have been much, only new files of level 0
 * are asked for unless `all`.  *f is replaced.  -E2BIG too many.
 */
int litestream05_files_list(struct store *s, const char *prefix,
	const struct litestream05_files *before, bool all,
	struct litestream05_files *f, struct err *e);
/* Fill in the rest of f from files (n of them, in any order). */
void litestream05_files_derive(struct litestream05_files *f);
void litestream05_files_release(struct litestream05_files *f);
/* Take over what is known of the same files. */
void litestream05_files_inherit(
	struct litestream05_files *f, const struct litestream05_files *before);
bool litestream05_files_same(
	const struct litestream05_files *a, const struct litestream05_files *b);

/* Index of the moment, or of the last one before it; n_moments: none. */
size_t litestream05_files_find(
	const struct litestream05_files *f, uint64_t txid);

/*
 * The files whose pages, later ones before earlier ones, are the database at
 * a TXID, as Litestream's own restore chooses them: the newest snapshot that
 * is not later, then again and again the file that follows without a gap and
 * reaches furthest.  Writes indexes to *plan (given, *n of them).  -ENOENT the
 * TXID cannot be had.
 */
int litestream05_files_plan(const struct litestream05_files *f, uint64_t txid,
	uint32_t **plan, size_t *n, struct err *e);

#endif
