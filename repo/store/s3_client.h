/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests to an S3 service, or unsigned ones to a static tree: built, signed,
 * sent, and sent again when that may help (DESIGN, "Stores").
 *
 * Tried again: no connection, broken and overdue answers, 408, 429, 500, 502,
 * 503, 504, SlowDown and the like, also where they come as an error in a 200.
 * Tried again at once: with keys read anew when the server says that they have
 * expired; with the server's clock when it says that this one's is off.
 */
#ifndef YORE_STORE_S3_CLIENT_H
#define YORE_STORE_S3_CLIENT_H

#include <stdatomic.h>
#include "repo/crypto/sign.h"
#include "repo/store/http.h"
#include "repo/store/http_retry.h"
#include "repo/store/s3_config.h"
#include "repo/store/s3_credentials.h"
#include "repo/store/s3_xml.h"
#include "repo/store/store.h"

#define S3_QUERY_MAX 6
#define S3_HEADERS_MAX 4

enum s3_kind { S3_GET, S3_HEAD, S3_LIST, S3_PUT, S3_OTHER, S3_KINDS };

struct s3_client {
	struct s3_config config;
	struct http *http;
	struct s3_credentials *credentials; /* NULL: requests are not signed */
	unsigned patience_s;
	atomic_llong clock_offset_s; /* the server's clock minus this one's */
	atomic_bool answered;	     /* ever */
	atomic_bool silent; /* since a call waited for an answer in vain */
	atomic_ullong requests[S3_KINDS];
	struct histogram seconds; /* of each */
	atomic_ullong retries;
	atomic_ullong bytes; /* that gets returned */
	atomic_ullong errors;
};

/* Takes config over. */
struct s3_client *s3_client_new(struct s3_config *config, unsigned patience_s);
void s3_client_free(struct s3_client *c);
void s3_client_stats(struct s3_client *c, struct store_stats *st);
/* What to call an object (NULL: all of them) in messages; given. */
char *s3_client_address(const struct s3_client *c, const char *name);

struct s3_call {
	/* What is wanted; all is borrowed. */
	enum s3_kind kind;
	const char *method;
	const char *name;  /* of an object; NULL: the bucket */
	const char *about; /* for messages, when there is no name */
	struct sign_pair query[S3_QUERY_MAX];
	size_t n_query;
	struct sign_pair headers[S3_HEADERS_MAX];
	size_t n_headers;
	const void *body; /* NULL: none */
	size_t body_len;
	struct http_range range;
	size_t text_max; /* of an answer that is no range */
	const char *want; /* a header of the answer besides; NULL: none */
	const struct store_call *how;
	unsigned patience_s; /* 0: the client's */

	/* What came of it; range_got and size when 0 is returned. */
	struct http_response rs;
	struct s3_error error; /* the server's; code is "" when it sent none */
	size_t got;	       /* bytes in range.into */
	bool unsure; /* an earlier attempt may have done what it was for */

	/* s3_client.c's own. */
	struct http_retry retry;
	struct http_request rq;
	struct http_transfer *transfer;
	struct buf url, authorization;
	char *lines[S3_HEADERS_MAX + 6];
	char etag[HTTP_ETAG_MAX]; /* of the object whose first bytes came */
	size_t kept;		  /* of those bytes */
	unsigned serial;	  /* of the keys */
	bool temporary;		  /* keys with a token */
	bool renewed, skewed;	  /* tried again for that already */
	int64_t began_ns;
	int64_t attempt_ns; /* when the last attempt began */
};

/*
 * Make the request and retry as above.  0 for a 2xx without an error in it.
 * Else the error names the object's URL and what the server said: -ENOENT
 * (404), -ENXIO (NoSuchBucket), -EEXIST (412), -EACCES (401, 403), -EPERM
 * (keys that are none, or no longer), -ERANGE
 * (416), -EOPNOTSUPP (405, 501 or NotImplemented), -EINTR cancelled, -EIO
 * everything else.
 */
int s3_call(struct s3_client *c, struct s3_call *call, struct err *e);

/* The same in two steps: between them the first attempt is under way, and the
 * call and all it borrows stay where they are. */
int s3_call_start(struct s3_client *c, struct s3_call *call, struct err *e);
int s3_call_finish(struct s3_client *c, struct s3_call *call, struct err *e);

/* To be called when start has succeeded, whatever became of it then. */
void s3_call_release(struct s3_call *call);

#define auto_s3_call AUTO(s3_call_release)

#endif
