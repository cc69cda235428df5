/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Logs of zlayer, and replicas of a few objects (the first byte says which).
 * Of a log: what verifies are the pages that SQLite would take of it.  Of a
 * replica: whatever is shown is a snapshot byte for byte, or one with a log of
 * a later second over it, also when what was kept gets lost meanwhile.
 */
#include <assert.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <zstd.h>
#include "repo/base/clock.h"
#include "repo/base/log.h"
#include "repo/foreign/zlayer_database.h"
#include "tests/fuzz/memory.h"
#include "tests/unit/wal_fixture.h"

#define PAGE 512u
#define STATES 6
#define OBJECTS_MAX 12
#define PLAIN_MAX (1u << 16)

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len);

/* -- A log ------------------------------------------------------------------
 */

/* Where SQLite finds a page of the log, 0 nowhere; *pages as committed. */
static uint64_t
model_find(const uint8_t *in, size_t len, uint32_t pgno, uint32_t *pages)
{
	struct wal_header h;
	struct wal_scan s;
	struct wal_frame f;
	uint64_t seen = 0, found = 0;

	*pages = 0;
	if (len < WAL_HEADER_LEN || wal_header_decode(in, &h, NULL))
		return 0;
	wal_scan_init(&s, &h);
	while (len - s.off >= wal_frame_len(&h)) {
		uint64_t at = s.off + WAL_FRAME_HEADER_LEN;

		if (wal_scan_frame(&s, in + s.off, &f, NULL))
			break;
		seen = f.pgno == pgno ? at : seen;
		if (f.commit_pages) {
			found = seen;
			*pages = f.commit_pages;
		}
	}
	return pgno <= *pages ? found : 0;
}

static void
check_pages(const struct zlayer_log *log, const uint8_t *in, size_t len)
{
	uint32_t pages;

	for (size_t i = 0; i < log->n_pages; i++) {
		const struct zlayer_page *p = &log->pages[i];

		assert(i == 0 || p->pgno > p[-1].pgno);
		assert(model_find(in, len, p->pgno, &pages) == p->off);
		assert(pages == log->commit_pages);
	}
	for (uint32_t pgno = 0; pgno < 20; pgno++) {
		const struct zlayer_page *p = zlayer_log_find(log, pgno);

		assert(model_find(in, len, pgno, &pages) == (p ? p->off : 0));
	}
}

static void
check_log(const uint8_t *in, size_t len, enum unpack_kind kind)
{
	auto_store struct store *s = memory_store_new();
	auto_kept struct kept *k = memory_kept();
	auto_zlayer_log struct zlayer_log log = ZLAYER_LOG_INIT;
	auto_zlayer_log struct zlayer_log head = ZLAYER_LOG_INIT;
	struct unpacked_source src = { .store = s,
		.kept = k,
		.object = "wal",
		.size = len,
		.kind = kind,
		.max = PLAIN_MAX };

	memory_put(s, "wal", in, len, 0);
	if (zlayer_log_load(&src, &log, NULL))
		return;
	assert(zlayer_log_head(&src, &head, NULL) == 0);
	assert(head.empty == log.empty);
	if (kind == UNPACK_PLAIN)
		check_pages(&log, in, len);
}

/* -- A database and its states ----------------------------------------------
 */

static uint8_t *states[STATES];
static size_t state_len[STATES];

static void
make_states(void)
{
	static const char *const sql[STATES] = {
		"CREATE TABLE t(x); INSERT INTO t VALUES(zeroblob(900))",
		"INSERT INTO t VALUES('one')",
		"UPDATE t SET x=hex(zeroblob(300)); CREATE INDEX i ON t(x)",
		"DROP INDEX i; PRAGMA user_version=4",
		"DELETE FROM t; VACUUM",
		"INSERT INTO t VALUES(zeroblob(700))",
	};
	sqlite3_int64 n;
	sqlite3 *db;

	sqlite3_open(":memory:", &db);
	assert(!sqlite3_exec(db, "PRAGMA page_size=512", NULL, NULL, NULL));
	for (size_t i = 0; i < STATES; i++) {
		assert(!sqlite3_exec(db, sql[i], NULL, NULL, NULL));
		unsigned char *bytes = sqlite3_serialize(db, "main", &n, 0);

		states[i] = xmemdup(bytes, (size_t)n);
		state_len[i] = (size_t)n;
		sqlite3_free(bytes);
	}
	sqlite3_close(db);
}

