/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * WAL mode, so that readers never wait for a writer.  Nothing is synced: a
 * power cut may damage the database, which is then made anew from the files
 * (rebuild.c).  Checkpoints are made under the directory's lock only, where
 * nobody writes, so that none of them meets a writer that resets the log.
 */
#include "repo/cache/ledger_private.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "repo/base/clock.h"

#define VERSION "1"
#define LOG_PART 32 /* of the limit */
#define LOG_MIN (128u << 10)
#define LOG_MAX (1u << 20)
#define MS_NS 1000000

#define PIN_OF_ROW                                              \
	"SELECT 1 FROM place p WHERE p.object = segment.object" \
	" AND p.first <= segment.n AND p.last >= segment.n"

static const char schema[] =
	"CREATE TABLE state(id INTEGER PRIMARY KEY, bytes INTEGER NOT NULL,"
	" rank INTEGER NOT NULL, lim INTEGER NOT NULL,"
	" min_free INTEGER NOT NULL, hits INTEGER NOT NULL,"
	" misses INTEGER NOT NULL);"
	"CREATE TABLE object(id INTEGER PRIMARY KEY, repository BLOB NOT NULL,"
	" key BLOB NOT NULL, whole INTEGER NOT NULL DEFAULT 0,"
	" UNIQUE(repository, key));"
	"CREATE TABLE segment(object INTEGER NOT NULL, n INTEGER NOT NULL,"
	" serial INTEGER NOT NULL, rank INTEGER NOT NULL,"
	" bytes INTEGER NOT NULL, pinned INTEGER NOT NULL,"
	" present BLOB NOT NULL, claimed BLOB NOT NULL,"
	" PRIMARY KEY(object, n)) WITHOUT ROWID;"
	"CREATE INDEX oldest ON segment(rank) WHERE pinned = 0;"
	"CREATE TABLE pin(id INTEGER PRIMARY KEY, repository BLOB NOT NULL,"
	" name TEXT NOT NULL, UNIQUE(repository, name));"
	"CREATE TABLE place(pin INTEGER NOT NULL, object INTEGER NOT NULL,"
	" off INTEGER NOT NULL, until INTEGER NOT NULL,"
	" first INTEGER NOT NULL, last INTEGER NOT NULL,"
	" PRIMARY KEY(pin, object, off, until)) WITHOUT ROWID;"
	"CREATE INDEX place_object ON place(object);"
	"PRAGMA user_version = " VERSION ";";

