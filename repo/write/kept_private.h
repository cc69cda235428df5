/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the parts of kept.h. */
#ifndef YORE_WRITE_KEPT_PRIVATE_H
#define YORE_WRITE_KEPT_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>
#include "repo/base/buf.h"
#include "repo/write/kept.h"

/* A small object that has been read. */
struct kept_object {
	char name[STORE_NAME_MAX + 1];
	uint8_t *data;
	size_t len;
};

struct kept {
	char *dir; /* or "": nothing is kept */
	char *source; /* <dir>/<source>, or NULL before a run */
	char source_hex[SOURCE_KEY_LEN * 2 + 1];
	atomic_bool get_denied, list_denied;

	pthread_mutex_t lock; /* a leaf; guards all below */
	struct kept_object *seen; /* format and key slots */
	size_t n_seen;
	char (*slots)[STORE_NAME_MAX + 1]; /* as listed */
	size_t n_slots;
	bool slots_listed;
};

/* -- kept_files.c: files below k->dir ------------------------------------- */

/* Where an object is kept, if it is; NULL for those that never are.  Given. */
char *kept_path(const struct kept *k, const char *name);
/*
 * Read a part of a file.  Whole files may end before it; of sparse ones what
 * was never written is not there, and a part suffices of which `enough` bytes
 * are there (0: all).  -ENOENT.
 */
int kept_read(const char *path, bool sparse, uint64_t off, size_t len,
	void *buf, size_t *got, size_t enough);
/* How much of [off, off + len) is there from off on. */
size_t kept_present(int fd, uint64_t off, size_t len);
/* Write a part of a sparse file, which is made. */
int kept_patch(const char *path, uint64_t off, const void *data, size_t len);
/* Replace a file; quietly unless it fails. */
int kept_replace(const char *path, const void *data, size_t len);
/* Remove all files of a directory but one (NULL: all). */
void kept_clear(const char *dir, const char *except);
/* List a prefix as store_ops.list does. */
int kept_list(const struct kept *k, const char *prefix, const char *after,
	bool (*each)(void *ctx, const char *name, uint64_t size), void *ctx);

/* -- kept_pages.c ---------------------------------------------------------- */

/* A part of a metadata pack, of whatever source. */
int kept_page(const struct kept *k, const char *name, uint64_t off, size_t len,
	void *buf, size_t *got, size_t enough);

#endif