/* Page number pgno of a state, or zeros. */
static void
state_page(unsigned state, uint32_t pgno, uint8_t page[PAGE])
{
	memset(page, 0, PAGE);
	if (pgno > 0 && pgno * PAGE <= state_len[state % STATES])
		memcpy(page, states[state % STATES] + (pgno - 1) * PAGE, PAGE);
}

/* -- A replica --------------------------------------------------------------
 */

struct made {
	char *name;
	struct buf plain;
};

static struct made objects[OBJECTS_MAX];
static size_t n_objects;

static void
put_object(struct store *s, char *name, struct buf *plain, unsigned second)
{
	auto_free uint8_t *out = xmalloc(PLAIN_MAX);
	size_t n = ZSTD_compress(out, PLAIN_MAX, plain->data, plain->len, 1);

	memory_put(s, name, out, n, second * NS_PER_S);
	for (size_t i = 0; i < n_objects; i++) {
		if (strcmp(objects[i].name, name) == 0)
			objects[i].name[0] = '-'; /* it is that no more */
	}
	objects[n_objects++] = (struct made){ name, *plain };
}

static void
flip(struct reader *r, struct buf *b)
{
	uint8_t damage = read_u8(r);

	if (damage & 1 && b->len > 0)
		b->data[(damage >> 4) * 997 % b->len] ^=
			(uint8_t)(1 << (damage >> 1) % 8);
}

/* A state, perhaps with some pages of another one. */
static void
put_snapshot(struct store *s, struct reader *r)
{
	unsigned second = read_u8(r) % 60, state = read_u8(r) % STATES;
	unsigned mask = read_u8(r), other = read_u8(r);
	struct buf b = BUF_INIT;

	buf_append(&b, states[state], state_len[state]);
	for (uint32_t i = 0; i < b.len / PAGE && i < 8; i++) {
		if (mask & 1u << i)
			state_page(other, i + 1, b.data + i * PAGE);
	}
	flip(r, &b);
	put_object(s,
		xasprintf("snapshots/20261005_1200%02u.sqlite.zst", second), &b,
		second);
}

/* Frames of pages of states; under the number of frames, or another. */
static void
put_log(struct store *s, struct reader *r)
{
	unsigned second = read_u8(r) % 60, seq = read_u8(r);
	unsigned salt = read_u8(r), n = read_u8(r) % 10, off = read_u8(r);
	struct wal_made w = { .page_size = PAGE };

	wal_made_begin(&w, PAGE, salt & 1, salt);
	for (unsigned i = 0; i < n; i++) {
		uint8_t pgno = read_u8(r) % 10, what = read_u8(r);

		wal_made_frame(&w, pgno, what & 1 ? 1 + (what >> 4) : 0, 0);
		state_page(what >> 1, pgno, w.bytes.data + w.bytes.len - PAGE);
	}
	put_be32(w.bytes.data + 12, seq);
	wal_convert(w.bytes.data, w.bytes.len, salt & 1);
	flip(r, &w.bytes);
	put_object(s, xasprintf("wal/%020u.wal.zst", n + (off > 250 ? off : 0)),
		&w.bytes, second);
}

static const struct buf *
plain_of(const char *name)
{
	for (size_t i = 0; i < n_objects; i++) {
		if (strcmp(objects[i].name, name) == 0)
			return &objects[i].plain;
	}
	assert(!"an object that nobody put");
	return NULL;
}

