/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The XML of an S3 service, from hostile servers: at most 8 levels, names of 64
 * and texts of 4096 bytes, no document types, so no entities but the five
 * predefined ones.  The length of the whole is bounded by who received it.
 */
#ifndef YORE_STORE_S3_XML_H
#define YORE_STORE_S3_XML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "repo/store/s3_time.h"
#include "repo/base/err.h"

/* Called at the end of each element: its path from the root, as in
 * "Error/Code", and its text.  False ends the walk. */
typedef bool s3_xml_each(void *ctx, const char *path, const char *text);

/* What reads it is there: asked before a service is, because an error that
 * cannot be read is none. */
int s3_xml_load(struct err *e);

/* 0 also when each ended it; -EUCLEAN not XML, or out of bounds. */
int s3_xml_walk(const void *xml, size_t len, s3_xml_each *each, void *ctx,
	struct err *e);

#define S3_CODE_MAX 64
#define S3_MESSAGE_MAX 200

struct s3_error {
	char code[S3_CODE_MAX]; /* "": it was no error */
	char message[S3_MESSAGE_MAX];
	char region[S3_CODE_MAX]; /* where the bucket is, if it says so */
};

/* Whether the root is <Error>; what is not XML is none. */
bool s3_xml_error(const void *xml, size_t len, struct s3_error *out);

/* The text of the first element with that path; -ENOENT none, -ERANGE it has
 * size bytes or more. */
int s3_xml_value(const void *xml, size_t len, const char *path, char *value,
	size_t size);

/* A page of a listing. */
#define S3_PAGE_MAX 10000
#define S3_KEY_MAX 1024
#define S3_TOKEN_MAX 2048

struct s3_item {
	char *key; /* owned; decoded */
	uint64_t size;
	int64_t modified_ns; /* S3_TIME_UNKNOWN, too, where it is none */
};

struct s3_page {
	struct s3_item *items;
	size_t n, cap;
	bool more;
	char token[S3_TOKEN_MAX + 1]; /* of the next page, if more */
};

/*
 * Items are in the order in which they came; with common prefixes among them,
 * which have size 0 and no time, in byte order.  -EUCLEAN not a listing, a size
 * that is none, more pages without a token, too many items, a key of no or too
 * many bytes or with a NUL.
 */
int s3_xml_page(
	const void *xml, size_t len, struct s3_page *page, struct err *e);
void s3_page_release(struct s3_page *page);

#endif
