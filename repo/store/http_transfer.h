/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the parts of the HTTP client (http.h): one request under way. */
#ifndef YORE_STORE_HTTP_TRANSFER_H
#define YORE_STORE_HTTP_TRANSFER_H

#include <pthread.h>
#include <sys/queue.h>
#include "repo/store/http.h"
#include "repo/store/http_curl.h"

struct http_loop;

enum http_transfer_state {
	HTTP_TRANSFER_QUEUED,
	HTTP_TRANSFER_ACTIVE,
	HTTP_TRANSFER_DONE,
};

struct http_transfer {
	struct cancel_waker waker; /* first: it is told from this */
	const struct http_request *rq;
	struct http_response *rs;
	CURL *easy;
	struct curl_slist *headers;
	char error[CURL_ERROR_SIZE];
	bool watched;

	/* What is made of the body; the loop's thread's own. */
	bool sent;
	bool decided;
	bool into_range;   /* goes to range.into, else to text */
	uint64_t skip;	   /* bytes before the range */
	size_t expected;   /* bytes of the range */
	bool open_end;	   /* more follows, that is not wanted */
	bool enough;	   /* so the connection was dropped on purpose */
	const char *wrong; /* what is the matter with the answer */

	/* Guarded by the loop's lock. */
	struct http_loop *loop;
	enum http_transfer_state state;
	bool stop;
	pthread_cond_t done;
	TAILQ_ENTRY(http_transfer) link;
};

TAILQ_HEAD(http_transfers, http_transfer);

/* -- http_transfer.c ------------------------------------------------------ */

/* Make the curl handle of t for its request; false when memory is gone. */
bool http_transfer_prepare(struct http_transfer *t, const char *ca_file);
/* What became of it: fills t->rs. */
void http_transfer_settle(struct http_transfer *t, CURLcode code);
/* The same for one that ends before its answer. */
void http_transfer_end(
	struct http_transfer *t, enum http_outcome outcome, const char *why);

/* -- http_loop.c ---------------------------------------------------------- */

/* One more client; the thread starts with the first request. */
void http_loop_get(void);
/* One less; with the last the thread ends. */
void http_loop_put(void);
/* Queue t for this process's thread.  When there can be none, t has ended. */
void http_loop_add(struct http_transfer *t);
/* Have it stopped soon. */
void http_loop_stop(struct http_transfer *t);
/* Wait for its end. */
void http_loop_wait(struct http_transfer *t);

#endif
