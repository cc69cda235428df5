/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When to try a request again: exponential back-off with jitter, for a time. */
#ifndef YORE_STORE_HTTP_RETRY_H
#define YORE_STORE_HTTP_RETRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "repo/base/cancel.h"

struct http_retry {
	int64_t give_up_ns; /* of clock_mono_ns */
	unsigned patience_s;
	struct cancel *cancel;
	unsigned n; /* waits so far */
};

/* Begin; the time is up after patience_s: then no attempt begins any more. */
void http_retry_begin(
	struct http_retry *r, unsigned patience_s, struct cancel *cancel);

/* Something was won: all of the time once more. */
void http_retry_progress(struct http_retry *r);

/* The deadline of an attempt that begins now and moves so many bytes: 30 s,
 * not more than is left, and a second for each 32 KiB. */
int64_t http_retry_deadline(const struct http_retry *r, size_t bytes);

/*
 * Sleep before the next attempt: 50 to 100 ms, twice that each time, at most 5
 * to 10 s, but at least as long as the server asked for.  False when time would
 * be up by then, without sleeping, or when cancelled meanwhile.
 */
bool http_retry_wait(struct http_retry *r, unsigned at_least_s);

#endif
