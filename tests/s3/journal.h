/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A log of requests that tests count: one line for each, in columns,
 *
 *   BEGIN END CONNECTION OPERATION STATUS UP DOWN RANGE FAULT TARGET
 *
 * BEGIN and END in milliseconds since the start of the program; OPERATION of
 * http_operation; STATUS is 0 when there was no answer; UP and DOWN the bytes
 * of both bodies; RANGE, FAULT and TARGET without spaces, "-" for none.  The
 * line is written before the last bytes are sent: who has an answer finds its
 * line.
 */
#ifndef YORE_TESTS_S3_JOURNAL_H
#define YORE_TESTS_S3_JOURNAL_H

#include "repo/base/buf.h"
#include "tests/s3/net.h"

struct entry {
	int64_t begin;
	unsigned connection;
	const char *operation, *range, *fault, *target; /* borrowed */
	int status;
	uint64_t up, down;
};

void journal_open(const char *path); /* NULL: nothing is written */
void journal_begin(struct entry *e); /* takes the time, counts it in flight */
void journal_end(const struct entry *e); /* writes the line */
/* One line: requests begun, in flight, most that ever were in flight. */
void journal_counts(struct buf *reply);

#endif
