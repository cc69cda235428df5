/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An application that keeps a ledger of what it committed, and the judge of
 * copies of its database.
 *
 *   ledger run DB LEDGER SECONDS RATE [AUTOCHECKPOINT]
 *       commit RATE times a second (0: as fast as it goes); goes on where a
 *       killed one stopped; prints commits, p99 and longest commit in ms
 *   ledger check LEDGER DB...
 *       each copy must be intact and equal to a state of the ledger; prints the
 *       number of its commit
 *   ledger checkpoint DB SECONDS
 *       checkpoint in random modes at random times
 *
 * The number of a commit and the sum of the hashes of all rows are what a state
 * is known by.  A line "begin N HASH" is written before a commit, "done N" when
 * it has returned; of a commit that was killed either state may be found.
 */
#include <fcntl.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "repo/base/auto.h"
#include "repo/base/buf.h"
#include "repo/base/clock.h"
#include "tests/replicate/sql.h"

#define TIMES_MAX 2000000

static uint64_t seed;

static uint64_t
draw(uint64_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed % below;
}

static int
run_sql(sqlite3 *db, const char *sql)
{
	int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);

	/* locked for long, by whoever changes the file */
	for (int i = 0; (rc == SQLITE_BUSY || rc == SQLITE_LOCKED) && i < 500;
		i++) {
		usleep(10000);
		rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
	}
	return rc;
}

static void
must(sqlite3 *db, const char *sql)
{
	if (run_sql(db, sql))
		die(db, sql);
}

static sqlite3 *
open_db(const char *path, int flags)
{
	sqlite3 *db = NULL;

	if (sqlite3_open_v2(path, &db, flags, NULL))
		die(db, path);
	sqlite3_busy_timeout(db, 10000);
	return db;
}

/* -- States -------------------------------------------------------------------
 */

static uint64_t
hash_row(sqlite3_stmt *st, uint64_t h)
{
	for (int c = 0; c < sqlite3_column_count(st); c++) {
		const uint8_t *p = sqlite3_column_blob(st, c);
		int n = sqlite3_column_bytes(st, c);

		h = (h ^ (uint64_t)n) * 1099511628211u;
		for (int i = 0; i < n; i++)
			h = (h ^ p[i]) * 1099511628211u;
	}
	return h;
}

/* Sum of the rows' hashes; *n rows. */
static uint64_t
sum_rows(sqlite3 *db, const char *sql, uint64_t *n)
{
	sqlite3_stmt *st = NULL;
	uint64_t sum = 0;
	int rc = sqlite3_prepare_v2(db, sql, -1, &st, NULL);

	*n = 0;
	if (rc)
		die(db, sql);
	while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
		sum += hash_row(st, 14695981039346656037u ^ strlen(sql));
		++*n;
	}
	if (rc != SQLITE_DONE)
		die(db, sql);
	sqlite3_finalize(st);
	return sum;
}

struct state {
	uint64_t n, sum;
};

#define ROWS_T "SELECT id, a, b FROM t"
#define ROWS_W "SELECT k, v FROM word"

static struct state
state_of(sqlite3 *db)
{
	struct state s;
	sqlite3_stmt *st = NULL;
	uint64_t rows;

	s.sum = sum_rows(db, ROWS_T, &rows) + sum_rows(db, ROWS_W, &rows);
	if (sqlite3_prepare_v2(db, "SELECT n FROM state", -1, &st, NULL) ||
		sqlite3_step(st) != SQLITE_ROW)
		die(db, "state");
	s.n = (uint64_t)sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return s;
}

/* -- Committing ---------------------------------------------------------------
 */

struct app {
	sqlite3 *db;
	sqlite3_stmt *old_t, *put_t, *drop_t, *old_w, *put_w, *state;
	struct state s;
	int ledger;
	uint32_t *times; /* of commits, in microseconds */
	size_t n_times;
};

/* Hash of the row a statement finds, 0 when there is none. */
static uint64_t
hash_found(sqlite3_stmt *st, const char *rows)
{
	uint64_t h = 0;

	if (sqlite3_step(st) == SQLITE_ROW)
		h = hash_row(st, 14695981039346656037u ^ strlen(rows));
	sqlite3_reset(st);
	return h;
}

static void
step(struct app *a, sqlite3_stmt *st)
{
	if (sqlite3_step(st) != SQLITE_DONE)
		die(a->db, sqlite3_sql(st));
	sqlite3_reset(st);
}

