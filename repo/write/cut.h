/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where files are cut into chunks (FORMAT, "Cutting").  By content (keyed
 * FastCDC: Xia et al., USENIX ATC 2016, with normalised chunking) or, for
 * databases, at multiples of a length.  Boundaries are a matter between writers only:
 * readers never cut, so the parameters may differ from run to run at the price
 * of deduplication.
 *
 * No I/O, no memory of its own.
 */
#ifndef YORE_WRITE_CUT_H
#define YORE_WRITE_CUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "repo/base/err.h"
#include "repo/crypto/keyring.h"

/* A cut depends on the CUT_WINDOW bytes before it, and on nothing else but its
 * distance from the cut before. */
#define CUT_WINDOW 64

/* Databases among other files, of which a little changes everywhere, and one
 * page is read here and one there; but no page is cut.  The base of a replica
 * changes by deltas: long chunks are fewer to find. */
#define CUT_DATABASE_LEN (16u << 10)
#define CUT_BASE_LEN (64u << 10)

/* Bytes a chunk may have; only the last of a file may be shorter than min. */
struct cut_params {
	uint32_t min;
	uint32_t mean; /* what random content comes to, within a few percent */
	uint32_t max;
};

#define CUT_PARAMS_DEFAULT \
	{ \
		.min = 64u << 10, .mean = 256u << 10, .max = 512u << 10 \
	}

/* CUT_WINDOW <= min <= mean <= max <= 8 MiB; -EINVAL otherwise. */
int cut_params_check(const struct cut_params *p, struct err *e);

/* The gear table of a repository; immutable, shared by all cutters. */
struct cut_gear {
	uint64_t value[256];
};

void cut_gear_init(struct cut_gear *g, const struct keyring *keys);

struct cutter {
	const struct cut_gear *gear;
	struct cut_params params;
	uint64_t strict, loose; /* a hash below it is a cut */
	uint32_t turn;		/* length from which loose holds */
	uint32_t every;		/* cut every so many bytes; 0: by content */
	size_t done;		/* bytes of the current chunk looked at */
	uint64_t hash;		/* of the bytes before done */
};

/* gear is kept (borrowed); params must have passed cut_params_check. */
void cutter_init(struct cutter *c, const struct cut_gear *gear,
	const struct cut_params *params);

/* A new file begins; every: length of its chunks, or 0: by content. */
void cutter_begin(struct cutter *c, uint32_t every);

/*
 * The length of the chunk that begins at data, or 0 when more bytes are needed
 * to tell (never with params.max bytes, nor with final).  final: the file ends
 * after these len bytes; then 0 only for len 0.  After a 0 the same bytes with
 * more behind them are expected (they may have moved); nothing is looked at
 * twice.  After another answer the next call begins that many bytes later.
 */
size_t cutter_next(struct cutter *c, const uint8_t *data, size_t len,
	bool final);

/* Whether a file that begins so is an SQLite database: magic and page size
 * (at least 18 bytes are needed to say yes). */
bool cut_is_database(const uint8_t *head, size_t len);
/* Of one that does: bytes a page, */
uint32_t cut_page_size(const uint8_t *head);
/* and a chunk. */
uint32_t cut_database_len(const uint8_t *head);

#endif
