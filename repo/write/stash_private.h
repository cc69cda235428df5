/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the parts of stash.h. */
#ifndef YORE_WRITE_STASH_PRIVATE_H
#define YORE_WRITE_STASH_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>
#include "repo/base/buf.h"
#include "repo/write/stash.h"

/* A small object that has been read. */
struct stash_object {
	char name[STORE_NAME_MAX + 1];
	uint8_t *data;
	size_t len;
};

struct stash {
	char *dir; /* or "": nothing is kept */
	char address[33]; /* of the store, hashed */
	char *source; /* <dir>/<source>, or NULL before a run */
	char source_hex[SOURCE_KEY_LEN * 2 + 1];
	atomic_bool get_denied, list_denied;

	pthread_mutex_t lock; /* a leaf; guards all below */
	struct stash_object *seen; /* format and key slots */
	size_t n_seen;
	char (*slots)[STORE_NAME_MAX + 1]; /* as listed */
	size_t n_slots;
	bool slots_listed;
};

/* -- stash_files.c: files below k->dir ------------------------------------- */

/* Where an object is kept, if it is; NULL for those that never are.  Given. */
char *stash_path(const struct stash *k, const char *name);
/*
 * Read a part of a file.  Whole files may end before it; of sparse ones what
 * was never written is not there, and a part suffices of which `enough` bytes
 * are there (0: all).  -ENOENT.
 */
int stash_read(const char *path, bool sparse, uint64_t off, size_t len,
	void *buf, size_t *got, size_t enough);
/* How much of [off, off + len) is there from off on. */
size_t stash_present(int fd, uint64_t off, size_t len);
/* Write a part of a sparse file, which is made. */
int stash_patch(const char *path, uint64_t off, const void *data, size_t len);
/* Replace a file; quietly unless it fails. */
int stash_replace(const char *path, const void *data, size_t len);
/* Remove all files of a directory but one (NULL: all). */
void stash_clear(const char *dir, const char *except);
/* List a prefix as store_ops.list does. */
int stash_list(const struct stash *k, const char *prefix, const char *after,
	bool (*each)(void *ctx, const char *name, uint64_t size), void *ctx);

/* -- stash_pages.c ---------------------------------------------------------- */

/* A part of a metadata pack, of whatever source. */
int stash_page(const struct stash *k, const char *name, uint64_t off, size_t len,
	void *buf, size_t *got, size_t enough);

#endif
