/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A database that an application writes, what is captured of it, and a replica
 * in memory made of nothing but that: a base and the queue's units.  Two states
 * are equal when every row of every table is.
 */
#ifndef YORE_TESTS_REPLICA_FIXTURE_H
#define YORE_TESTS_REPLICA_FIXTURE_H

#include <sqlite3.h>
#include "repo/write/replicate/capture.h"

struct replica {
	char dir[64];
	char *path; /* of the database */
	char *queue_dir;
	sqlite3 *app; /* the application's connection */
	struct queue *queue;
	struct capture *capture;
	struct buf image; /* the replica's bytes */
	uint32_t page_size;
	unsigned units; /* applied so far */
};

/* A database of this page size with two tables and a row, in WAL mode. */
void replica_begin(struct replica *r, uint32_t page_size);
void replica_end(struct replica *r);
/* The replicator is started and stopped; stopping forgets all but the queue. */
void replica_start(struct replica *r);
void replica_stop(struct replica *r);
/* The application closes its connection (which by SQLite's rules may remove the
 * log) and opens another. */
void replica_close_app(struct replica *r);
void replica_open_app(struct replica *r);

/* Run SQL as the application; must succeed. */
void replica_run(struct replica *r, const char *sql, ...)
	__attribute__((format(printf, 2, 3)));
/* The same, and whatever comes of it: SQLite's code. */
int replica_try(struct replica *r, const char *sql);

/* Make a base: the image is the database as it is. */
void replica_base(struct replica *r);
/* Capture and apply; 0 or the error of capture_take. */
int replica_take(struct replica *r);
/* Take, which must succeed, and compare the image with the database. */
void replica_check(struct replica *r);
/* Compare only. */
void replica_compare(struct replica *r);

#endif
