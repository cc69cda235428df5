/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A cache on a small file system of its own, with a limit far above its size,
 * while others fill it: everything is read all the same, as little is kept as
 * there is room, and when there is room again it is used again.
 */
#include "tests/unit/cache_fixture.h"

#include <errno.h>
#include <stdio.h>
#include "repo/base/buf.h"

#define DISK "24M"

static int
shell(const char *script)
{
	auto_free char *command = xasprintf("cd %s && %s", cache_root, script);

	return system(command);
}

static int
mount_disk(void **state)
{
	if (cache_set_up(state) < 0)
		return -1;
	snprintf(cache_dir, sizeof(cache_dir), "%s/disk/cache", cache_root);
	return shell("truncate -s " DISK " image && "
		     "mkfs.ext4 -q -m 0 image && mkdir disk && "
		     "mount -o loop image disk");
}

static int
umount_disk(void **state)
{
	return shell("umount disk") | cache_tear_down(state);
}

static void
work(struct cache *c, unsigned seed)
{
	unsigned outcomes[3] = { 0 };

	cache_workload(c, seed, 400, outcomes);
	assert_int_equal(outcomes[OUT_BAD], 0);
}

static void
a_disk_smaller_than_the_limit_is_no_readers_error(void **state)
{
	auto_cache struct cache *c = open_cache_of(10 * 1024 * MIB);
	(void)state;

	work(c, 1);
	assert_true(disk_use() > 10 * MIB);
	work(c, 2);
	cache_sync(c, NULL);
	/* what comes now displaces what is old, as below a limit */
	for (unsigned i = 0; i < 60; i++) {
		auto_free uint8_t *data =
			content_of(pack_name(9), i * MIB, 1 * MIB);

		cache_write(c, pack_name(9), i * MIB, data, 1 * MIB);
		cache_sync(c, NULL);
	}
	assert_true(is_kept(c, pack_name(9), 59 * MIB, 1 * MIB));
}

static void
what_others_fill_the_disk_with_has_to_be_left_room(void **state)
{
	auto_cache struct cache *c = open_cache_of(10 * 1024 * MIB);
	auto_free uint8_t *data = content_of(pack_name(3), 0, 400000);
	(void)state;

	work(c, 3);
	shell("dd if=/dev/zero of=disk/ballast bs=64k status=none 2>&1 | cat");
	work(c, 4);
	cache_write(c, pack_name(3), 0, data, 400000);
	cache_sync(c, NULL);
	work(c, 5);
	assert_int_equal(shell("rm disk/ballast"), 0);
	work(c, 6);
	cache_sync(c, NULL);
	keep(c, pack_name(4), 0, 4 * MIB);
	assert_true(is_kept(c, pack_name(4), 0, 4 * MIB));
}

static void
the_minimum_free_space_is_left_to_others(void **state)
{
	auto_cache struct cache *c = open_cache_of(10 * 1024 * MIB);
	struct cache_status st;
	(void)state;

	assert_int_equal(cache_set_limit(c, UINT64_MAX, 8 * MIB, NULL), 0);
	for (unsigned i = 0; i < 5; i++) {
		work(c, 7 + i);
		cache_sync(c, NULL);
		assert_int_equal(cache_status(c, &st, NULL), 0);
		assert_true(st.disk_free > 8 * MIB - 512 * KIB);
	}
	assert_true(st.bytes > 6 * MIB);
}

static void
a_disk_too_full_for_the_ledger_is_emptied_all_the_same(void **state)
{
	auto_cache struct cache *c = open_cache_of(10 * 1024 * MIB);
	auto_free uint8_t *data = content_of(pack_name(9), 0, 300000);
	(void)state;

	for (unsigned i = 0; i < 8; i++)
		keep(c, pack_name(i), 0, 1 * MIB);
	/* the log has to grow from nothing, and cannot */
	assert_int_equal(shell("sqlite3 disk/cache/ledger.db 'PRAGMA "
			       "wal_checkpoint(truncate)' >/dev/null"),
		0);
	shell("dd if=/dev/zero of=disk/ballast bs=64k status=none 2>&1 | cat;"
	      "dd if=/dev/zero of=disk/more bs=1k status=none 2>&1 | cat");
	for (unsigned i = 0; i < 3; i++) {
		cache_write(c, pack_name(9), 0, data, 300000);
		cache_sync(c, NULL);
	}
	assert_true(is_kept(c, pack_name(9), 0, 300000));
}

static void
opening_on_a_full_disk_fails_or_does_without(void **state)
{
	struct cache_options o = { .repository_id = cache_repository };
	struct cache *c = NULL;
	struct err e = ERR_INIT;
	(void)state;

	shell("dd if=/dev/zero of=disk/ballast bs=64k status=none 2>&1 | cat;"
	      "dd if=/dev/zero of=disk/more bs=4k status=none 2>&1 | cat");
	if (cache_open(cache_dir, &o, &c, &e) < 0) {
		assert_non_null(strstr(e.text, "disk/cache"));
	} else {
		work(c, 20);
		cache_close(c);
	}
}

int
main(void)
{
#define ON_DISK(test) \
	cmocka_unit_test_setup_teardown(test, mount_disk, umount_disk)
	const struct CMUnitTest tests[] = {
		ON_DISK(a_disk_smaller_than_the_limit_is_no_readers_error),
		ON_DISK(what_others_fill_the_disk_with_has_to_be_left_room),
		ON_DISK(the_minimum_free_space_is_left_to_others),
		ON_DISK(a_disk_too_full_for_the_ledger_is_emptied_all_the_same),
		ON_DISK(opening_on_a_full_disk_fails_or_does_without),
	};

	/* once, to see whether it can be had at all */
	if (mount_disk(NULL) != 0) {
		cache_tear_down(NULL);
		printf("needs a file system of its own: root, loop devices\n");
		return 77;
	}
	umount_disk(NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
