/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The objects of the test server: files below its directory, a key being the
 * file's path, and a sorted table of them in memory.  A key with an empty
 * component, "." or "..", or below another key, cannot be stored.
 *
 * Every function locks the table; what an object is made of never changes while
 * it is in the table.
 */
#ifndef YORE_TESTS_S3_KEYS_H
#define YORE_TESTS_S3_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

struct object {
	char *key;
	uint64_t size;
	char etag[33];
	time_t modified;
	int64_t stored; /* net_now() */
};

/* Take in the files below the directory. */
void keys_load(int directory);

/*
 * Store an object.  0, -EEXIST it is there and exclusive is asked for, -EINVAL
 * such keys cannot be stored, or another -errno.
 */
int keys_put(const char *key, const void *data, size_t len, bool exclusive);
/* An open file and a copy of what is known (out->key is NULL); -ENOENT. */
int keys_open(const char *key, struct object *out);
void keys_remove(const char *key);

/*
 * Call each object whose key has the prefix and comes after the key `after`, in
 * order, until the callback returns false.
 */
void keys_each(const char *prefix, const char *after,
	bool (*each)(void *ctx, const struct object *o), void *ctx);

#endif