static const char *const questions[Q_N] = {
	[Q_BEGIN] = "BEGIN IMMEDIATE",
	[Q_LOOK] = "BEGIN",
	[Q_COMMIT] = "COMMIT",
	[Q_ROLLBACK] = "ROLLBACK",
	[Q_STATE] = "SELECT bytes, rank, lim, min_free, hits, misses"
		    " FROM state WHERE id = 1",
	[Q_SET_STATE] = "UPDATE state SET bytes = ?1, rank = ?2, lim = ?3,"
			" min_free = ?4, hits = ?5, misses = ?6 WHERE id = 1",
	[Q_FIND] = "SELECT id, whole FROM object"
		   " WHERE repository = ?1 AND key = ?2",
	[Q_MAKE] = "INSERT INTO object(repository, key) VALUES(?1, ?2)",
	[Q_SET_WHOLE] = "UPDATE object SET whole = ?2 WHERE id = ?1",
	[Q_DROP_BARE] =
		"DELETE FROM object WHERE id = ?1"
		" AND NOT EXISTS(SELECT 1 FROM segment WHERE object = ?1)"
		" AND NOT EXISTS(SELECT 1 FROM place WHERE object = ?1)",
	[Q_PRESENT] = "SELECT s.n, s.present, o.whole, s.claimed FROM segment s"
		      " JOIN object o ON o.id = s.object WHERE s.object = ?1",
	[Q_ROW] = "SELECT serial, rank, bytes, pinned, present, claimed"
		  " FROM segment WHERE object = ?1 AND n = ?2",
	[Q_WILL_BE_PINNED] =
		"SELECT EXISTS(SELECT 1 FROM place WHERE object = ?1"
		" AND first <= ?2 AND last >= ?2)",
	[Q_PUT_ROW] = "INSERT OR REPLACE INTO segment(object, n, serial, rank,"
		      " bytes, pinned, present, claimed)"
		      " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
	[Q_DELETE_ROW] = "DELETE FROM segment WHERE object = ?1 AND n = ?2",
	[Q_USED] = "UPDATE segment SET rank = ?4"
		   " WHERE object = ?1 AND n BETWEEN ?2 AND ?3",
	[Q_OLDEST] = "SELECT o.repository, o.key, s.object, s.n, s.bytes,"
		     " o.whole FROM segment s INDEXED BY oldest"
		     " LEFT JOIN object o ON o.id = s.object"
		     " WHERE s.pinned = 0 ORDER BY s.rank LIMIT ?1",
	[Q_ROWS] =
		"SELECT o.repository, o.key, s.object, s.n, s.bytes,"
		" o.whole FROM object o CROSS JOIN segment s ON s.object = o.id"
		" WHERE (?1 IS NULL OR o.repository = ?1)"
		" AND (?2 IS NULL OR o.key = ?2)"
		" AND s.n BETWEEN ?3 AND ?4 AND s.pinned <= ?5"
		" AND (?2 IS NOT NULL OR NOT (o.whole AND o.repository IN"
		" (SELECT repository FROM pin))) LIMIT ?6",
	[Q_PIN] = "INSERT OR IGNORE INTO pin(repository, name) VALUES(?1, ?2)",
	[Q_PIN_FIND] = "SELECT id FROM pin WHERE repository = ?1 AND name = ?2",
	[Q_PIN_PLACE] = "INSERT OR IGNORE INTO place(pin, object, off, until,"
			" first, last) VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
	[Q_PIN_ROWS] = "UPDATE segment SET pinned = 1"
		       " WHERE object = ?1 AND n BETWEEN ?2 AND ?3",
	[Q_UNPIN_ROWS] = "UPDATE segment SET pinned = 0 WHERE pinned = 1"
			 " AND object IN (SELECT object FROM place"
			 " WHERE pin = ?1)"
			 " AND NOT EXISTS(" PIN_OF_ROW " AND p.pin <> ?1)",
	[Q_UNPIN_PLACES] = "DELETE FROM place WHERE pin = ?1",
	[Q_UNPIN] = "DELETE FROM pin WHERE id = ?1",
	[Q_UNPIN_ALL_ROWS] =
		"UPDATE segment SET pinned = 0 WHERE pinned = 1 AND object IN"
		" (SELECT id FROM object WHERE ?1 IS NULL OR repository = ?1)",
	[Q_UNPIN_ALL_PLACES] =
		"DELETE FROM place WHERE pin IN"
		" (SELECT id FROM pin WHERE ?1 IS NULL OR repository = ?1)",
	[Q_UNPIN_ALL] = "DELETE FROM pin WHERE ?1 IS NULL OR repository = ?1",
	[Q_PINS] = "SELECT i.name, o.repository, o.key, p.off, p.until"
		   " FROM pin i JOIN place p ON p.pin = i.id"
		   " JOIN object o ON o.id = p.object WHERE i.repository = ?1"
		   " AND (?2 IS NULL OR i.name = ?2) ORDER BY i.id",
	[Q_RECOUNT] = "SELECT total(bytes) FROM segment",
	[Q_COUNT] = "SELECT (SELECT total(bytes) FROM segment WHERE pinned),"
		    " (SELECT count(DISTINCT repository) FROM object),"
		    " (SELECT count(*) FROM object WHERE id IN"
		    " (SELECT object FROM segment)),"
		    " (SELECT count(*) FROM pin)",
};

/* -- Asking -------------------------------------------------------------- */

