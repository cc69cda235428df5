/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Parts of the S3 server of the tests, in the order in which a request passes
 * them: call (what is asked), sign (who asks), fault (what is to go wrong),
 * list, upload, object (what is done), reply (what is answered).
 */
#ifndef YORE_TESTS_S3_SERVER_H
#define YORE_TESTS_S3_SERVER_H

#include <stdbool.h>
#include "repo/base/buf.h"
#include "tests/s3/fault.h"
#include "tests/s3/http.h"
#include "tests/s3/journal.h"

#define BODY_MAX (256 << 20)

/*
 * Who may do what.  Rights are letters: r get and head objects, l list, w put
 * and multipart uploads, d delete.
 */
struct access {
	const char *id, *secret, *rights, *token; /* token may be NULL */
};

/* Fixed before the first request, except clock, page and conditional. */
struct server {
	const char *bucket, *region;
	int directory;
	struct access *access;
	size_t n_access;
	_Atomic int clock;	  /* seconds that its clock is wrong */
	_Atomic int page;	  /* keys on a page of a listing */
	_Atomic bool conditional; /* else If-None-Match is answered 501 */
	_Atomic int min_part;	  /* bytes of all parts but the last */
};
extern struct server server;
time_t server_time(void);

struct param {
	char *name, *value;
};

struct call {
	struct stream *in;
	struct head head;
	char *bucket, *key; /* decoded; key is NULL for calls on the bucket */
	char *path;	    /* decoded, as it is signed */
	struct param param[32]; /* of the query, decoded */
	size_t n_params;
	uint8_t *body;
	size_t body_len;
	const struct access *who;
	struct fault fault;
	struct entry entry;
};

struct reply {
	int status;
	bool closes;
	struct buf fields; /* lines of the head */
	struct buf body;
};

/* call.c: read one from the stream; 1, 0 at its end, -1 when it is broken.
 * The caller owes call_release after 1. */
int call_read(struct stream *in, unsigned connection, struct call *c);
void call_release(struct call *c);
/* The value of a parameter of the query; NULL. */
const char *call_param(const struct call *c, const char *name);
bool call_is(const struct call *c, const char *operation);
/* Append s as AWS encodes URIs: all but letters, digits, -._~ and, if kept, '/'
 * as %XX. */
void call_encode(struct buf *b, const char *s, bool keep_slash);

/* sign.c: whether the call is what its signature says and who signed it may do
 * it; otherwise the reply says why not. */
bool sign_check(struct call *c, struct reply *r);
void sign_hex_md5(const void *data, size_t len, char hex[33]);

/* list.c, upload.c, object.c: do what is asked. */
void list_reply(struct call *c, struct reply *r);
void upload_begin(struct call *c, struct reply *r);
void upload_part(struct call *c, struct reply *r);
void upload_complete(struct call *c, struct reply *r);
void upload_abort(struct call *c, struct reply *r);
void object_get(struct call *c, struct reply *r);
void object_put(struct call *c, struct reply *r);
void object_delete(struct call *c, struct reply *r);
void object_delete_many(struct call *c, struct reply *r);
/* Store it as the call's key; false when the reply says why not. */
bool object_store(
	struct call *c, struct reply *r, const void *data, size_t len);

/* reply.c */
void reply_field(struct reply *r, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void reply_error(
	struct reply *r, int status, const char *code, const char *message);
/* Send it, or what the call's fault makes of it; false when the connection is
 * to be closed. */
bool reply_send(struct call *c, struct reply *r);
void reply_release(struct reply *r);

#endif
