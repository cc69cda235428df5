/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the proxy and the server need of HTTP/1.1. */
#ifndef YORE_TESTS_S3_HTTP_H
#define YORE_TESTS_S3_HTTP_H

#include "tests/s3/net.h"

#define HEAD_MAX (64 << 10)
#define HEAD_FIELDS 100

/* The head of a request or of a response. */
struct head {
	char *raw; /* as it came, with the empty line */
	size_t raw_len;
	char *text;	       /* what the pointers below point into */
	char *method, *target; /* of a request */
	int status;	       /* of a response, else 0 */
	struct {
		char *name, *value;
	} field[HEAD_FIELDS];
	size_t n;
};

/* Read one: 1, 0 when the stream ends before it, -1 when it is none.  The
 * caller owes head_release after 1. */
int head_read(struct stream *s, struct head *h);
void head_release(struct head *h);
/* The value of a field, the first when there are several; NULL. */
const char *head_get(const struct head *h, const char *name);
/* Content-Length; -1 without one or when it is nonsense. */
int64_t head_length(const struct head *h);
bool head_chunked(const struct head *h);
/* Whether the other side wants the connection closed after this message. */
bool head_closes(const struct head *h);

/*
 * What a request is in S3's terms: GET HEAD PUT DELETE of an object; LIST,
 * BATCH (DELETE of many); BEGIN PART COMPLETE ABORT of a multipart upload;
 * BUCKET for what else is asked of a bucket.
 */
const char *http_operation(const char *method, const char *target);

#endif
