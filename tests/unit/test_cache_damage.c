/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ledger damaged in every place, and files that it does not know. */
#include "tests/unit/cache_fixture.h"
#include "tests/unit/sanitized.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/stat.h>
#include "repo/base/buf.h"

#define LIMIT (32 * MIB)
#define PACKS 40
#define PIECES 6
#define PAGE 4096

static char *
in_cache(const char *name)
{
	return xasprintf("%s/%s", cache_dir, name);
}

static void
shell(const char *script)
{
	auto_free char *command = xasprintf("cd %s && %s", cache_dir, script);

	assert_int_equal(system(command), 0);
}

/* Whether every piece came from the cache; what lacks is fetched. */
static bool
read_all(struct cache *c, unsigned outcomes[3])
{
	bool all = true;

	for (unsigned i = 0; i < PACKS; i++)
		for (unsigned k = 0; k < PIECES; k++) {
			enum outcome o = read_through(
				c, pack_name(i), k * 70 * KIB + i, 30000 + i);

			outcomes[o]++;
			all &= o == OUT_HIT;
		}
	cache_sync(c, NULL);
	return all;
}

/* A cache with something of everything. */
static void
fill(void)
{
	struct cache *c = open_cache_of(LIMIT);
	struct cache_place at = { .len = 10 };
	unsigned outcomes[3] = { 0 };

	read_all(c, outcomes);
	assert_true(read_all(c, outcomes));
	cache_put(c, "format", "clear text", 10);
	at.name = pack_name(1);
	assert_int_equal(cache_pin(c, "a pin", &at, 1, NULL), 0);
	cache_close(c);
}

/* Everything from the log into the database. */
static void
checkpoint(void)
{
	auto_free char *path = in_cache("ledger.db");
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	/* it learns that there is a log when it reads */
	assert_int_equal(
		sqlite3_exec(db, "SELECT * FROM state", NULL, NULL, NULL),
		SQLITE_OK);
	assert_int_equal(sqlite3_wal_checkpoint_v2(db, NULL,
				 SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL),
		SQLITE_OK);
	sqlite3_close(db);
}

static off_t
size_of(const char *name)
{
	auto_free char *path = in_cache(name);
	struct stat st;

	return stat(path, &st) == 0 ? st.st_size : 0;
}

enum damage { ZEROS, NOISE, BIT, DAMAGES };

static void
damage_page(const char *name, off_t page, enum damage kind)
{
	auto_free char *path = in_cache(name);
	auto_close int fd = open(path, O_RDWR | O_CLOEXEC);
	uint8_t bytes[PAGE];

	assert_true(fd >= 0);
	assert_true(pread(fd, bytes, PAGE, page * PAGE) > 0);
	for (size_t i = 0; i < PAGE && kind != BIT; i++)
		bytes[i] = kind == ZEROS ? 0 : (uint8_t)random();
	if (kind == BIT)
		bytes[random() % PAGE] ^= (uint8_t)(1 << random() % 8);
	assert_int_equal(pwrite(fd, bytes, PAGE, page * PAGE), PAGE);
}

/* Right bytes at once, everything cached after two rounds, and the limit. */
static void
assert_recovers(const char *what)
{
	unsigned outcomes[3] = { 0 };
	struct cache *c = open_cache();
	struct cache_status st;

	read_all(c, outcomes);
	read_all(c, outcomes);
	cache_close(c);
	c = open_cache();
	if (!read_all(c, outcomes) && !read_all(c, outcomes))
		fail_msg("%s: not all is cached afterwards", what);
	/* the limit may be lost with the page it was in */
	assert_int_equal(cache_status(c, &st, NULL), 0);
	if (st.limit != LIMIT)
		assert_int_equal(st.limit, CACHE_LIMIT_DEFAULT);
	cache_close(c);
	if (disk_use() > LIMIT)
		fail_msg("%s: %llu bytes are used", what,
			(unsigned long long)disk_use());
}

static void
damage_everywhere(const char *name)
{
	off_t pages = size_of(name) / PAGE;

	assert_true(pages > 5);
	shell("rm -rf ../saved; cp -a . ../saved");
	for (off_t page = 0; page < pages; page++)
		for (enum damage kind = 0; kind < DAMAGES; kind++) {
			if ((page * DAMAGES + kind) % sanitized_step(5))
				continue;
			auto_free char *what = xasprintf("%s, page %lld, %d",
				name, (long long)page, kind);

			shell("rm -rf * && cp -a ../saved/. .");
			damage_page(name, page, kind);
			assert_recovers(what);
		}
	printf("%lld pages of %s\n", (long long)pages, name);
}

