/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>
#include "repo/base/auto.h"
#include "repo/base/buf.h"
#include "repo/base/clock.h"
#include "repo/write/replicate/guard.h"

enum { FIRST, SECOND, PIN, CONNECTIONS };

struct guard {
	char *path;
	sqlite3 *db[CONNECTIONS];
	int holder; /* FIRST, SECOND or -1 */
	struct wal_index held; /* read before the holder began: what it sees is
				* this or younger */
	bool pinned;
};

struct guard *
guard_new(const char *path)
{
	struct guard *g = xcalloc(1, sizeof(*g));

	g->path = xstrdup(path);
	g->holder = -1;
	return g;
}

void
guard_free(struct guard *g)
{
	if (!g)
		return;
	guard_close(g);
	free(g->path);
	free(g);
}

bool
guard_is_held(const struct guard *g)
{
	return g->holder >= 0;
}

static void
close_connection(struct guard *g, int i)
{
	if (g->db[i])
		sqlite3_close(steal(g->db[i]));
}

void
guard_close(struct guard *g)
{
	for (int i = 0; i < CONNECTIONS; i++)
		close_connection(g, i);
	g->holder = -1;
	g->held = (struct wal_index){ .page_size = 0 };
	g->pinned = false;
}

/* What SQLite said, as an error. */
static int
failed(struct guard *g, sqlite3 *db, int rc, struct err *e)
{
	int code = EIO;

	switch (rc & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		code = EBUSY;
		break;
	case SQLITE_NOTADB:
		code = EUCLEAN;
		break;
	case SQLITE_FULL:
		code = ENOSPC;
		break;
	case SQLITE_CANTOPEN:
	case SQLITE_READONLY:
	case SQLITE_PERM:
		code = EACCES;
		break;
	}
	return err_set(e, code, "%s: %s", g->path,
		db ? sqlite3_errmsg(db) : sqlite3_errstr(rc));
}

static int
run(struct guard *g, int i, const char *sql, struct err *e)
{
	int rc = sqlite3_exec(g->db[i], sql, NULL, NULL, NULL);

	return rc ? failed(g, g->db[i], rc, e) : 0;
}