static int
code_of(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
	case SQLITE_PROTOCOL:
		return -EBUSY;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_READONLY:
	case SQLITE_PERM:
		return -EROFS;
	case SQLITE_CANTOPEN:
	case SQLITE_IOERR:
		return -EIO;
	default: /* CORRUPT, NOTADB, CONSTRAINT, no such table, ... */
		return -EUCLEAN;
	}
}

sqlite3_stmt *
ledger_ask(struct ledger *ix, enum ledger_question q)
{
	if (!ix->asked[q])
		sqlite3_prepare_v3(ix->db, questions[q], -1,
			SQLITE_PREPARE_PERSISTENT, &ix->asked[q], NULL);
	return ix->asked[q];
}

int
ledger_step(struct ledger *ix, sqlite3_stmt *s)
{
	int rc = s ? sqlite3_step(s) : sqlite3_errcode(ix->db);

	if (s && rc == SQLITE_ROW)
		return 1;
	if (s && rc == SQLITE_DONE)
		return 0;
	return code_of(rc);
}

int
ledger_done(sqlite3_stmt *s, int r)
{
	if (s) {
		sqlite3_reset(s);
		sqlite3_clear_bindings(s);
	}
	return r;
}

int
ledger_run(struct ledger *ix, sqlite3_stmt *s)
{
	return ledger_done(s, ledger_step(ix, s));
}

const void *
ledger_blob(sqlite3_stmt *s, int column, int len)
{
	const void *data = sqlite3_column_blob(s, column);

	return sqlite3_column_bytes(s, column) == len ? data : NULL;
}

const char *
ledger_said(const struct ledger *ix)
{
	return sqlite3_errmsg(ix->db);
}

/* -- Opening ------------------------------------------------------------- */

static int
text_run(struct ledger *ix, const char *sql)
{
	return sqlite3_exec(ix->db, sql, NULL, NULL, NULL) == SQLITE_OK
		       ? 0
		       : code_of(sqlite3_extended_errcode(ix->db));
}

static int
make_schema(struct ledger *ix)
{
	auto_free char *state =
		xasprintf("INSERT INTO state VALUES(1, 0, 0, %llu, -1, 0, 0)",
			CACHE_LIMIT_DEFAULT);
	int r = text_run(ix, "BEGIN IMMEDIATE");

	if (r == 0)
		r = text_run(ix, schema);
	if (r == 0)
		r = text_run(ix, state);
	return r == 0 ? text_run(ix, "COMMIT") : r;
}

static int
read_version(void *version, int n, char **values, char **names)
{
	(void)names;
	*(int *)version = n == 1 && values[0] ? atoi(values[0]) : -1;
	return 0;
}

static int
check_schema(struct ledger *ix, bool writer)
{
	int version = -1;

	if (sqlite3_exec(ix->db, "PRAGMA user_version", read_version, &version,
		    NULL) != SQLITE_OK)
		return code_of(sqlite3_extended_errcode(ix->db));
	if (version == 0 && writer)
		return make_schema(ix);
	return version == atoi(VERSION) ? 0 : -EUCLEAN;
}

static int
set_up(struct ledger *ix, bool writer)
{
	int r;

	sqlite3_busy_timeout(ix->db, 100);
	sqlite3_db_config(
		ix->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, (int *)NULL);
	r = text_run(ix, "PRAGMA mmap_size = 0; PRAGMA synchronous = OFF;"
			 "PRAGMA wal_autocheckpoint = 0;"
			 "PRAGMA journal_size_limit = 4194304;"
			 "PRAGMA cell_size_check = ON;"
			 "PRAGMA temp_store = MEMORY;"
			 "PRAGMA cache_size = -1000;");
	if (r == 0 && writer)
		r = text_run(ix, "PRAGMA journal_mode = WAL");
	return r < 0 ? r : check_schema(ix, writer);
}

