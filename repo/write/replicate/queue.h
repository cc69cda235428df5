/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What was captured of a database and is not in the store yet: files in a
 * directory of the database's own, in the order in which it was committed.
 *
 * Pages are added, then a commit makes them count; a cut ends what will be one
 * delta, a unit.  Units are numbered from 1 in a lineage, which is a random
 * name given when the queue is begun anew.  Nothing that was synced is lost,
 * and nothing torn is ever believed: every record carries a sum that goes over
 * all records before it in its file, and what does not verify ends the queue
 * there, at the last commit.
 *
 * The files hold pages as they are, readable by the owner only.  One thread
 * adds while another takes; both may call everything.
 */
#ifndef YORE_WRITE_REPLICATE_QUEUE_H
#define YORE_WRITE_REPLICATE_QUEUE_H

#include "repo/write/replicate/position.h"

#define QUEUE_LINEAGE_LEN 16
#define QUEUE_PAGES_LEN_MAX (8u << 20) /* bytes of pages in one call */

struct queue;

/* What the queue begins with. */
struct queue_start {
	uint8_t lineage[QUEUE_LINEAGE_LEN];
	struct position at; /* the state before the first unit */
	uint64_t unit;	    /* number of the last unit before it */
};

/*
 * Open the queue in an existing directory; limit: bytes its files may have.
 * What a killed process left is kept up to its last commit.  -EBUSY another
 * process has it open.  *q is given.
 */
int queue_open(
	const char *dir, uint64_t limit, struct queue **q, struct err *e);
void queue_free(struct queue *q);

/* Whether there is a lineage: false before the first queue_begin, and after
 * queue_drop. */
bool queue_is_begun(struct queue *q);
/* Throw away what there is and begin a lineage at `at`. */
int queue_begin(struct queue *q, const struct position *at, struct err *e);
/* Throw away everything; no lineage is left. */
int queue_drop(struct queue *q, struct err *e);

/* Where the last commit is, or `at` of the begin. */
void queue_last(struct queue *q, struct position *p);
void queue_lineage(struct queue *q, uint8_t lineage[QUEUE_LINEAGE_LEN]);

/* -- Adding ----------------------------------------------------------------
 * -ENOSPC: over the limit, or the disk is full; the queue is as it was. */

/* n pages of page_size bytes; pgno and pages lie one behind the other. */
int queue_pages(struct queue *q, uint32_t page_size, const uint32_t *pgno,
	uint32_t n, const void *pages, struct err *e);
/* What was added since the last commit leads to p. */
int queue_commit(struct queue *q, const struct position *p, struct err *e);
/* Forget what was added since the last commit. */
void queue_rollback(struct queue *q);
/* All commits so far are one unit, if pages came with any since the last cut;
 * *unit (may be NULL) is the number of the last unit.  Not durable yet. */
int queue_cut(struct queue *q, uint64_t *unit, struct err *e);
/* What was committed and cut is durable when this returns. */
int queue_sync(struct queue *q, struct err *e);

/* -- Taking ---------------------------------------------------------------- */

/* A page of a unit: the newest of that number. */
struct queue_page {
	uint32_t pgno;
	uint64_t off; /* in the file */
};

struct queue_unit {
	uint64_t number;
	struct position at;	  /* where it leads */
	struct queue_page *pages; /* ascending, none beyond the end */
	size_t n;
	int fd; /* of the file it lies in */
};

#define QUEUE_UNIT_INIT  \
	{                \
		.fd = -1 \
	}

/* The oldest unit; -ENOENT there is none.  *u is given (queue_unit_release);
 * it stays readable when it is removed meanwhile. */
int queue_oldest(struct queue *q, struct queue_unit *u, struct err *e);
int queue_unit_read(
	const struct queue_unit *u, size_t i, void *page, struct err *e);
void queue_unit_release(struct queue_unit *u);
/* Units up to this number are in the store: remove them. */
int queue_remove(struct queue *q, uint64_t unit, struct err *e);

struct queue_stats {
	uint64_t bytes; /* that wait */
	uint64_t units; /* that wait */
	uint64_t last;	/* number of the last unit, cut or stored */
	bool open;	/* there are pages in commits that are in no unit yet */
	int64_t since_ns; /* of the oldest that waits; 0: nothing does */
};
void queue_stats(struct queue *q, struct queue_stats *s);
#define auto_queue AUTO(queue_auto_)
static inline void
queue_auto_(struct queue **q)
{
	queue_free(*q);
}
#define auto_queue_unit AUTO(queue_unit_release)

#endif