static void
change_t(struct app *a)
{
	static uint8_t bytes[20000];
	int64_t id = (int64_t)draw(3000) + 1;
	int len = draw(50) ? (int)draw(300) : (int)draw(sizeof(bytes));

	for (int i = 0; i < len; i++)
		bytes[i] = (uint8_t)draw(draw(2) ? 256 : 3);
	sqlite3_bind_int64(a->old_t, 1, id);
	a->s.sum -= hash_found(a->old_t, ROWS_T);
	if (!draw(4)) {
		sqlite3_bind_int64(a->drop_t, 1, id);
		step(a, a->drop_t);
		return;
	}
	sqlite3_bind_int64(a->put_t, 1, id);
	sqlite3_bind_int64(a->put_t, 2, (int64_t)draw(1000000));
	sqlite3_bind_blob(a->put_t, 3, bytes, len, SQLITE_STATIC);
	step(a, a->put_t);
	a->s.sum += hash_found(a->old_t, ROWS_T);
}

static void
change_w(struct app *a)
{
	char key[20];

	snprintf(key, sizeof(key), "k%u", (unsigned)draw(500));
	sqlite3_bind_text(a->old_w, 1, key, -1, SQLITE_STATIC);
	a->s.sum -= hash_found(a->old_w, ROWS_W);
	sqlite3_bind_text(a->put_w, 1, key, -1, SQLITE_STATIC);
	sqlite3_bind_int64(a->put_w, 2, (int64_t)draw(1u << 30));
	step(a, a->put_w);
	a->s.sum += hash_found(a->old_w, ROWS_W);
}

static void
note(struct app *a, const char *what)
{
	char line[80];
	int n = snprintf(line, sizeof(line), "%s %llu %016llx\n", what,
		(unsigned long long)a->s.n, (unsigned long long)a->s.sum);

	if (write(a->ledger, line, (size_t)n) != n)
		die(NULL, "cannot write the ledger");
}

static void
commit_one(struct app *a)
{
	int64_t began = clock_mono_ns();
	uint64_t changes = draw(40) ? draw(6) + 1 : draw(200);

	must(a->db, "BEGIN IMMEDIATE");
	for (uint64_t i = 0; i < changes; i++)
		(draw(3) ? change_t : change_w)(a);
	sqlite3_bind_int64(a->state, 1, (int64_t)++a->s.n);
	step(a, a->state);
	note(a, "begin");
	must(a->db, "COMMIT");
	note(a, "done");
	if (a->n_times < TIMES_MAX)
		a->times[a->n_times++] =
			(uint32_t)((clock_mono_ns() - began) / 1000);
}

static int
compare(const void *x, const void *y)
{
	uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;

	return (a > b) - (a < b);
}

