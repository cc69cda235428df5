/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The replicas that litestream 0.5.16 and 0.5.0 wrote
 * (tests/foreign/litestream05), copied to the fixture's directory
 * (foreign_fixture.h) with their times.
 */
#ifndef YORE_TESTS_LITESTREAM05_REPLICA_H
#define YORE_TESTS_LITESTREAM05_REPLICA_H

#include "repo/foreign/litestream05.h"
#include "tests/unit/foreign_fixture.h"

/* A file of tests/foreign/litestream05; given. */
char *ltx_path(const char *name);
/* Call for each line of such a file, cut into columns; how many there were. */
#define LTX_COLUMNS 4
unsigned ltx_lines(const char *file,
	void (*each)(void *ctx, char *columns[LTX_COLUMNS]), void *ctx);

/* version: v0.5.16 or v0.5.0; s3: in the layout of S3; but for the files named
 * in without ("/name/name/"; may be NULL). */
void ltx_make(const char *version, bool s3, const char *without);

/* The replica in the fixture's directory; its source is called orders. */
struct history *ltx_open(void);
/* SHA-256, in digits, of the database in a view with bytes 18 and 19 set to
 * what they were, having compared it with the raw one; 0, or the error. */
int ltx_sum(struct view *v, char sum[65]);
/* Of the moment with an id, or (NULL) the newest not later than t_ns. */
int ltx_sum_at(struct history *h, const char *id, int64_t t_ns, char sum[65],
	struct err *e);

#endif