/* What log over snapshot is; over may be NULL. */
static void
check_database(const struct zlayer_replica *z, size_t i, size_t w)
{
	auto_free char *name = zlayer_roll_snapshot_name(z->roll, i);
	auto_free char *over = NULL;
	const struct buf *base = plain_of(name), *log = NULL;
	struct database *d;
	uint8_t page[PAGE];
	uint32_t pages = (uint32_t)(base->len / PAGE);

	if (w != ZLAYER_NONE) {
		over = zlayer_roll_wal_name(z->roll, w);
		log = plain_of(over);
		model_find(log->data, log->len, 1, &pages);
	}
	if (zlayer_database_new(z, i, w, "x", &d, NULL))
		return;
	assert(d->size == (uint64_t)pages * PAGE);
	for (uint32_t p = 1; p <= pages; p++) {
		static const uint8_t zeros[PAGE];
		const uint8_t *want = p * PAGE <= base->len
					      ? base->data + (p - 1) * PAGE
					      : zeros;
		uint64_t at =
			log ? model_find(log->data, log->len, p, &pages) : 0;

		if (zlayer_database_read(d, (p - 1) * PAGE, PAGE, page, NULL))
			continue;
		assert(!memcmp(page, at ? log->data + at : want, PAGE));
	}
	d->ops->free(d);
}

static void
check_states(const struct zlayer_replica *z)
{
	const struct zlayer_roll *roll = z->roll;
	size_t joins;
	bool behind;

	for (size_t i = 0; i < roll->n_snapshots; i++) {
		if (zlayer_proof_sound(z, i, NULL) == 0)
			check_database(z, i, ZLAYER_NONE);
		zlayer_proof_behind(z, i, &behind, NULL);
	}
	for (size_t w = 0; w < roll->n_wals; w++) {
		if (zlayer_proof_joins(z, w, &joins, NULL) ||
			joins == ZLAYER_NONE)
			continue;
		assert(joins < roll->n_snapshots);
		assert(zlayer_roll_second(&roll->wals[w].o) >
			zlayer_roll_second(&roll->snapshots[joins].o));
		assert(zlayer_proof_sound(z, joins, NULL) == 0);
		check_database(z, joins, w);
	}
}

static void
check_replica(const uint8_t *in, size_t len)
{
	auto_store struct store *s = memory_store_new();
	auto_kept struct kept *k = memory_kept();
	struct zlayer_replica z = { .store = s, .kept = k };
	struct reader r = reader_of(in, len);

	memory_kept_loses(k, read_u8(&r) % 8);
	for (unsigned i = 0; i < OBJECTS_MAX && reader_left(&r) > 0; i++) {
		if (read_u8(&r) & 1)
			put_log(s, &r);
		else
			put_snapshot(s, &r);
	}
	assert(zlayer_roll_load(s, "", &z.roll, NULL) == 0);
	check_states(&z);
	zlayer_roll_put(z.roll);
	while (n_objects > 0) {
		free(objects[--n_objects].name);
		buf_release(&objects[n_objects].plain);
	}
}

static bool
may_convert(const uint8_t *log, size_t len)
{
	return len >= WAL_HEADER_LEN && get_be32(log + 8) % 8 == 0 &&
	       get_be32(log + 8) <= WAL_PAGE_SIZE_MAX;
}

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	auto_buf struct buf log = BUF_INIT;

	if (!states[0])
		make_states();
	log_set_level(LOG_LEVEL_ERROR);
	if (len == 0 || len > PLAIN_MAX)
		return 0;
	buf_append(&log, in + 1, len - 1);
	if (in[0] % 4 == 0)
		check_log(log.data, log.len, UNPACK_ZSTD);
	if (in[0] % 4 == 1 || in[0] % 4 == 2) {
		if (in[0] % 4 == 2 && may_convert(log.data, log.len))
			wal_convert(log.data, log.len, in[0] & 4);
		check_log(log.data, log.len, UNPACK_PLAIN);
	}
	if (in[0] % 4 == 3)
		check_replica(in + 1, len - 1);
	return 0;
}