static void
app_open(struct app *a, const char *path, const char *ledger, const char *ckpt)
{
	auto_free char *pragma =
		xasprintf("PRAGMA wal_autocheckpoint=%s", ckpt ? ckpt : "1000");

	a->db = open_db(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
	must(a->db, "PRAGMA journal_mode=WAL");
	must(a->db, pragma);
	must(a->db,
		"PRAGMA synchronous=NORMAL; PRAGMA cache_size=50;"
		"CREATE TABLE IF NOT EXISTS t(id INTEGER PRIMARY KEY, a, b);"
		"CREATE INDEX IF NOT EXISTS ta ON t(a);"
		"CREATE TABLE IF NOT EXISTS word(k TEXT PRIMARY KEY, v) "
		"WITHOUT ROWID; CREATE TABLE IF NOT EXISTS state(n);"
		"INSERT INTO state SELECT 0 WHERE NOT EXISTS "
		"(SELECT * FROM state)");
	a->old_t = prepare(a->db, ROWS_T " WHERE id = ?");
	a->put_t = prepare(a->db, "INSERT OR REPLACE INTO t VALUES(?, ?, ?)");
	a->drop_t = prepare(a->db, "DELETE FROM t WHERE id = ?");
	a->old_w = prepare(a->db, ROWS_W " WHERE k = ?");
	a->put_w = prepare(a->db, "INSERT OR REPLACE INTO word VALUES(?, ?)");
	a->state = prepare(a->db, "UPDATE state SET n = ?");
	a->ledger =
		open(ledger, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (a->ledger < 0)
		die(NULL, ledger);
	a->s = state_of(a->db);
	note(a, "begin");
	note(a, "done");
	a->times = xcalloc(TIMES_MAX, sizeof(*a->times));
}

static int
run(const char *path, const char *ledger, double seconds, double rate,
	const char *ckpt)
{
	struct app a = { .db = NULL };
	int64_t began = clock_mono_ns();
	int64_t end = began + (int64_t)(seconds * 1e9);

	app_open(&a, path, ledger, ckpt);
	for (uint64_t i = 0; clock_mono_ns() < end; i++) {
		int64_t due =
			rate > 0 ? began + (int64_t)((double)i / rate * 1e9)
				 : 0;
		int64_t now = clock_mono_ns();

		if (now < due)
			usleep((useconds_t)((due - now) / 1000));
		commit_one(&a);
		if (!draw(4000))
			must(a.db, "VACUUM");
	}
	qsort(a.times, a.n_times, sizeof(*a.times), compare);
	if (a.n_times)
		printf("commits %zu p99 %.1f longest %.1f\n", a.n_times,
			a.times[a.n_times * 99 / 100] / 1e3,
			a.times[a.n_times - 1] / 1e3);
	return 0;
}

/* -- Judging
 * ------------------------------------------------------------------- */

struct entry {
	uint64_t n, sum;
};

static size_t
read_ledger(const char *path, struct entry **entries, uint64_t *done)
{
	auto_fclose FILE *f = fopen(path, "r");
	char line[100];
	size_t n = 0, cap = 0;

	if (!f)
		die(NULL, path);
	*entries = NULL;
	*done = 0;
	while (fgets(line, sizeof(line), f)) {
		unsigned long long x, y;

		if (sscanf(line, "begin %llu %llx", &x, &y) == 2) {
			if (n == cap) {
				cap = cap * 2 + 1024;
				*entries = xrealloc(
					*entries, cap * sizeof(**entries));
			}
			(*entries)[n++] = (struct entry){ x, y };
		} else if (sscanf(line, "done %llu", &x) == 1) {
			*done = x;
		}
	}
	return n;
}

static bool
is_intact(sqlite3 *db)
{
	sqlite3_stmt *st = prepare(db, "PRAGMA integrity_check");
	bool ok = sqlite3_step(st) == SQLITE_ROW &&
		  !strcmp((const char *)sqlite3_column_text(st, 0), "ok");

	sqlite3_finalize(st);
	return ok;
}

static int
check(const char *ledger, int n, char **paths)
{
	struct entry *entries;
	uint64_t done;
	size_t n_entries = read_ledger(ledger, &entries, &done);
	int status = 0;

	for (int i = 0; i < n; i++) {
		sqlite3 *db = open_db(paths[i], SQLITE_OPEN_READONLY);
		struct state s = state_of(db);
		bool found = false;

		for (size_t j = 0; j < n_entries && !found; j++)
			found = entries[j].n == s.n && entries[j].sum == s.sum;
		if (!found || !is_intact(db)) {
			printf("%s: commit %llu is not as the ledger has it\n",
				paths[i], (unsigned long long)s.n);
			status = 1;
		} else {
			printf("%llu of %llu\n", (unsigned long long)s.n,
				(unsigned long long)done);
		}
		sqlite3_close(db);
	}
	free(entries);
	return status;
}

static int
checkpoint(const char *path, double seconds)
{
	sqlite3 *db = open_db(path, SQLITE_OPEN_READWRITE);
	int64_t end = clock_mono_ns() + (int64_t)(seconds * 1e9);
	unsigned done[4] = { 0 }, busy[4] = { 0 };
	int64_t longest = 0;

	/* one that has never read knows of no log */
	must(db, "SELECT count(*) FROM sqlite_schema");
	while (clock_mono_ns() < end) {
		int mode = (int)draw(4);
		int64_t began = clock_mono_ns();
		int rc = sqlite3_wal_checkpoint_v2(db, NULL, mode, NULL, NULL);

		if (clock_mono_ns() - began > longest)
			longest = clock_mono_ns() - began;
		(rc ? busy : done)[mode]++;
		usleep((useconds_t)draw(200000));
	}
	printf("checkpoints passive %u full %u restart %u truncate %u, busy "
	       "%u, longest %.1f\n",
		done[0], done[1], done[2], done[3],
		busy[0] + busy[1] + busy[2] + busy[3], (double)longest / 1e6);
	return 0;
}

int
main(int argc, char **argv)
{
	seed = ((uint64_t)clock_wall_ns() ^ (uint64_t)getpid() << 32) | 1;
	if (argc >= 6 && !strcmp(argv[1], "run"))
		return run(argv[2], argv[3], atof(argv[4]), atof(argv[5]),
			argv[6]);
	if (argc >= 4 && !strcmp(argv[1], "check"))
		return check(argv[2], argc - 3, argv + 3);
	if (argc == 4 && !strcmp(argv[1], "checkpoint"))
		return checkpoint(argv[2], atof(argv[3]));
	fprintf(stderr, "ledger run|check|checkpoint ...\n");
	return 2;
}
