/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The files of a queue; private to it.
 *
 * A file is called by its number, 12 digits and ".q", and holds records:
 *
 *   u32 magic || u32 type || u64 length || u32 sum[2] || u64 0 || payload
 *
 * of lengths that are multiples of 8.  The sum (wal_sum, little-endian words)
 * goes over the first 16 bytes and the payload of this record and all before
 * it in the file.  Each file begins with a START, that is with all that must
 * be known to go on without the files before it, and units never go from one
 * file into the next.
 */
#ifndef YORE_WRITE_REPLICATE_QUEUE_PRIVATE_H
#define YORE_WRITE_REPLICATE_QUEUE_PRIVATE_H

#include <pthread.h>
#include "repo/write/replicate/queue.h"

#define QUEUE_MAGIC 0x59524551u /* YREQ */
#define QUEUE_RECORD_LEN 32
#define QUEUE_PAYLOAD_MAX (QUEUE_PAGES_LEN_MAX + (1u << 20))

enum queue_type {
	QUEUE_START = 1, /* lineage || position || u64 unit */
	QUEUE_PAGES,  /* u32 page size || u32 n || n u32 || [u32 0] || pages */
	QUEUE_COMMIT, /* position */
	QUEUE_CUT,    /* u64 unit */
};

struct queue_record {
	enum queue_type type;
	uint64_t off; /* of its payload */
	const uint8_t *payload;
	size_t len;
};

/* A place in a file, and the sum of what lies before it. */
struct queue_mark {
	uint64_t off;
	uint32_t sum[2];
};

/*
 * Call each record from `at` on until the file ends, `end`, what does not
 * verify, or each returns an error.  at moves behind the last that was taken.
 * 0 also where something does not verify; -errno of reading, or of each.
 */
int queue_file_scan(int fd, struct queue_mark *at, uint64_t end,
	int (*each)(void *ctx, const struct queue_record *r,
		const struct queue_mark *behind, struct err *e),
	void *ctx, struct err *e);
/* Write a record at at->off; moves at behind it, or leaves it. */
int queue_file_append(int fd, struct queue_mark *at, enum queue_type type,
	const struct buf *payload, struct err *e);

/* Take pages apart: the numbers, and where the pages lie in the payload. */
int queue_pages_decode(const struct queue_record *r, uint32_t *page_size,
	uint32_t *n, const uint8_t **pgno, size_t *pages_at, struct err *e);

struct queue_unit_place {
	uint64_t number;
	uint64_t file;
	struct queue_mark from;
	uint64_t to;
	struct position at;
};

struct queue {
	pthread_mutex_t lock;
	int dir_fd, lock_fd;
	char *dir;
	uint64_t limit;

	/* Guarded by lock, as all below. */
	bool begun;
	struct queue_start start;	  /* of the file being written */
	int fd;				  /* of that file, or -1 */
	uint64_t file;			  /* its number */
	struct queue_mark end;		  /* of what was written */
	struct queue_mark committed, cut; /* of what counts; of the last cut */
	struct position last;		  /* at committed */
	bool pages, dirty; /* since committed, since cut: there are pages */
	uint64_t filling;  /* number of the unit being filled */
	struct queue_unit_place *units;
	size_t n_units, cap_units;
	uint64_t first_file; /* the oldest that is there */
	uint64_t old_bytes;  /* of files before the one being written */
};

/* queue_recover.c: make q what its files say. */
int queue_recover(struct queue *q, struct err *e);
char *queue_file_name(uint64_t number);
/* Remove files [q->first_file, before). */
void queue_files_remove(struct queue *q, uint64_t before);
void queue_unit_add(struct queue *q, const struct queue_unit_place *p);

#endif
