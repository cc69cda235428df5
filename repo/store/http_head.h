/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The lines of an answer's head that matter here, from hostile servers: known
 * headers are bounded and checked, a malformed one marks the head as bad, all
 * others are skipped.
 */
#ifndef YORE_STORE_HTTP_HEAD_H
#define YORE_STORE_HTTP_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_ETAG_MAX 128
#define HTTP_REGION_MAX 64
#define HTTP_LINES_MAX 256
#define HTTP_WANTED_MAX 256

struct http_head {
	int status;	/* 0: no status line yet */
	int64_t length; /* Content-Length, or -1 */
	bool has_range; /* Content-Range with a range: */
	uint64_t first, last;
	int64_t size; /* of the whole object, by Content-Range, or -1 */
	int64_t date; /* seconds since 1970, or 0 */
	unsigned retry_after_s;
	char etag[HTTP_ETAG_MAX];     /* with its quotes; "": none, or weak */
	char region[HTTP_REGION_MAX]; /* x-amz-bucket-region */
	bool encoded;		      /* a Content-Encoding was applied */
	bool bad;
	unsigned lines;
	/* one header that is wanted besides, borrowed; NULL: none */
	const char *want;
	char wanted[HTTP_WANTED_MAX]; /* its value; "": none, or too long */
};

/* Before the first line; want may be set then. */
void http_head_init(struct http_head *h);

/*
 * Take one line with or without its end.  A status line begins a new head
 * (there are several if the first says 100 Continue).
 */
void http_head_line(struct http_head *h, const char *line, size_t len);

#endif
