/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <sys/stat.h>
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include "tests/unit/unit.h"
#include "repo/base/buf.h"
#include "repo/foreign/kept.h"
#include "tests/unit/scratch.h"

static char root[200];

static int
set_up(void **state)
{
	const char *tmp = getenv("YORE_TEST_TMPDIR");

	(void)state;
	snprintf(root, sizeof(root), "%s/yore-test-XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(root))
		return -1;
	unsetenv("XDG_STATE_HOME");
	unsetenv("XDG_CACHE_HOME");
	setenv("HOME", root, 1);
	setenv("TMPDIR", root, 1);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	return !scratch_remove(root);
}

static struct kept *
open_at(const char *cache_dir, const char *address)
{
	const struct kept_options o = { .cache_dir = cache_dir,
		.address = address };
	struct kept *k = NULL;

	assert_int_equal(kept_open(&o, &k, NULL), 0);
	return k;
}

static void
fill(uint8_t *p, size_t len, unsigned seed)
{
	for (size_t i = 0; i < len; i++)
		p[i] = (uint8_t)((seed = seed * 1664525 + 1013904223) >> 24);
}

static void
write_piece(struct kept *k, const char *name, uint64_t piece, size_t len)
{
	uint8_t data[KEPT_PIECE];

	fill(data, len, (unsigned)piece + 1);
	kept_write(k, name, piece, data, len);
}

static bool
has_piece(struct kept *k, const char *name, uint64_t piece, size_t len)
{
	uint8_t want[KEPT_PIECE], got[KEPT_PIECE];
	size_t n = 0;

	if (!kept_read(k, name, piece, got, &n))
		return false;
	fill(want, len, (unsigned)piece + 1);
	assert_int_equal(n, len);
	assert_memory_equal(got, want, len);
	return true;
}

static void
what_was_kept_is_there_the_next_time(void **state)
{
	static const size_t lens[] = { 1, 17, 4096, KEPT_PIECE };

	(void)state;
	for (int round = 0; round < 2; round++) {
		auto_kept struct kept *k = open_at(NULL, "s3://b/db");
		auto_free uint8_t *data = NULL;
		size_t len = 0;

		for (size_t i = 0; i < n_elements(lens); i++) {
			if (round == 0)
				write_piece(k, "0/1.ltx", i * 7, lens[i]);
		}
		if (round == 0)
			kept_put(k, "listing", "a b", 4);
		assert_int_equal(kept_sync(k, NULL), 0);
		for (size_t i = 0; i < n_elements(lens); i++)
			assert_true(has_piece(k, "0/1.ltx", i * 7, lens[i]));
		assert_int_equal(kept_get(k, "listing", 10, &data, &len), 0);
		assert_int_equal(len, 4);
		assert_string_equal((char *)data, "a b");
	}
}

static void
names_pieces_and_addresses_are_told_apart(void **state)
{
	auto_kept struct kept *k = open_at(NULL, "s3://b/db");
	auto_kept struct kept *other = open_at(NULL, "s3://b/db2");
	auto_free uint8_t *data = NULL;
	size_t len;

	(void)state;
	write_piece(k, "x", 1, 100);
	kept_put(k, "y", "1", 1);
	kept_sync(k, NULL);
	assert_true(has_piece(k, "x", 1, 100));
	assert_false(has_piece(k, "x", 0, 100));
	assert_false(has_piece(k, "x", 2, 100));
	assert_false(has_piece(k, "y", 1, 100));
	assert_false(has_piece(other, "x", 1, 100));
	assert_int_equal(kept_get(k, "x", 100, &data, &len), -ENOENT);
	assert_int_equal(kept_get(other, "y", 100, &data, &len), -ENOENT);
	assert_int_equal(kept_get(k, "y", 0, &data, &len), -ENOENT);
}

static void
what_is_written_again_is_read_as_it_was_last(void **state)
{
	auto_kept struct kept *k = open_at(NULL, "a");
	uint8_t got[KEPT_PIECE];
	size_t len;

	(void)state;
	write_piece(k, "x", 3, KEPT_PIECE);
	kept_write(k, "x", 3, "new", 3);
	kept_sync(k, NULL);
	assert_true(kept_read(k, "x", 3, got, &len));
	assert_int_equal(len, 3);
	assert_memory_equal(got, "new", 3);
	kept_forget(k, "x");
	kept_sync(k, NULL);
	assert_false(kept_read(k, "x", 3, got, &len));
}

static void
long_names_of_any_bytes_will_do(void **state)
{
	auto_kept struct kept *k = open_at(NULL, "a");
	char name[1200];

	(void)state;
	memset(name, '/', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	write_piece(k, name, 0, 10);
	name[1000] = '\xff';
	kept_sync(k, NULL);
	assert_false(has_piece(k, name, 0, 10));
	name[1000] = '/';
	assert_true(has_piece(k, name, 0, 10));
}

/* -- The disk ------------------------------------------------------------ */

static const char secret[] = "a name in a page of somebody's database";
static unsigned found_in, flipped;

static int
look_into(const char *path, const struct stat *st, int flag, struct FTW *at)
{
	auto_fclose FILE *f = NULL;
	auto_free char *text = xcalloc(1, (size_t)st->st_size + 1);

	(void)at;
	if (flag != FTW_F || !(f = fopen(path, "r+")))
		return 0;
	assert_int_equal(fread(text, 1, (size_t)st->st_size, f), st->st_size);
	found_in += memmem(text, (size_t)st->st_size, secret,
			    sizeof(secret) - 1) != NULL ||
		    memmem(text, (size_t)st->st_size, "orders.db", 9) != NULL;
	if (strstr(path, "ledger") || strstr(path, "lock") ||
		strstr(path, "epochs") || strstr(path, "foreign.key"))
		return 0;
	for (long i = 0; i < st->st_size; i += 64)
		text[i] ^= 4;
	rewind(f);
	fwrite(text, 1, (size_t)st->st_size, f);
	flipped++;
	return 0;
}

static void
nothing_readable_is_on_the_disk_and_damage_is_noticed(void **state)
{
	uint8_t page[KEPT_PIECE] = { 0 }, got[KEPT_PIECE];
	struct kept *k = open_at(NULL, "s3://bucket/orders.db");
	auto_free uint8_t *data = NULL;
	size_t len;

	(void)state;
	memcpy(page + 100, secret, sizeof(secret));
	kept_write(k, "orders.db/0", 0, page, sizeof(page));
	kept_put(k, "orders.db", secret, sizeof(secret));
	kept_close(k);
	found_in = flipped = 0;
	nftw(root, look_into, 8, FTW_PHYS);
	assert_int_equal(found_in, 0);
	assert_true(flipped >= 2);
	k = open_at(NULL, "s3://bucket/orders.db");
	assert_false(kept_read(k, "orders.db/0", 0, got, &len));
	assert_int_equal(kept_get(k, "orders.db", 100, &data, &len), -ENOENT);
	kept_close(k);
}

static void
the_key_is_the_users_alone(void **state)
{
	auto_free char *path =
		xasprintf("%s/.local/state/yore/foreign.key", root);
	struct kept *k = open_at(NULL, "a");
	struct stat st;

	(void)state;
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_size, 32);
	write_piece(k, "x", 0, 10);
	kept_close(k);
	/* one that others could have read is not used */
	assert_int_equal(chmod(path, 0644), 0);
	k = open_at(NULL, "a");
	assert_false(has_piece(k, "x", 0, 10));
	write_piece(k, "x", 0, 10);
	kept_sync(k, NULL);
	assert_true(has_piece(k, "x", 0, 10));
	kept_close(k);
	assert_int_equal(chmod(path, 0600), 0);
	k = open_at(NULL, "a");
	assert_true(has_piece(k, "x", 0, 10));
	kept_close(k);
}

static unsigned
scratch_directories(void)
{
	auto_closedir DIR *d = opendir(root);
	struct dirent *de;
	unsigned n = 0;

	while ((de = readdir(d)))
		n += strncmp(de->d_name, "yore-replica-", 13) == 0;
	return n;
}

static void
without_a_cache_it_is_kept_as_long_as_it_is_open(void **state)
{
	auto_free char *left = xasprintf("%s/yore-replica-abcdef", root);
	struct kept *k, *other;

	(void)state;
	/* of a process that was killed */
	assert_int_equal(mkdir(left, 0700), 0);
	k = open_at("", "a");
	assert_int_equal(scratch_directories(), 1);
	write_piece(k, "x", 0, KEPT_PIECE);
	kept_sync(k, NULL);
	assert_true(has_piece(k, "x", 0, KEPT_PIECE));
	other = open_at("", "a");
	assert_int_equal(scratch_directories(), 2);
	assert_false(has_piece(other, "x", 0, KEPT_PIECE));
	kept_close(other);
	assert_true(has_piece(k, "x", 0, KEPT_PIECE));
	kept_close(k);
	assert_int_equal(scratch_directories(), 0);
	k = open_at("", "a");
	assert_false(has_piece(k, "x", 0, KEPT_PIECE));
	kept_close(k);
}

static void
offline_there_must_be_a_cache(void **state)
{
	const struct kept_options o = {
		.cache_dir = "/dev/null/x", .address = "a", .offline = true
	};
	struct kept *k = NULL;

	(void)state;
	assert_int_equal(kept_open(&o, &k, NULL), -ENETDOWN);
	assert_null(k);
}

#define test(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		test(what_was_kept_is_there_the_next_time),
		test(names_pieces_and_addresses_are_told_apart),
		test(what_is_written_again_is_read_as_it_was_last),
		test(long_names_of_any_bytes_will_do),
		test(nothing_readable_is_on_the_disk_and_damage_is_noticed),
		test(the_key_is_the_users_alone),
		test(without_a_cache_it_is_kept_as_long_as_it_is_open),
		test(offline_there_must_be_a_cache),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
