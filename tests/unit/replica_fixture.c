/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include "repo/base/bytes.h"
#include "tests/unit/replica_fixture.h"
#include "tests/unit/scratch.h"

#define QUEUE_LIMIT (1u << 30)

void
replica_open_app(struct replica *r)
{
	assert_int_equal(sqlite3_open(r->path, &r->app), SQLITE_OK);
	sqlite3_busy_timeout(r->app, 1000);
}

void
replica_close_app(struct replica *r)
{
	sqlite3_close(r->app);
	r->app = NULL;
}

void
replica_run(struct replica *r, const char *sql, ...)
{
	char text[1000], *why = NULL;
	va_list ap;

	va_start(ap, sql);
	vsnprintf(text, sizeof(text), sql, ap);
	va_end(ap);
	if (sqlite3_exec(r->app, text, NULL, NULL, &why))
		fail_msg("%s: %s", text, why);
}

int
replica_try(struct replica *r, const char *sql)
{
	return sqlite3_exec(r->app, sql, NULL, NULL, NULL);
}

void
replica_begin(struct replica *r, uint32_t page_size)
{
	memset(r, 0, sizeof(*r));
	assert_int_equal(sqlite_load(NULL), 0);
	assert_true(scratch_make(r->dir, sizeof(r->dir)));
	r->path = xasprintf("%s/app.db", r->dir);
	r->queue_dir = xasprintf("%s/queue", r->dir);
	assert_int_equal(mkdir(r->queue_dir, 0700), 0);
	r->page_size = page_size;
	replica_open_app(r);
	replica_run(r, "PRAGMA page_size=%u", page_size);
	replica_run(r, "PRAGMA journal_mode=WAL");
	replica_run(r, "PRAGMA synchronous=OFF");
	replica_run(r, "CREATE TABLE t(id INTEGER PRIMARY KEY, a, b);"
		       "CREATE INDEX tb ON t(a);"
		       "CREATE TABLE w(k TEXT PRIMARY KEY, v) WITHOUT ROWID;"
		       "INSERT INTO t(a, b) VALUES(1, 'first')");
}

void
replica_start(struct replica *r)
{
	struct err e = ERR_INIT;

	if (queue_open(r->queue_dir, QUEUE_LIMIT, &r->queue, &e))
		fail_msg("%s", e.text);
	r->capture = capture_new(r->path, r->queue);
}

void
replica_stop(struct replica *r)
{
	capture_free(r->capture);
	queue_free(r->queue);
	r->capture = NULL;
	r->queue = NULL;
}

void
replica_end(struct replica *r)
{
	replica_stop(r);
	replica_close_app(r);
	buf_release(&r->image);
	free(r->path);
	free(r->queue_dir);
	assert_true(scratch_remove(r->dir));
}

/* -- The replica --------------------------------------------------------------
 */

void
replica_base(struct replica *r)
{
	struct err e = ERR_INIT;
	struct pages *p;
	struct position at;
	uint64_t unit;
	int err = capture_hold(r->capture, &e);

	if (err && err != -ESTALE)
		fail_msg("%s", e.text);
	if (capture_base_begin(r->capture, true, &p, &at, &unit, &e))
		fail_msg("%s", e.text);
	r->page_size = at.page_size;
	r->image.len = 0;
	for (uint32_t i = 1; i <= at.pages; i += 7) {
		uint32_t n = at.pages - i + 1 < 7 ? at.pages - i + 1 : 7;

		if (pages_read(p, i, n,
			    buf_zeros(&r->image, (size_t)n * at.page_size), &e))
			fail_msg("%s", e.text);
	}
	capture_base_end(r->capture);
}

static void
apply(struct replica *r, const struct queue_unit *u)
{
	size_t len = (size_t)u->at.pages * r->page_size;
	struct err e = ERR_INIT;

	assert_int_equal(u->at.page_size, r->page_size);
	if (len > r->image.len)
		buf_zeros(&r->image, len - r->image.len);
	r->image.len = len;
	for (size_t i = 0; i < u->n; i++) {
		assert_true(!i || u->pages[i].pgno > u->pages[i - 1].pgno);
		if (queue_unit_read(u, i,
			    r->image.data + (size_t)(u->pages[i].pgno - 1) *
						    r->page_size,
			    &e))
			fail_msg("%s", e.text);
	}
	r->units++;
}

int
replica_take(struct replica *r)
{
	struct err e = ERR_INIT;
	int err = capture_hold(r->capture, &e);

	if (!err)
		err = capture_take(r->capture, NULL, &e);
	if (!err)
		err = queue_cut(r->queue, NULL, &e);
	while (!err) {
		auto_queue_unit struct queue_unit u = QUEUE_UNIT_INIT;

		if (queue_oldest(r->queue, &u, &e) == -ENOENT)
			break;
		apply(r, &u);
		err = queue_remove(r->queue, u.number, &e);
	}
	return err;
}

/* -- Comparing ----------------------------------------------------------------
 */

static uint64_t
hash_rows(sqlite3 *db, const char *sql, uint64_t h)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(db, sql, -1, &st, NULL);

	while (!rc && (rc = sqlite3_step(st)) == SQLITE_ROW) {
		for (int c = 0; c < sqlite3_column_count(st); c++) {
			const uint8_t *p = sqlite3_column_blob(st, c);
			int n = sqlite3_column_bytes(st, c);

			h = (h ^ (uint64_t)n) * 1099511628211u;
			for (int i = 0; i < n; i++)
				h = (h ^ p[i]) * 1099511628211u;
		}
		rc = 0;
	}
	if (rc != SQLITE_DONE)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	sqlite3_finalize(st);
	return h;
}

static uint64_t
hash_database(sqlite3 *db)
{
	uint64_t h = 14695981039346656037u;

	h = hash_rows(db, "SELECT name, sql FROM sqlite_schema ORDER BY 1", h);
	h = hash_rows(db, "SELECT * FROM t ORDER BY id", h);
	h = hash_rows(db, "SELECT * FROM w ORDER BY k", h);
	return hash_rows(db, "PRAGMA integrity_check", h);
}

void
replica_compare(struct replica *r)
{
	auto_free char *copy = xasprintf("%s/copy.db", r->dir);
	auto_close int fd = open(copy, O_CREAT | O_TRUNC | O_WRONLY, 0600);
	sqlite3 *db = NULL;
	uint64_t h;

	assert_true(fd >= 0);
	assert_true(r->image.len >= 512);
	r->image.data[18] = r->image.data[19] = 1;
	assert_int_equal(write(fd, r->image.data, r->image.len), r->image.len);
	r->image.data[18] = r->image.data[19] = 2;
	assert_int_equal(sqlite3_open(copy, &db), SQLITE_OK);
	h = hash_database(db);
	sqlite3_close(db);
	if (h != hash_database(r->app))
		fail_msg("the replica differs after %u units", r->units);
}

void
replica_check(struct replica *r)
{
	struct err e = ERR_INIT;
	int err = replica_take(r);

	if (err) {
		capture_take(r->capture, NULL, &e);
		fail_msg("%s: %s", strerror(-err), e.text);
	}
	replica_compare(r);
}
