/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An application and a replicator in one thread, on a disk and a clock that are
 * made up: time passes when somebody sleeps or makes something durable, by the
 * speed of the disk, and whatever is due meanwhile is done meanwhile.  What is
 * measured is the same on every machine.
 *
 * Programs link with --wrap=clock_mono_ns, clock_wall_ns, fdatasync and fsync.
 */
#ifndef YORE_TESTS_SIMULATED_H
#define YORE_TESTS_SIMULATED_H

#include <sqlite3.h>
#include <sys/types.h>
#include "repo/write/replicate/replication.h"

#define MS_NS 1000000LL

struct disk_speed {
	int64_t sync_ns; /* to make a file durable, */
	int64_t page_ns; /* and for each page that was written since */
};

struct simulated {
	int64_t now_ns;
	struct disk_speed speed;
	unsigned dirty[2]; /* pages written, not durable: database, log */

	char dir[64];
	ino_t ino; /* of the database */
	sqlite3 *app;
	int64_t waited_ns; /* the application did, in its busy handler */
	struct replication *rp;
	struct writer *w;
	int64_t look_ns; /* when the replicator is due */
	bool looks;	 /* it is at it */

	/* Called every so often, when nobody is at it. */
	void (*often)(struct simulated *s);
	int64_t often_ns, next_ns;
	bool commits; /* it is at it */

	/* The replicator had the writer's lock. */
	int64_t locked_since_ns, locked_max_ns;
	unsigned locks;
};

/* A database that is replicated, of which a base has been made. */
void simulated_begin(struct simulated *s, const struct disk_speed *speed);
void simulated_end(struct simulated *s);
void simulated_pass(struct simulated *s, int64_t ns);
/* As the application; SQLite's code. */
int simulated_run(struct simulated *s, const char *sql);
/* Bytes of the log's file. */
uint64_t simulated_log_len(const struct simulated *s);

#endif
