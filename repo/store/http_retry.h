/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When to try a request again: exponential back-off with jitter, for a time. */
#ifndef YORE_STORE_HTTP_RETRY_H
#define YORE_STORE_HTTP_RETRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "repo/base/cancel.h"

struct http_retry {
	int64_t give_up_ns; /* of clock_mono_ns: no attempt begins any more */
	int64_t end_ns;	    /* likewise: none goes on any more */
	unsigned patience_s;
	struct cancel *cancel;
	unsigned n; /* waits so far */
};

/*
 * Begin a call that moves so many bytes: no attempt begins after patience_s,
 * and none goes on for more than a second for each 32 KiB beyond that, however
 * many attempts there are.
 */
void http_retry_begin(struct http_retry *r, unsigned patience_s, size_t bytes,
	struct cancel *cancel);

/* Something was won: patience_s once more, but nothing more for bytes. */
void http_retry_progress(struct http_retry *r);

/* The deadline of an attempt that begins now and has so many bytes left to
 * move: 30 s, not more than patience is left, and a second for each 32 KiB; not
 * beyond the end of the call. */
int64_t http_retry_deadline(const struct http_retry *r, size_t bytes);

/*
 * Sleep before the next attempt: 50 to 100 ms, twice that each time, at most 5
 * to 10 s, but at least as long as the server asked for.  False when time would
 * be up by then, without sleeping, or when cancelled meanwhile.
 */
bool http_retry_wait(struct http_retry *r, unsigned at_least_s);

#endif
