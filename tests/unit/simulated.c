/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <sys/stat.h>
#include "repo/base/buf.h"
#include "repo/base/clock.h"
#include "repo/crypto/slot.h"
#include "repo/write/init.h"
#include "repo/write/writer.h"
#include "tests/unit/simulated.h"
#include "tests/unit/scratch.h"

#define BEGAN_NS (1700000000 * NS_PER_S)

enum { DATABASE, LOG, OTHER };

static struct simulated *world; /* there is one */

/* -- Time -------------------------------------------------------------------
 */

int64_t __wrap_clock_mono_ns(void);
int64_t __wrap_clock_wall_ns(void);
int __wrap_fdatasync(int fd);
int __wrap_fsync(int fd);

int64_t
__wrap_clock_mono_ns(void)
{
	return world->now_ns;
}

int64_t
__wrap_clock_wall_ns(void)
{
	return BEGAN_NS + world->now_ns;
}

static void
make_durable(int kind)
{
	int64_t ns = world->speed.sync_ns;

	if (kind != OTHER) {
		ns += world->dirty[kind] * world->speed.page_ns;
		world->dirty[kind] = 0;
	}
	simulated_pass(world, ns);
}

int
__wrap_fdatasync(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	make_durable(st.st_ino == world->ino ? DATABASE : OTHER);
	return 0;
}

/* Of directories, and of the store. */
int
__wrap_fsync(int fd)
{
	(void)fd;
	return 0;
}

static void
look(struct simulated *s)
{
	int64_t next;

	s->looks = true;
	s->look_ns = REPLICATION_NEVER;
	next = replication_capture(s->rp, false);
	if (next < s->look_ns)
		s->look_ns = next;
	s->looks = false;
}

/* What is due first, if anything is until then; done, and true. */
static bool
do_next(struct simulated *s, int64_t until)
{
	void (*often)(struct simulated * s) = s->often;
	bool can_look = s->rp && !s->looks && s->look_ns <= until;

	if (often && s->next_ns <= until &&
		(!can_look || s->next_ns <= s->look_ns)) {
		if (s->now_ns < s->next_ns)
			s->now_ns = s->next_ns;
		s->next_ns = s->now_ns + s->often_ns;
		s->often = NULL;
		s->commits = true;
		often(s);
		s->commits = false;
		s->often = often;
		return true;
	}
	if (!can_look)
		return false;
	if (s->now_ns < s->look_ns)
		s->now_ns = s->look_ns;
	look(s);
	return true;
}

void
simulated_pass(struct simulated *s, int64_t ns)
{
	int64_t until = s->now_ns + ns;

	while (do_next(s, until))
		continue;
	if (s->now_ns < until)
		s->now_ns = until;
}

/* -- A file system ------------------------------------------------------------
 */

struct file {
	sqlite3_file base;
	int kind;
};

static sqlite3_vfs *below;

static sqlite3_file *
real(sqlite3_file *f)
{
	return (sqlite3_file *)((struct file *)f + 1);
}

