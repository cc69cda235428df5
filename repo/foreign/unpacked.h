/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What packed objects decode to, kept (kept.h) once it has been read to its end
 * and verified, so that any part of it is found without decoding it again.
 */
#ifndef YORE_FOREIGN_UNPACKED_H
#define YORE_FOREIGN_UNPACKED_H

#include <pthread.h>
#include "repo/foreign/kept.h"
#include "repo/foreign/unpack.h"

/* The piece of some object that was wanted last, for who reads small parts one
 * after the other.  One for any number of objects, and of threads. */
struct unpacked_last {
	pthread_mutex_t lock; /* a leaf: */
	char *name;	      /* NULL: none so far */
	uint64_t number;
	size_t len;
	uint8_t *bytes;
};
void unpacked_last_init(struct unpacked_last *l);
void unpacked_last_release(struct unpacked_last *l);

/* An object; all is borrowed. */
struct unpacked_source {
	struct store *store;
	struct kept *kept;
	const char *object;
	uint64_t size; /* as listed, as is: */
	int64_t modified_ns;
	enum unpack_kind kind;
	uint64_t max;		    /* as for unpack_new */
	struct unpacked_last *last; /* or NULL */
};

/* From beginning to end: as unpack_new and unpack_read.  What is read is kept;
 * src is borrowed until unpacked_free. */
struct unpacked;
struct unpacked *unpacked_new(const struct unpacked_source *src);
void unpacked_free(struct unpacked *u);
ssize_t unpacked_next(struct unpacked *u, void *buf, size_t len, struct err *e);

/* How long it is, decoded; decodes it unless that is known.  Errors, here and
 * below, as of unpack_read; -EIO the object has been removed. */
int unpacked_length(
	const struct unpacked_source *src, uint64_t *len, struct err *e);
/* Bytes [off, off + len), which lie in it. */
int unpacked_get(const struct unpacked_source *src, uint64_t off, size_t len,
	void *to, struct err *e);

#define auto_unpacked AUTO(unpacked_auto_)
static inline void
unpacked_auto_(struct unpacked **u)
{
	unpacked_free(*u);
}

#endif
