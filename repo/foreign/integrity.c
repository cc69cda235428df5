/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/foreign/integrity.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/base/cancel.h"
#include "repo/base/sqlite.h"
#include "repo/sqlite/header.h"

#define VFS_NAME "yore-integrity"
#define BLOCK (64u << 10)
#define BLOCKS 64
#define STEPS_BETWEEN_LOOKS 100000

struct block {
	uint64_t number; /* plus one; 0: nothing here */
	size_t len;
	uint8_t *bytes;
};

struct checking {
	struct database *d;
	struct block blocks[BLOCKS];
	struct err why; /* d could not be read */
};

/* What SQLite knows as an open file. */
struct file {
	sqlite3_file base; /* first */
	struct checking *c;
};

/* -- Reading ----------------------------------------------------------------
 */

static int
fill(struct checking *c, struct block *b, uint64_t number)
{
	uint64_t off = number * BLOCK;
	size_t want =
		c->d->size - off < BLOCK ? (size_t)(c->d->size - off) : BLOCK;

	b->number = 0;
	b->len = 0;
	if (!b->bytes)
		b->bytes = xmalloc(BLOCK);
	while (b->len < want) {
		auto_view_data struct view_data data = VIEW_DATA_INIT;
		int r = c->d->ops->read(
			c->d, off + b->len, want - b->len, &data, &c->why);

		if (r)
			return r;
		for (int i = 0; i < data.n; i++) {
			memcpy(b->bytes + b->len, data.iov[i].iov_base,
				data.iov[i].iov_len);
			b->len += data.iov[i].iov_len;
		}
	}
	b->number = number + 1;
	return 0;
}

/* A database with a write-ahead log reads as one without. */
static void
patch(struct block *b)
{
	for (size_t i = 0; b->number == 1 && i < 2; i++) {
		uint8_t *p = b->bytes + SQLITE_HEADER_VERSIONS_AT + i;

		if (b->len > SQLITE_HEADER_VERSIONS_AT + 1 && *p == 2)
			*p = 1;
	}
}

static int
file_read(sqlite3_file *f, void *to, int n, sqlite3_int64 at)
{
	struct checking *c = ((struct file *)f)->c;
	uint8_t *out = to;
	uint64_t off = (uint64_t)at;
	size_t len = (size_t)n;

	memset(to, 0, len);
	while (len > 0 && off < c->d->size) {
		struct block *b = &c->blocks[off / BLOCK % BLOCKS];
		size_t skip = (size_t)(off % BLOCK);

		if (b->number != off / BLOCK + 1) {
			if (fill(c, b, off / BLOCK))
				return SQLITE_IOERR_READ;
			patch(b);
		}
		size_t m = b->len - skip < len ? b->len - skip : len;

		memcpy(out, b->bytes + skip, m);
		out += m;
		off += m;
		len -= m;
	}
	return len ? SQLITE_IOERR_SHORT_READ : SQLITE_OK;
}

static int
file_size(sqlite3_file *f, sqlite3_int64 *size)
{
	*size = (sqlite3_int64)((struct file *)f)->c->d->size;
	return SQLITE_OK;
}

/* -- What does not happen ----------------------------------------------------
 */

static int
file_close(sqlite3_file *f)
{
	(void)f;
	return SQLITE_OK;
}

static int
file_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
	(void)f, (void)p, (void)n, (void)at;
	return SQLITE_READONLY;
}

static int
file_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	(void)f, (void)size;
	return SQLITE_READONLY;
}

static int
file_nothing(sqlite3_file *f, int flags)
{
	(void)f, (void)flags;
	return SQLITE_OK;
}

static int
file_reserved(sqlite3_file *f, int *out)
{
	(void)f;
	*out = 0;
	return SQLITE_OK;
}

static int
file_control(sqlite3_file *f, int op, void *arg)
{
	(void)f, (void)op, (void)arg;
	return SQLITE_NOTFOUND;
}

static int
file_sector(sqlite3_file *f)
{
	(void)f;
	return 4096;
}

static int
file_traits(sqlite3_file *f)
{
	(void)f;
	return SQLITE_IOCAP_IMMUTABLE;
}

static const sqlite3_io_methods methods = {
	.iVersion = 1,
	.xClose = file_close,
	.xRead = file_read,
	.xWrite = file_write,
	.xTruncate = file_truncate,
	.xSync = file_nothing,
	.xFileSize = file_size,
	.xLock = file_nothing,
	.xUnlock = file_nothing,
	.xCheckReservedLock = file_reserved,
	.xFileControl = file_control,
	.xSectorSize = file_sector,
	.xDeviceCharacteristics = file_traits,
};