static void
a_damaged_page_of_the_ledger_costs_no_wrong_byte(void **state)
{
	(void)state;

	srandom(11);
	fill();
	checkpoint();
	damage_everywhere("ledger.db");
}

static void
a_damaged_page_of_the_log_costs_no_wrong_byte(void **state)
{
	struct cache *c;
	off_t pages;
	(void)state;

	srandom(12);
	fill();
	checkpoint();
	c = open_cache();
	for (unsigned i = 0; i < 5; i++)
		keep(c, pack_name(PACKS + i), 0, 300000);
	cache_close(c);
	pages = size_of("ledger.db-wal") / PAGE;
	assert_true(pages > 5);
	damage_everywhere("ledger.db-wal");
}

/* -- Lost as a whole ----------------------------------------------------- */

static void
count_pin(void *ctx, const char *name, uint64_t wanted, uint64_t present)
{
	(void)wanted;
	(void)present;
	*(unsigned *)ctx += strcmp(name, "a pin") == 0;
}

static void
a_ledger_made_anew_knows_what_the_files_hold(void **state)
{
	static const char *const ruin[] = {
		"rm -f ledger.db*",
		": >ledger.db; rm -f ledger.db-wal",
		"yes >ledger.db | head -c 100000; rm -f ledger.db-wal",
		"truncate -s 5000 ledger.db; rm -f ledger.db-wal",
	};
	(void)state;

	for (size_t i = 0; i < n_elements(ruin); i++) {
		unsigned outcomes[3] = { 0 };
		auto_free uint8_t *data = NULL;
		struct cache *c;
		size_t len = 0;

		fill();
		checkpoint();
		shell(i == 2 ? "head -c 100000 /dev/urandom >ledger.db;"
			       "rm -f ledger.db-wal"
			     : ruin[i]);
		c = open_cache();
		/* the first two look like a new cache to SQLite */
		read_all(c, outcomes);
		if (i >= 2) {
			assert_int_equal(outcomes[OUT_MISS], 0);
			assert_int_equal(
				cache_get(c, "format", 99, &data, &len), 0);
			assert_memory_equal(data, "clear text", 10);
		}
		assert_int_equal(outcomes[OUT_BAD], 0);
		assert_true(read_all(c, outcomes));
		cache_close(c);
		shell("rm -rf *");
	}
}

static void
pins_and_limit_are_taken_out_of_a_damaged_ledger(void **state)
{
	struct cache *c;
	struct cache_status st;
	unsigned pins = 0;
	(void)state;

	fill();
	checkpoint();
	/* rows that contradict their table: found, but all else is readable */
	shell("sqlite3 ledger.db 'UPDATE segment SET present = x'\\''ff'\\'");
	c = open_cache();
	assert_false(is_kept(c, pack_name(1), 0, 10));
	keep(c, pack_name(1), 0, 10);
	assert_int_equal(cache_pins(c, count_pin, &pins, NULL), 0);
	assert_int_equal(pins, 1);
	assert_int_equal(cache_status(c, &st, NULL), 0);
	assert_int_equal(st.limit, LIMIT);
	assert_true(st.pinned > 0);
	cache_close(c);
}

/* -- Files --------------------------------------------------------------- */

static void
what_the_ledger_does_not_know_is_given_back(void **state)
{
	struct cache_place at = { .len = UINT64_MAX };
	struct cache *c;
	uint64_t before;
	(void)state;

	fill();
	at.name = pack_name(3);
	c = open_cache();
	assert_int_equal(cache_pin(c, "three", &at, 1, NULL), 0);
	cache_close(c);
	before = disk_use();
	/* a file of its own, and a tail behind what is claimed */
	shell("f=$(echo */03/*3); d=${f%%/*}; mkdir $d/77; "
	      "dd if=/dev/urandom of=$f bs=1M count=4 seek=8 conv=notrunc "
	      "status=none; cp $f $d/77/77$(basename $f | cut -c3-); "
	      "touch tmp/old -d yesterday");
	assert_true(disk_use() > before + 7 * MIB);
	c = open_cache();
	assert_int_equal(cache_clear(c, false, NULL), 0);
	assert_true(is_kept(c, pack_name(1), 1, 10));
	assert_true(is_kept(c, pack_name(3), 3, 10));
	cache_close(c);
	assert_true(disk_use() < 2 * MIB);
	shell("test -z \"$(ls tmp)\"");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_CACHE(a_damaged_page_of_the_ledger_costs_no_wrong_byte),
		WITH_CACHE(a_damaged_page_of_the_log_costs_no_wrong_byte),
		WITH_CACHE(a_ledger_made_anew_knows_what_the_files_hold),
		WITH_CACHE(pins_and_limit_are_taken_out_of_a_damaged_ledger),
		WITH_CACHE(what_the_ledger_does_not_know_is_given_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
