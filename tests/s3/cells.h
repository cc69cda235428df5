/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The cells of the fault matrix: a kind of fault, what is asked while it
 * happens, how often it happens, and how that is to end.
 */
#ifndef YORE_TESTS_S3_CELLS_H
#define YORE_TESTS_S3_CELLS_H

#include <stdbool.h>
#include <stdint.h>
#include "repo/store/store.h"

enum outcome {
	RIGHT, /* succeeds, with the right result */
	FAILS, /* fails, and says so */
	SAFE,  /* one of the two */
};

enum mode { ONCE, BURST, FOR_EVER, N_MODES };

/* What is asked of the store; bits. */
enum {
	GET = 1,     /* a range of an object */
	WHOLE = 2,   /* all of an object */
	SIZE = 4,    /* its size */
	LIST = 8,    /* three pages of names */
	PUT = 16,    /* a new object */
	REMOVE = 32, /* an object */
	BEGIN = 64,  /* a new object in parts; the fault is in its beginning, */
	PART = 128,  /* in its parts, */
	COMPLETE = 256, /* or its end */
	READS = GET | WHOLE,
	WRITES = PUT | BEGIN | PART | COMPLETE,
	SMALL = READS | SIZE | LIST | PUT | REMOVE | BEGIN,
	ALL = SMALL | PART | COMPLETE,
};

struct fault_row {
	const char *kind; /* of tests/s3/fault.h */
	unsigned requests;
	enum outcome end[N_MODES];
};
extern const struct fault_row fault_rows[];
extern const size_t n_fault_rows;

struct request_row {
	unsigned request;
	const char *name;
	const char *operation; /* that goes wrong; of http_operation */
	/* Make the request on names below the directory "dir/": 0 when it came
	 * to the right end, 1 when it succeeded with something else. */
	int (*run)(struct store *s, struct sink *k, const char *dir,
		struct err *e);
};
extern const struct request_row request_rows[];
extern const size_t n_request_rows;

/* What every directory has in the beginning: an object "object" of
 * CELL_OBJECT bytes, and objects "list/0" to "list/4". */
#define CELL_OBJECT 3000
void cell_content(uint8_t *out, size_t len);

#endif
