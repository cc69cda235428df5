/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The replica that litestream 0.3.13 wrote (tests/foreign/litestream03), copied
 * to the fixture's directory (foreign_fixture.h) with its times, in any
 * dialect.
 */
#ifndef YORE_TESTS_LITESTREAM03_REPLICA_H
#define YORE_TESTS_LITESTREAM03_REPLICA_H

#include "repo/foreign/foreign.h"
#include "repo/foreign/litestream03/name.h"
#include "tests/unit/foreign_fixture.h"

/* Its segments as those of kind: LS03_SEGMENT as they are, LS03_SEGMENT_8,
 * LS03_SEGMENT_16; LS03_WHOLE each log in one object, LS03_LIVE the last log of
 * each generation besides as it is while it grows. */
void replica_make(enum ls03_kind kind);
/* The path of a file of tests/foreign/litestream03; given. */
char *replica_file(const char *name);
/* Call for each line of such a file, cut into its first columns. */
#define REPLICA_COLUMNS 4
void replica_lines(const char *file,
	void (*each)(void *ctx, char *columns[REPLICA_COLUMNS]), void *ctx);

/* Open it; with a cache of its own that dies with it, unless cache names one.
 */
struct history *replica_open(const char *cache);
/* SHA-256, in digits, of the database in a view with bytes 18 and 19 set to
 * what they were; 0, or the error. */
int replica_sum(struct view *v, char sum[65]);
/* Of the moment with an id, or (NULL) the newest not later than t_ns. */
int replica_sum_of(struct history *h, const char *id, int64_t t_ns,
	char sum[65], struct err *e);

#endif
