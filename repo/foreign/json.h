/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * JSON (RFC 8259) as others wrote it, from hostile bytes.  A value is the
 * bytes it stands in: nothing is built of it, so that memory does not grow
 * with what comes, and a number that is handed on keeps the digits it was
 * written with, which no library that makes a tree of it does
 * (9007199254740993, 1.5e300, 3.0).
 *
 * json_check says whether bytes are a value; only what it accepted, or
 * json_elements gave, may be given to the others.
 */
#ifndef YORE_FOREIGN_JSON_H
#define YORE_FOREIGN_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "repo/base/buf.h"
#include "repo/base/err.h"

#define JSON_DEPTH_MAX 128 /* arrays and objects within each other */

/* One value, without the space around it. */
struct json {
	const char *p;
	size_t len;
};

/* The one value, with space around it, that all of data is.  -EUCLEAN. */
int json_check(const void *data, size_t len, struct json *v, struct err *e);

/* -- Parts of a value that was checked ------------------------------------ */

enum json_kind {
	JSON_NULL,
	JSON_FALSE,
	JSON_TRUE,
	JSON_NUMBER,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT,
};
enum json_kind json_kind(struct json v);

/* The next element of an array, or member of an object, from *at on, which is
 * 0 at first; false after the last.  name may be NULL for an array. */
bool json_next(
	struct json v, size_t *at, struct json *name, struct json *element);

/* The bytes of a string, its escapes taken away, appended to out; they may
 * hold NUL, and are UTF-8. */
void json_bytes_of(struct json string, struct buf *out);
/* Whether v is this string. */
bool json_is_text(struct json v, const char *text);
/* The value of a number without sign, fraction and exponent that fits; else
 * false. */
bool json_number_of(struct json v, uint64_t *n);

/* -- Arrays that come bit by bit ------------------------------------------ */

/* Where they come from: as read(2), at most len bytes, 0 at the end; -errno
 * and e. */
struct json_source {
	ssize_t (*read)(void *ctx, void *buf, size_t len, struct err *e);
	void *ctx;
};

/*
 * Call each element of the one array that the source is, in order, with the
 * number of bytes that come before it; its errors are returned.  Holds one
 * element and what was read with it: -EUCLEAN for one of more than max bytes,
 * and for what is no array.
 */
int json_elements(const struct json_source *s, size_t max,
	int (*each)(
		void *ctx, struct json element, uint64_t off, struct err *e),
	void *ctx, struct err *e);

#endif