/* The database must be there: never made by us. */
static int
open_connection(struct guard *g, int i, struct err *e)
{
	int rc;

	if (g->db[i])
		return 0;
	rc = sqlite_load(e);
	if (rc)
		return rc;
	rc = sqlite3_open_v2(g->path, &g->db[i],
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	if (rc) {
		rc = failed(g, g->db[i], rc, e);
		sqlite3_close(steal(g->db[i]));
		return rc;
	}
	sqlite3_busy_timeout(g->db[i], GUARD_BUSY_MS);
	sqlite3_db_config(g->db[i], SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	return run(g, i,
		"PRAGMA mmap_size=0; PRAGMA wal_autocheckpoint=0;"
		"PRAGMA cache_size=8; PRAGMA synchronous=NORMAL",
		e);
}

static void
end(struct guard *g, int i)
{
	if (g->db[i] && !sqlite3_get_autocommit(g->db[i]))
		sqlite3_exec(g->db[i], "ROLLBACK", NULL, NULL, NULL);
}

/* A transaction that reads, from now on; what it reads is one page. */
static int
begin(struct guard *g, int i, const char *how, struct err *e)
{
	int r = open_connection(g, i, e);

	if (!r)
		r = run(g, i, how, e);
	if (!r)
		r = run(g, i, "PRAGMA schema_version", e);
	if (r)
		end(g, i);
	return r;
}

static int
take_mode(void *is_wal, int n, char **value, char **name)
{
	(void)name;
	*(bool *)is_wal = n == 1 && value[0] && !strcmp(value[0], "wal");
	return 0;
}

/* Asked first: the index of a database without a log would be made by asking
 * for it. */
static int
check_mode(struct guard *g, int i, struct err *e)
{
	bool is_wal = false;
	int rc, r = open_connection(g, i, e);

	if (r)
		return r;
	rc = sqlite3_exec(
		g->db[i], "PRAGMA journal_mode", take_mode, &is_wal, NULL);
	if (rc)
		return failed(g, g->db[i], rc, e);
	if (!is_wal)
		return err_set(e, ENOTSUP,
			"%s is not in WAL mode: set it with "
			"PRAGMA journal_mode=WAL",
			g->path);
	return 0;
}

int
guard_hold(struct guard *g, struct err *e)
{
	struct wal_index ix;
	int r;

	if (g->holder >= 0)
		return 0;
	r = check_mode(g, FIRST, e);
	if (!r)
		r = begin(g, FIRST, "BEGIN", e);
	if (!r) {
		g->holder = FIRST;
		r = guard_index(g, &ix, e);
	}
	if (r)
		guard_close(g);
	return r;
}

int
guard_index(struct guard *g, struct wal_index *ix, struct err *e)
{
	int r = wal_index_read(g->db[g->holder], ix, e);

	return r ? err_prefix(e, "%s", g->path) : 0;
}

int
guard_renew(struct guard *g, int (*capture)(void *ctx, struct err *e),
	void *ctx, struct err *e)
{
	struct wal_index before;
	int next = !g->holder;
	int r = guard_index(g, &before, e);

	if (!r)
		r = begin(g, next, "BEGIN", e);
	if (r)
		return r;
	r = capture(ctx, e);
	if (r) {
		end(g, next);
		return r;
	}
	end(g, g->holder);
	g->holder = next;
	g->held = before;
	return 0;
}

static bool
is_same_log(const struct wal_index *a, const struct wal_index *b)
{
	return !memcmp(a->salt, b->salt, sizeof(a->salt));
}

static bool
is_copied(const struct wal_index *ix)
{
	return ix->copied >= ix->frames;
}

/*
 * Frames that are not in the database yet keep the log from beginning anew, if
 * they are there when a reader of ours is: either it needs frames, or (it came
 * when all those before had been copied) nobody can copy them while it stays.
 */
int
guard_refresh(struct guard *g, bool *more, struct err *e)
{
	struct wal_index now, then;
	int next = !g->holder, r = guard_index(g, &now, e);

	*more = false;
	if (r)
		return r;
	*more = !is_same_log(&now, &g->held) || now.frames != g->held.frames;
	if (!*more && is_copied(&now) == is_copied(&g->held))
		return 0;
	if (is_copied(&now) || !is_same_log(&now, &g->held))
		return err_set(e, EAGAIN, "%s: all is copied", g->path);
	r = begin(g, next, "BEGIN", e);
	if (!r)
		r = wal_index_read(g->db[next], &then, e);
	if (!r && (is_copied(&then) || !is_same_log(&then, &now)))
		r = err_set(e, EAGAIN, "%s: all is copied", g->path);
	end(g, r ? next : g->holder);
	if (r)
		return r;
	g->holder = next;
	g->held = now;
	return 0;
}

/* The log into the database; all of it, or -EBUSY. */
static int
copy_log(struct guard *g, int i, struct err *e)
{
	int frames = 0, copied = 0;
	int rc = sqlite3_wal_checkpoint_v2(
		g->db[i], "main", SQLITE_CHECKPOINT_PASSIVE, &frames, &copied);

	if (rc)
		return failed(g, g->db[i], rc, e);
	if (copied < frames)
		return err_set(e, EBUSY, "%s: others read the write-ahead log",
			g->path);
	return 0;
}

/*
 * The other connection has the writer's lock: the end of the log stays where it
 * is, and where the other reads.  So all of it may be copied once the holder
 * has let go, and whoever reads next needs no frame.
 */
static int
copy_locked(struct guard *g, int (*capture)(void *ctx, struct err *e),
	void *ctx, struct err *e)
{
	int other = g->holder, r = capture(ctx, e), again;

	if (r)
		return r;
	/* the writer is a reader too, as young as can be */
	end(g, other);
	r = copy_log(g, other, e);
	again = begin(g, other, "BEGIN", r ? NULL : e);
	g->held = (struct wal_index){ .page_size = 0 };
	if (again) {
		guard_close(g);
		return again;
	}
	return r;
}

int
guard_checkpoint(struct guard *g, int (*capture)(void *ctx, struct err *e),
	void *ctx, int64_t *locked_ns, struct err *e)
{
	int writer = !g->holder, r;
	int64_t since;

	*locked_ns = 0;
	r = begin(g, writer, "BEGIN IMMEDIATE", e);
	if (r)
		return r;
	since = clock_mono_ns();
	r = copy_locked(g, capture, ctx, e);
	end(g, writer);
	*locked_ns = clock_mono_ns() - since;
	return r;
}

int
guard_copy_held(struct guard *g, struct err *e)
{
	struct wal_index ix;
	int other = !g->holder, r;

	/* a connection that has never read knows of no log */
	r = begin(g, other, "BEGIN", e);
	end(g, other);
	if (!r)
		r = copy_log(g, other, e);
	if (!r || r == -EBUSY)
		r = guard_index(g, &ix, e);
	if (!r && is_same_log(&ix, &g->held) && ix.copied < g->held.frames)
		r = err_set(e, EBUSY, "%s: others read the write-ahead log",
			g->path);
	return r;
}

int
guard_pin(struct guard *g, struct err *e)
{
	int r = begin(g, PIN, "BEGIN", e);

	g->pinned = !r;
	return r;
}

int
guard_pin_index(struct guard *g, struct wal_index *ix, struct err *e)
{
	return wal_index_read(g->db[PIN], ix, e);
}

void
guard_unpin(struct guard *g)
{
	close_connection(g, PIN);
	g->pinned = false;
}

bool
guard_library_is_vulnerable(void)
{
	int v = sqlite_load(NULL) ? 0 : sqlite3_libversion_number();

	return v >= 3007000 && v <= 3051002;
}
