/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An application that looks at its watch at every commit, and those who use its
 * database besides; impact.py runs them with and without a replicator.
 *
 *   commits make DB ROWS
 *       a database in WAL mode
 *   commits write DB SECONDS RATE SYNCHRONOUS FILE
 *       so many transactions a second, each of a row that is added and one that
 *       is changed; microseconds that each took, from BEGIN IMMEDIATE to the
 *       end of COMMIT, to FILE, a line each.  Prints
 *         commits waits refused
 *       waits: calls of the busy handler, which sleeps as SQLite's own does;
 *       refused: transactions that got SQLITE_BUSY after all
 *   commits checkpoint DB SECONDS PERIOD_MS
 *       in each mode in turn, by a connection with a busy timeout.  Prints for
 *       each mode: name, how many were complete, had to leave something, got
 *       SQLITE_BUSY; the longest in microseconds
 *   commits read DB SECONDS HOLD_MS
 *       transactions that read, each open for so long
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "repo/base/auto.h"
#include "repo/base/buf.h"
#include "repo/base/clock.h"
#include "tests/replicate/sql.h"

#define TIMEOUT_MS 10000

static void
sleep_until(int64_t t_ns)
{
	const struct timespec ts = { .tv_sec = t_ns / NS_PER_S,
		.tv_nsec = t_ns % NS_PER_S };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL))
		continue;
}

/* As sqlite3_busy_timeout would, and counts. */
static int
on_busy(void *ctx, int n)
{
	static const int delays[] = { 1, 2, 5, 10, 15, 20, 25, 25, 25, 50, 50,
		100 };
	unsigned long *waits = ctx;
	const int last = (int)(sizeof(delays) / sizeof(*delays)) - 1;

	++*waits;
	if (n > TIMEOUT_MS / 100)
		return 0;
	sqlite3_sleep(delays[n < last ? n : last]);
	return 1;
}

static sqlite3 *
open_db(const char *path, unsigned long *waits)
{
	sqlite3 *db = NULL;

	if (sqlite3_open_v2(path, &db,
		    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL))
		die(db, path);
	sqlite3_busy_handler(db, on_busy, waits);
	return db;
}

static void
run(sqlite3 *db, const char *sql)
{
	if (sqlite3_exec(db, sql, NULL, NULL, NULL))
		die(db, sql);
}

static int
step(sqlite3_stmt *st)
{
	int rc = sqlite3_step(st);

	sqlite3_reset(st);
	return rc == SQLITE_DONE || rc == SQLITE_ROW ? SQLITE_OK : rc & 0xff;
}

static int
make(const char *path, const char *rows)
{
	unsigned long waits = 0;
	sqlite3 *db = open_db(path, &waits);
	auto_free char *fill = xasprintf(
		"WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM "
		"c WHERE x < %ld) INSERT INTO t(b) SELECT randomblob(200) "
		"FROM c",
		strtol(rows, NULL, 10));

	run(db, "PRAGMA journal_mode=WAL");
	run(db, "CREATE TABLE t(id INTEGER PRIMARY KEY, b BLOB)");
	run(db, fill);
	run(db, "PRAGMA wal_checkpoint(TRUNCATE)");
	sqlite3_close(db);
	return 0;
}

/* -- Writing ----------------------------------------------------------------
 */

struct writer {
	sqlite3 *db;
	sqlite3_stmt *begin, *add, *change, *commit;
	unsigned long waits, done, refused;
};

static int
transact(struct writer *w)
{
	int rc = step(w->begin);

	if (!rc)
		rc = step(w->add);
	if (!rc)
		rc = step(w->change);
	if (!rc)
		rc = step(w->commit);
	if (rc && !sqlite3_get_autocommit(w->db))
		run(w->db, "ROLLBACK");
	return rc;
}

static void
write_for(struct writer *w, double seconds, double rate, FILE *out)
{
	int64_t next = clock_mono_ns(), end = next + (int64_t)(seconds * 1e9);

	for (; next < end; next += (int64_t)(1e9 / rate)) {
		int64_t before;
		int rc;

		sleep_until(next);
		before = clock_mono_ns();
		rc = transact(w);
		if (rc && rc != SQLITE_BUSY)
			die(w->db, "a transaction");
		w->done += !rc;
		w->refused += rc == SQLITE_BUSY;
		fprintf(out, "%.1f\n",
			(double)(clock_mono_ns() - before) / 1000);
		/* what was missed while it waited is not made up for */
		if (next < clock_mono_ns() - NS_PER_S / 1000)
			next = clock_mono_ns();
	}
}