int
ledger_open(const char *path, bool writer, struct ledger **ixp, struct err *e)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX |
		    SQLITE_OPEN_NOFOLLOW | (writer ? SQLITE_OPEN_CREATE : 0);
	struct stat st;
	int r = sqlite_load(e), rc;

	if (r)
		return r;
	struct ledger *ix = xcalloc(1, sizeof(*ix));

	rc = sqlite3_open_v2(path, &ix->db, flags, NULL);
	r = rc == SQLITE_OK ? set_up(ix, writer) : code_of(rc);
	if (r == 0 && stat(path, &st) < 0)
		r = -errno;
	if (r < 0) {
		err_set(e, -r, "cannot open the cache's ledger %s: %s", path,
			ix->db ? sqlite3_errmsg(ix->db) : "out of memory");
		ledger_close(ix);
		return r;
	}
	ix->dev = st.st_dev;
	ix->ino = st.st_ino;
	*ixp = ix;
	return 0;
}

void
ledger_close(struct ledger *ix)
{
	if (!ix)
		return;
	for (size_t i = 0; i < Q_N; i++)
		sqlite3_finalize(ix->asked[i]);
	sqlite3_close(ix->db);
	free(ix);
}

bool
ledger_is_at(const struct ledger *ix, const char *path)
{
	struct stat st;

	return ix && stat(path, &st) == 0 && st.st_dev == ix->dev &&
	       st.st_ino == ix->ino;
}

int
ledger_set_aside(const char *path)
{
	auto_free char *wal = xasprintf("%s-wal", path);
	auto_free char *shm = xasprintf("%s-shm", path);
	auto_free char *aside = ledger_aside(path);
	auto_free char *aside_wal = xasprintf("%s-wal", aside);

	(void)unlink(aside_wal);
	if (rename(path, aside) < 0 && errno != ENOENT)
		return -errno;
	(void)rename(wal, aside_wal);
	(void)unlink(shm);
	return 0;
}

char *
ledger_aside(const char *path)
{
	return xasprintf(
		"%.*s/ledger.damaged", (int)(strrchr(path, '/') - path), path);
}

static uint64_t
size_of(const char *path, const char *ending)
{
	auto_free char *full = xasprintf("%s%s", path, ending);
	struct stat st;

	return stat(full, &st) == 0 ? (uint64_t)st.st_blocks * 512 : 0;
}

/* How long the log may become: not too much of a small cache. */
static uint64_t
log_max(const struct ledger *ix)
{
	uint64_t part = (uint64_t)ix->state.limit / LOG_PART;

	return part < LOG_MIN ? LOG_MIN : part > LOG_MAX ? LOG_MAX : part;
}

uint64_t
ledger_size(const char *path)
{
	return size_of(path, "") + size_of(path, "-shm") +
	       size_of(path, "-wal");
}

uint64_t
ledger_room(const struct ledger *ix, const char *path)
{
	uint64_t log = size_of(path, "-wal"), most = log_max(ix) * 3 / 2;

	return ledger_size(path) + (log < most ? most - log : 0);
}