#define FORWARD(name, parameters, ...)                                  \
	static int name parameters                                      \
	{                                                               \
		return real(f)->pMethods->name(real(f), ##__VA_ARGS__); \
	}

FORWARD(xClose, (sqlite3_file * f))
FORWARD(xRead, (sqlite3_file * f, void *p, int n, sqlite3_int64 at), p, n, at)
FORWARD(xTruncate, (sqlite3_file * f, sqlite3_int64 n), n)
FORWARD(xFileSize, (sqlite3_file * f, sqlite3_int64 *n), n)
FORWARD(xLock, (sqlite3_file * f, int how), how)
FORWARD(xUnlock, (sqlite3_file * f, int how), how)
FORWARD(xCheckReservedLock, (sqlite3_file * f, int *is), is)
FORWARD(xFileControl, (sqlite3_file * f, int what, void *p), what, p)
FORWARD(xSectorSize, (sqlite3_file * f))
FORWARD(xDeviceCharacteristics, (sqlite3_file * f))
FORWARD(xShmMap,
	(sqlite3_file * f, int i, int len, int extend, void volatile **p), i,
	len, extend, p)
FORWARD(xShmUnmap, (sqlite3_file * f, int drop), drop)

static void
xShmBarrier(sqlite3_file *f)
{
	real(f)->pMethods->xShmBarrier(real(f));
}

/* inotify would tell, were another process writing. */
static int
xWrite(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
	int kind = ((struct file *)f)->kind;
	int64_t look_at;

	if (kind != OTHER)
		world->dirty[kind] += kind == LOG ? n > 100 : 1;
	if (kind != OTHER && world->rp && !world->looks) {
		look_at = replication_changed(world->rp, kind == DATABASE);
		if (look_at < world->look_ns)
			world->look_ns = look_at;
	}
	return real(f)->pMethods->xWrite(real(f), p, n, at);
}

static int
xSync(sqlite3_file *f, int flags)
{
	(void)flags;
	make_durable(((struct file *)f)->kind);
	return SQLITE_OK;
}

/* The first of the locks is the writer's. */
static int
xShmLock(sqlite3_file *f, int first, int n, int flags)
{
	struct simulated *s = world;
	int rc = real(f)->pMethods->xShmLock(real(f), first, n, flags);

	if (rc || first || !(flags & SQLITE_SHM_EXCLUSIVE))
		return rc;
	if (flags & SQLITE_SHM_LOCK) {
		s->locked_since_ns = s->looks && !s->commits ? s->now_ns : 0;
		s->locks += s->locked_since_ns != 0;
	} else if (s->locked_since_ns) {
		if (s->now_ns - s->locked_since_ns > s->locked_max_ns)
			s->locked_max_ns = s->now_ns - s->locked_since_ns;
		s->locked_since_ns = 0;
	}
	return rc;
}

static const sqlite3_io_methods methods = { .iVersion = 2,
	.xClose = xClose,
	.xRead = xRead,
	.xWrite = xWrite,
	.xTruncate = xTruncate,
	.xSync = xSync,
	.xFileSize = xFileSize,
	.xLock = xLock,
	.xUnlock = xUnlock,
	.xCheckReservedLock = xCheckReservedLock,
	.xFileControl = xFileControl,
	.xSectorSize = xSectorSize,
	.xDeviceCharacteristics = xDeviceCharacteristics,
	.xShmMap = xShmMap,
	.xShmLock = xShmLock,
	.xShmBarrier = xShmBarrier,
	.xShmUnmap = xShmUnmap };

static int
open_file(sqlite3_vfs *vfs, const char *name, sqlite3_file *f, int flags,
	int *out)
{
	struct file *own = (struct file *)f;
	int rc = below->xOpen(below, name, real(f), flags, out);

	(void)vfs;
	own->base.pMethods = real(f)->pMethods ? &methods : NULL;
	own->kind = flags & SQLITE_OPEN_MAIN_DB ? DATABASE
		    : flags & SQLITE_OPEN_WAL	? LOG
						: OTHER;
	return rc;
}

static int
sleep_us(sqlite3_vfs *vfs, int us)
{
	(void)vfs;
	simulated_pass(world, us * 1000LL);
	return us;
}

static void
make_disk(void)
{
	static sqlite3_vfs vfs;

	if (below)
		return;
	assert_int_equal(sqlite_load(NULL), 0);
	below = sqlite3_vfs_find(NULL);
	vfs = *below;
	vfs.zName = "simulated";
	vfs.szOsFile = (int)sizeof(struct file) + below->szOsFile;
	vfs.xOpen = open_file;
	vfs.xSleep = sleep_us;
	assert_int_equal(sqlite3_vfs_register(&vfs, 1), SQLITE_OK);
}

/* -- Beginning and end
 * ------------------------------------------------------------- */

/* As sqlite3_busy_timeout; but if it is the replicator that is at it, nothing
 * gets better by waiting. */
static int
on_busy(void *ctx, int n)
{
	static const int ms[] = { 1, 2, 5, 10, 15, 20, 25, 25, 25, 50, 50,
		100 };
	struct simulated *s = ctx;
	int64_t ns = (n < 11 ? ms[n] : 100) * MS_NS;

	if (s->looks || n > 100)
		return 0;
	simulated_pass(s, ns);
	s->waited_ns += ns;
	return 1;
}

int
simulated_run(struct simulated *s, const char *sql)
{
	return sqlite3_exec(s->app, sql, NULL, NULL, NULL);
}

uint64_t
simulated_log_len(const struct simulated *s)
{
	auto_free char *log = xasprintf("%s/app.db-wal", s->dir);
	struct stat st;

	return stat(log, &st) ? 0 : (uint64_t)st.st_size;
}

static void
wake(void *ctx, enum replication_wake what)
{
	struct simulated *s = ctx;

	if (what == REPLICATION_WAKE_CAPTURE)
		s->look_ns = s->now_ns;
}

static void
replicate(struct simulated *s, const char *db)
{
	const struct slot_secret open_slot = { .type = SLOT_OPEN };
	const struct history_open_options how = { .memory = 0 };
	auto_free char *repo = xasprintf("%s/repo", s->dir);
	struct replication_options o = { .path = db,
		.host = "h",
		.name = "app.db",
		.state_dir = s->dir,
		.sync_ns = NS_PER_S,
		.snapshot_ns = 3600 * NS_PER_S,
		.queue_limit = 1 << 30,
		.wake = wake,
		.ctx = s };
	struct err e = ERR_INIT;
	char id[33];

	if (repository_init(repo, &open_slot, id, &e) ||
		writer_open(repo, &how, &s->w, &e) ||
		replication_new(&o, &s->rp, &e))
		fail_msg("%s", e.text);
	s->looks = true;
	while (replication_upload(s->rp, s->w) != REPLICATION_NEVER)
		continue;
	look(s);
}

void
simulated_begin(struct simulated *s, const struct disk_speed *speed)
{
	auto_free char *db = NULL;
	struct stat st;

	*s = (struct simulated){ .now_ns = NS_PER_S };
	world = s;
	make_disk();
	assert_true(scratch_make(s->dir, sizeof(s->dir)));
	setenv("XDG_STATE_HOME", s->dir, 1);
	db = xasprintf("%s/app.db", s->dir);
	assert_int_equal(sqlite3_open(db, &s->app), SQLITE_OK);
	sqlite3_busy_handler(s->app, on_busy, s);
	assert_int_equal(simulated_run(s, "PRAGMA journal_mode=WAL"), 0);
	assert_int_equal(
		simulated_run(s, "CREATE TABLE t(id INTEGER PRIMARY KEY, b);"
				 "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL "
				 "SELECT x + 1 FROM c WHERE x < 5000) INSERT "
				 "INTO t(b) SELECT randomblob(300) FROM c"),
		0);
	assert_int_equal(stat(db, &st), 0);
	s->ino = st.st_ino;
	replicate(s, db);
	s->speed = *speed;
	s->locks = 0;
	s->locked_max_ns = 0;
}

void
simulated_end(struct simulated *s)
{
	replication_free(steal(s->rp));
	writer_free(s->w);
	assert_int_equal(sqlite3_close(s->app), SQLITE_OK);
	assert_true(scratch_remove(s->dir));
}
