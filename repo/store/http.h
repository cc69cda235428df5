/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * HTTP requests: all of libcurl.  Any thread makes a request and waits for its
 * answer; one thread of the process (repo/store/http_loop.c) moves the bytes
 * of all of them.  Connections are kept, HTTP/2 is used where it is offered.
 *
 * Never done: redirects, netrc, cookies, content encodings, TLS before 1.2,
 * plain http beyond this machine (http_origin_parse), proxies on the way to
 * this machine.
 *
 * The thread starts with the first request and ends with the last client.  A
 * process may fork between requests (none under way in any thread): the child
 * starts a thread and connections of its own with its first request, and never
 * touches the parent's.  Requests begun before a fork must not be waited for
 * after it.
 */
#ifndef YORE_STORE_HTTP_H
#define YORE_STORE_HTTP_H

#include "repo/base/buf.h"
#include "repo/base/cancel.h"
#include "repo/base/err.h"
#include "repo/store/http_head.h"

#define HTTP_WHY_MAX 256

/* -- Where to ------------------------------------------------------------- */

/* scheme://host[:port]/path of a server; owned strings. */
struct http_origin {
	char *scheme;
	char *host; /* as in the Host header: with the port unless it is the
		       scheme's */
	char *path; /* as it was written, without the final '/' */
};

/*
 * Take a URL apart.  -EINVAL not http or https, no host, or with a user, query
 * or fragment; -EPERM plain http to a host that is not this one (only
 * localhost, names below it, 127.0.0.0/8 and ::1 are); -ELIBACC there is no
 * libcurl.
 */
int http_origin_parse(const char *url, struct http_origin *o, struct err *e);
void http_origin_release(struct http_origin *o);

/* -- A client ------------------------------------------------------------- */

struct http_options {
	const char *ca_file; /* certificates to trust as well; NULL: none */
};

struct http;

struct http *http_new(const struct http_options *o);
/* No request may be under way. */
void http_free(struct http *h);

/* -- A request ------------------------------------------------------------ */

/* A part of an object, to be written into a buffer.  len 0: not a part. */
struct http_range {
	uint64_t off;
	size_t len;
	void *into; /* len bytes, borrowed */
	_Atomic size_t *come; /* raised by what has been written; or NULL */
};

/* Everything is borrowed until http_wait returns. */
struct http_request {
	const char *method;
	const char *url;	    /* encoded; used as it is */
	const char *const *headers; /* "Name: value"; without Range */
	size_t n_headers;
	const void *body; /* NULL: none */
	size_t body_len;
	struct http_range range; /* of a GET */
	size_t text_max;	 /* of an answer's body that is no range */
	const char *want;	 /* http_head's */
	int64_t deadline_ns;	 /* of clock_mono_ns */
	unsigned stall_s; /* of less than 1 KiB/s; 0: 20.  To connect: as long,
			     but not more than 10 */
	struct cancel *cancel; /* or NULL */
	bool ahead;	       /* whoever waits goes first */
};

enum http_outcome {
	HTTP_ANSWERED, /* status, head and body are the server's, whole */
	HTTP_CANCELLED,
	HTTP_TIMED_OUT,	  /* the deadline, or a stall */
	HTTP_UNREACHABLE, /* no connection: the server saw nothing of it */
	HTTP_BROKEN,	  /* something came back, but not an answer */
	HTTP_REFUSED,	  /* certificate or protocol: for good */
};

struct http_response {
	enum http_outcome outcome;
	char why[HTTP_WHY_MAX]; /* unless answered */
	struct http_head head;
	bool sent_again; /* curl did, after a connection it had kept broke */
	size_t got;	 /* bytes in range.into; also of a broken answer */
	struct buf text; /* any other body, cut at 64 KiB if not 2xx */
};

/*
 * Send a request and wait for what becomes of it.  A range is HTTP_ANSWERED
 * with status 206 or 200 only if exactly the bytes asked for are in range.into,
 * or fewer because the object ends there: 206 must say so in Content-Range, and
 * of a 200 what follows the range is not downloaded, nor are more than 1 MiB
 * that precede it.
 */
void http_perform(struct http *h, const struct http_request *rq,
	struct http_response *rs);

/* The same in two steps; *rs and *rq stay where they are in between. */
struct http_transfer;
struct http_transfer *http_start(struct http *h, const struct http_request *rq,
	struct http_response *rs);
void http_wait(struct http_transfer *t);

void http_response_release(struct http_response *rs);

#endif