void
ledger_tidy(struct ledger *ix, const char *path)
{
	if (size_of(path, "-wal") > log_max(ix))
		sqlite3_wal_checkpoint_v2(
			ix->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
}

/* -- State --------------------------------------------------------------- */

int
ledger_state(struct ledger *ix, struct ledger_state *st)
{
	sqlite3_stmt *s = ledger_ask(ix, Q_STATE);
	int r = ledger_step(ix, s);

	if (r == 1) {
		st->bytes = sqlite3_column_int64(s, 0);
		st->rank = sqlite3_column_int64(s, 1);
		st->limit = sqlite3_column_int64(s, 2);
		st->min_free = sqlite3_column_int64(s, 3);
		st->hits = sqlite3_column_int64(s, 4);
		st->misses = sqlite3_column_int64(s, 5);
		r = st->bytes < 0 || st->rank < 0 || st->rank > INT64_MAX / 2 ||
				    st->limit < (int64_t)CACHE_LIMIT_MIN
			    ? -EUCLEAN
			    : 0;
	} else if (r == 0) {
		r = -EUCLEAN;
	}
	return ledger_done(s, r);
}

int
ledger_begin(struct ledger *ix, struct ledger_state **st)
{
	int64_t now = clock_wall_ns() / MS_NS;
	int r = ledger_run(ix, ledger_ask(ix, Q_BEGIN));

	if (r < 0)
		return r;
	ix->in_transaction = true;
	r = ledger_state(ix, &ix->state);
	if (r < 0) {
		ledger_rollback(ix);
		return r;
	}
	ix->state.rank = now > ix->state.rank ? now : ix->state.rank + 1;
	*st = &ix->state;
	return 0;
}

int
ledger_commit(struct ledger *ix)
{
	const struct ledger_state *st = &ix->state;
	sqlite3_stmt *s = ledger_ask(ix, Q_SET_STATE);
	int r = -EUCLEAN;

	if (s && st->bytes >= 0) {
		sqlite3_bind_int64(s, 1, st->bytes);
		sqlite3_bind_int64(s, 2, st->rank);
		sqlite3_bind_int64(s, 3, st->limit);
		sqlite3_bind_int64(s, 4, st->min_free);
		sqlite3_bind_int64(s, 5, st->hits);
		sqlite3_bind_int64(s, 6, st->misses);
		r = ledger_run(ix, s);
	}
	if (r == 0)
		r = ledger_run(ix, ledger_ask(ix, Q_COMMIT));
	if (r < 0)
		ledger_rollback(ix);
	ix->in_transaction = false;
	return r;
}

void
ledger_rollback(struct ledger *ix)
{
	if (ix->in_transaction && !sqlite3_get_autocommit(ix->db))
		(void)ledger_run(ix, ledger_ask(ix, Q_ROLLBACK));
	ix->in_transaction = false;
}

/* -- Objects ------------------------------------------------------------- */

static void
bind_key(sqlite3_stmt *s, const struct key *k)
{
	sqlite3_bind_blob(
		s, 1, k->repository, REPOSITORY_ID_LEN, SQLITE_STATIC);
	sqlite3_bind_blob(s, 2, k->id, FILES_KEY_LEN, SQLITE_STATIC);
}

int
ledger_find(
	struct ledger *ix, const struct key *k, int64_t *object, bool *whole)
{
	sqlite3_stmt *s = ledger_ask(ix, Q_FIND);
	int r;

	if (s)
		bind_key(s, k);
	r = ledger_step(ix, s);
	if (r == 1) {
		*object = sqlite3_column_int64(s, 0);
		*whole = sqlite3_column_int(s, 1) != 0;
	}
	return ledger_done(s, r == 1 ? 0 : r == 0 ? -ENOENT : r);
}

int
ledger_learn(struct ledger *ix, const struct key *k, bool *whole,
	struct ranges *present)
{
	int r = ledger_run(ix, ledger_ask(ix, Q_LOOK)), ended;
	int64_t object;

	if (r < 0)
		return r;
	r = ledger_find(ix, k, &object, whole);
	if (r == 0)
		r = ledger_present(ix, object, present, NULL);
	ended = ledger_run(ix, ledger_ask(ix, Q_COMMIT));
	return r < 0 ? r : ended;
}

int
ledger_make(
	struct ledger *ix, const struct key *k, int64_t *object, bool *whole)
{
	int r = ledger_find(ix, k, object, whole);
	sqlite3_stmt *s;

	if (r != -ENOENT)
		return r;
	s = ledger_ask(ix, Q_MAKE);
	if (s)
		bind_key(s, k);
	r = ledger_run(ix, s);
	*object = sqlite3_last_insert_rowid(ix->db);
	*whole = false;
	return r;
}

int
ledger_set_whole(struct ledger *ix, int64_t object, bool whole)
{
	sqlite3_stmt *s = ledger_ask(ix, Q_SET_WHOLE);

	if (s) {
		sqlite3_bind_int64(s, 1, object);
		sqlite3_bind_int(s, 2, whole);
	}
	return ledger_run(ix, s);
}

int
ledger_drop_if_bare(struct ledger *ix, int64_t object)
{
	sqlite3_stmt *s = ledger_ask(ix, Q_DROP_BARE);

	if (s)
		sqlite3_bind_int64(s, 1, object);
	return ledger_run(ix, s);
}
