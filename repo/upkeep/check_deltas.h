/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The deltas of one base, from the first to the newest: what is known of each,
 * and where each page of the database lies as of the one that was looked at
 * last. Private to repo/upkeep/check*.c.
 */
#ifndef YORE_UPKEEP_CHECK_DELTAS_H
#define YORE_UPKEEP_CHECK_DELTAS_H

#include "repo/upkeep/check_private.h"

enum delta_state { DELTA_ABSENT, DELTA_LISTED, DELTA_GOOD, DELTA_BAD };

/* Of a delta; the bad ones have a cause. */
struct check_delta {
	struct delta_tail tail;
	int64_t time_ns;
	uint32_t writer; /* deltas' number */
	uint32_t pages;	 /* of the database then */
	uint32_t count;	 /* pages that lie in it now */
	uint8_t state;
};

/* Where a page lies. */
struct check_at {
	uint64_t off;
	uint32_t n; /* delta; 0: the base */
	uint16_t slot;
	uint8_t flags;
	uint8_t cause; /* number + 1 of why it cannot be read; 0: it can */
};
#define CHECK_AT_ZEROS 1
#define CHECK_AT_UNKNOWN 2 /* its hash is not known */

/* Of delta n cannot be read: */
enum check_lacks {
	CHECK_RECORD, /* its record, and so its index and times */
	CHECK_INDEX,
	CHECK_TIMES,
	CHECK_DATA,  /* all pages in it */
	CHECK_FRAME, /* those in one frame; of the base (n 0): some */
};

/* Why something cannot be read, and since when that matters. */
struct check_cause {
	uint32_t fault;
	enum check_lacks lacks;
	uint64_t n, off;
	uint64_t pages; /* so many lie there now */
	uint64_t since; /* first point of those that are touched; 0: none */
};
#define CHECK_CAUSES_MAX 254

struct check_base {
	struct check *c;
	const struct record *rec;
	struct delta_base base;
	char *label;
	const char *object; /* of its record */
	uint64_t n;	    /* number of the newest; 0: there are none */
	bool has_next;	    /* another base follows */
	bool followed; /* the newest delta is no point, it closes the base */
	struct delta *newest;  /* NULL: it cannot be read */
	struct scratch deltas; /* n + 1 of struct check_delta */
	struct scratch at;     /* cap of struct check_at, by page - 1 */
	uint32_t cap, pages;   /* pages: of the database now */
	struct check_cause cause[CHECK_CAUSES_MAX];
	unsigned n_causes;
	uint8_t last_hash[HASH_LEN]; /* of the record before */
	bool has_hash;
	/* of the proof (check_proof.c): */
	bool proving;
	struct scratch hashes;	    /* 16 bytes a page */
	uint8_t sum[PAGE_HASH_LEN]; /* of those that are known */
	uint64_t unknown;	    /* pages */
	uint32_t hashed_pages;	    /* of the database at the point before */
	bool gap; /* a delta could not be read: nothing is proven from there */
};

/* The last point. */
static inline uint64_t
check_base_last(const struct check_base *b)
{
	return b->n && b->followed ? b->n - 1 : b->n;
}

static inline struct check_delta *
check_delta(const struct check_base *b, uint64_t n)
{
	return (struct check_delta *)b->deltas.data + n;
}

static inline struct check_at *
check_at(const struct check_base *b, uint32_t page)
{
	return (struct check_at *)b->at.data + (page - 1);
}

/* A fault of delta n, and what of it cannot be read; off and len of a frame. */
struct check_fault *check_delta_fault(struct check_base *b, uint64_t n,
	enum check_lacks lacks, enum check_what what, const char *text);
struct check_fault *check_delta_frame(struct check_base *b, uint64_t n,
	uint64_t off, uint64_t len, const char *text);
/* One because of which nothing is lost. */
void check_delta_odd(struct check_base *b, uint64_t n, const char *text);

/* -- check_points.c
 * -------------------------------------------------------------- */

/* The database has so many pages now. */
int check_points_resize(struct check_base *b, uint32_t pages, struct err *e);
/* Something of delta n (0: of the base) cannot be read, for a fault: number + 1
 * of that cause, again the same one. */
uint8_t check_points_cause(struct check_base *b, const struct check_fault *f,
	enum check_lacks lacks, uint64_t n, uint64_t off);
/* A page lies somewhere else now. */
void check_points_move(struct check_base *b, uint32_t page, uint64_t n,
	uint64_t off, uint16_t slot, uint8_t flags);
/* What the walk found out about the base's file. */
int check_points_begin(struct check_base *b, struct err *e);
/* Point n is complete: which causes touch it? */
void check_points_at(struct check_base *b, uint64_t n);
/* All of them were: what the way to them takes. */
void check_points_end(struct check_base *b);

/* -- check_places.c
 * -------------------------------------------------------------- */

/* The index and the times of a delta against what is known.  1: the index
 * cannot be read, or is wrong. */
int check_places(struct check_base *b, struct delta *d, struct err *e);

/* -- check_proof.c
 * --------------------------------------------------------------- */

/* Hash the base, and compare. */
int check_proof_begin(struct check_base *b, struct err *e);
/* Read the data of delta n; its pages are moved and hashed. */
int check_proof_read(struct check_base *b, struct delta *d, struct err *e);
/* All of delta n is known: compare with its hash. */
void check_proof_at(struct check_base *b, const struct delta *d);
/* Pages that went away, or cannot be read, are in the sum no more. */
void check_proof_forget(struct check_base *b, uint32_t page);

/* -- check_deltas_list.c ------------------------------------------------------- */

/* Sets b->n and lengths; bytes: of all of them. */
int check_deltas_list(struct check_base *b, uint64_t *bytes, struct err *e);
/* What is wrong with delta n may be the listing's fault: then that is noted. */
int check_deltas_ask(struct check_base *b, uint64_t n, struct err *e);

#endif