/* -- The file system ---------------------------------------------------------
 */

/* Whose check the calling thread is at: names say nothing. */
static _Thread_local struct checking *current;

static int
vfs_open(sqlite3_vfs *v, const char *name, sqlite3_file *f, int flags, int *out)
{
	struct file *file = (struct file *)f;

	(void)v, (void)name;
	f->pMethods = NULL;
	if (!(flags & SQLITE_OPEN_MAIN_DB))
		return SQLITE_CANTOPEN;
	file->c = current;
	f->pMethods = &methods;
	if (out)
		*out = SQLITE_OPEN_READONLY;
	return SQLITE_OK;
}

static int
vfs_delete(sqlite3_vfs *v, const char *name, int sync)
{
	(void)v, (void)name, (void)sync;
	return SQLITE_READONLY;
}

/* No journal, no log: nothing is there. */
static int
vfs_access(sqlite3_vfs *v, const char *name, int flags, int *out)
{
	(void)v, (void)name, (void)flags;
	*out = 0;
	return SQLITE_OK;
}

static int
vfs_path(sqlite3_vfs *v, const char *name, int n, char *out)
{
	(void)v;
	sqlite3_snprintf(n, out, "%s", name);
	return SQLITE_OK;
}

static sqlite3_vfs vfs = {
	.iVersion = 1,
	.szOsFile = sizeof(struct file),
	.mxPathname = 64,
	.zName = VFS_NAME,
	.xOpen = vfs_open,
	.xDelete = vfs_delete,
	.xAccess = vfs_access,
	.xFullPathname = vfs_path,
};

static void
register_vfs(void)
{
	if (sqlite_load(NULL))
		return;
	sqlite3_vfs *usual = sqlite3_vfs_find(NULL);

	vfs.xRandomness = usual->xRandomness;
	vfs.xSleep = usual->xSleep;
	vfs.xCurrentTime = usual->xCurrentTime;
	sqlite3_vfs_register(&vfs, 0);
}

/* -- The check ---------------------------------------------------------------
 */

static int
look_at_cancel(void *ctx)
{
	(void)ctx;
	return cancel_raised(cancel_current());
}

static int
judge(struct checking *c, sqlite3 *db, sqlite3_stmt *st, int rc, struct err *e)
{
	if (c->why.code)
		return err_set(e, c->why.code, "%s", c->why.text);
	if (rc == SQLITE_INTERRUPT || cancel_raised(cancel_current()))
		return err_set(e, EINTR, "the check was interrupted");
	if (rc != SQLITE_ROW)
		return err_set(e, EUCLEAN, "%s", sqlite3_errmsg(db));
	const char *text = (const char *)sqlite3_column_text(st, 0);

	if (text && strcmp(text, "ok") == 0)
		return 0;
	return err_set(e, EUCLEAN, "%s", text ? text : "not a database");
}

static int
run(struct checking *c, sqlite3 *db, struct err *e)
{
	sqlite3_stmt *st = NULL;
	int rc, r;

	sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_progress_handler(db, STEPS_BETWEEN_LOOKS, look_at_cancel, NULL);
	sqlite3_exec(db,
		"PRAGMA temp_store=MEMORY; PRAGMA cell_size_check=ON; "
		"PRAGMA mmap_size=0; PRAGMA cache_size=-8192",
		NULL, NULL, NULL);
	rc = sqlite3_prepare_v2(db, "PRAGMA integrity_check(1)", -1, &st, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	r = judge(c, db, st, rc, e);
	sqlite3_finalize(st);
	return r;
}

int
integrity_check(struct database *d, struct err *e)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct checking c = { .d = d };
	sqlite3 *db = NULL;
	int r = sqlite_load(e);

	if (r)
		return r;
	pthread_once(&once, register_vfs);
	current = &c;
	if (sqlite3_open_v2("x", &db, SQLITE_OPEN_READONLY, VFS_NAME) ==
		SQLITE_OK)
		r = run(&c, db, e);
	else
		r = err_set(e, EUCLEAN, "%s", sqlite3_errmsg(db));
	sqlite3_close(db);
	current = NULL;
	for (size_t i = 0; i < BLOCKS; i++)
		free(c.blocks[i].bytes);
	return r;
}