static int
write_all(char **argv)
{
	struct writer w = { .done = 0 };
	auto_free char *mode = xasprintf("PRAGMA synchronous=%s", argv[3]);
	auto_fclose FILE *out = fopen(argv[4], "w");

	if (!out)
		die(NULL, argv[4]);
	w.db = open_db(argv[0], &w.waits);
	run(w.db, mode);
	w.begin = prepare(w.db, "BEGIN IMMEDIATE");
	w.add = prepare(w.db, "INSERT INTO t(b) VALUES(randomblob(200))");
	w.change =
		prepare(w.db, "UPDATE t SET b = randomblob(200) WHERE id = 1 + "
			      "abs(random() % (SELECT max(id) FROM t))");
	w.commit = prepare(w.db, "COMMIT");
	write_for(&w, strtod(argv[1], NULL), strtod(argv[2], NULL), out);
	printf("%lu %lu %lu\n", w.done, w.waits, w.refused);
	sqlite3_finalize(w.begin);
	sqlite3_finalize(w.add);
	sqlite3_finalize(w.change);
	sqlite3_finalize(w.commit);
	return sqlite3_close(w.db) != SQLITE_OK;
}

/* -- Besides ------------------------------------------------------------------
 */

static int
checkpoint(char **argv)
{
	static const char *const modes[] = { "passive", "full", "restart",
		"truncate" };
	struct {
		unsigned long whole, part, busy;
		int64_t longest_ns;
	} s[4] = { { .whole = 0 } };
	unsigned long waits = 0;
	sqlite3 *db = open_db(argv[0], &waits);
	int64_t began = clock_mono_ns();
	int64_t period = (int64_t)(strtod(argv[2], NULL) * 1e6);
	int64_t n = (int64_t)(strtod(argv[1], NULL) * 1e9) / period;

	run(db, "SELECT count(*) FROM sqlite_schema");
	for (int64_t i = 0; i < n; i++) {
		int m = (int)(i % 4), frames = 0, copied = 0, rc;
		int64_t before;

		sleep_until(began + i * period);
		before = clock_mono_ns();
		rc = sqlite3_wal_checkpoint_v2(db, NULL, m, &frames, &copied);
		if (clock_mono_ns() - before > s[m].longest_ns)
			s[m].longest_ns = clock_mono_ns() - before;
		s[m].busy += rc != SQLITE_OK;
		s[m].whole += rc == SQLITE_OK && frames == copied;
		s[m].part += rc == SQLITE_OK && frames != copied;
	}
	for (int m = 0; m < 4; m++)
		printf("%s %lu %lu %lu %lld\n", modes[m], s[m].whole, s[m].part,
			s[m].busy, (long long)s[m].longest_ns / 1000);
	return sqlite3_close(db) != SQLITE_OK;
}

static int
read_long(char **argv)
{
	unsigned long waits = 0;
	sqlite3 *db = open_db(argv[0], &waits);
	int64_t end = clock_mono_ns() + (int64_t)(strtod(argv[1], NULL) * 1e9);
	int64_t hold = (int64_t)(strtod(argv[2], NULL) * 1e6);

	while (clock_mono_ns() + hold <= end) {
		run(db, "BEGIN; SELECT max(id) FROM t");
		sleep_until(clock_mono_ns() + hold);
		run(db, "COMMIT");
	}
	return sqlite3_close(db) != SQLITE_OK;
}

int
main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (argc == 4 && !strcmp(what, "make"))
		return make(argv[2], argv[3]);
	if (argc == 7 && !strcmp(what, "write"))
		return write_all(argv + 2);
	if (argc == 5 && !strcmp(what, "checkpoint"))
		return checkpoint(argv + 2);
	if (argc == 5 && !strcmp(what, "read"))
		return read_long(argv + 2);
	fputs("usage: see the head of tests/bench/commits.c\n", stderr);
	return 2;
}
