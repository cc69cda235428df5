/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Restoring what a hostile repository, replica or fellow user prepared: each
 * test has a directory `outside` beside the target, and at its end nothing has
 * been written there.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include "tests/unit/unit.h"
#include "tests/tools/hostile_view.h"
#include "repo/base/buf.h"
#include "repo/base/log.h"
#include "tools/local_view.h"
#include "tools/restore.h"
#include "tools/walk.h"

#define DIR_MODE (S_IFDIR | 0755)
#define FILE_MODE (S_IFREG | 0644)
#define LINK_MODE (S_IFLNK | 0777)

static char top[200];
static struct restore_report last; /* counts of the last run */

static char *
at(const char *name)
{
	return xasprintf("%s/%s", top, name);
}

static int
set_up(void **state)
{
	const char *tmp = getenv("TMPDIR");
	auto_free char *outside = NULL;

	(void)state;
	log_set_level(LOG_LEVEL_ERROR);
	snprintf(top, sizeof(top), "%s/yore-test-XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(top))
		return -1;
	outside = at("outside");
	return mkdir(outside, 0755);
}

static int
tear_down(void **state)
{
	auto_free char *command =
		xasprintf("chmod -R u+rwx %s; rm -rf %s", top, top);

	(void)state;
	return system(command);
}

static bool
exists(const char *name)
{
	auto_free char *path = at(name);
	struct stat st;

	return lstat(path, &st) == 0;
}

static void
holds(const char *name, const char *text)
{
	auto_free char *path = at(name);
	auto_fclose FILE *f = fopen(path, "r");
	char content[100] = "";

	assert_non_null(f);
	assert_int_equal(
		fread(content, 1, sizeof(content) - 1, f), strlen(text));
	assert_string_equal(content, text);
}

/* Nothing came to be beside what the test itself put there. */
static void
nothing_outside(void)
{
	auto_free char *command = xasprintf(
		"test -z \"$(ls -A %s/outside)\""
		" && test \"$(ls %s | tr '\\n' ' ')\" = 'outside target '",
		top, top);

	assert_int_equal(system(command), 0);
	assert_false(exists("../yore-escaped"));
}

static int
restore_view(struct view *v, enum restore_overwrite overwrite)
{
	const struct restore_options o = { .overwrite = overwrite,
		.threads = 4 };
	struct restore r = { .view = v, .options = &o };
	auto_free char *target = at("target");
	struct view_attr a;
	struct err e = ERR_INIT;
	int code;

	assert_int_equal(view_attr(v, VIEW_ROOT, &a, &e), 0);
	restore_report_init(&r.report);
	code = restore_run(&r, &a, "", target, &e);
	last = r.report;
	restore_report_release(&r.report);
	view_put(v);
	return code;
}

#define RESTORE(entries, overwrite)                                      \
	assert_int_equal(                                                \
		restore_view(hostile_view(entries, n_elements(entries)), \
			overwrite),                                      \
		0)

static void
names_that_lead_out_are_refused(void **state)
{
	static const struct hostile_entry entries[] = {
		{ 0, "..", .mode = DIR_MODE },
		{ 0, ".", .mode = DIR_MODE },
		{ 0, "../outside/a", .mode = FILE_MODE, .content = "bad" },
		{ 0, "/tmp/yore-escaped", .mode = FILE_MODE, .content = "bad" },
		{ 0, "sub/../../outside/b", .mode = DIR_MODE },
		{ 0, "nul\0name", .name_len = 8, .mode = FILE_MODE },
		{ 0, "sub", .mode = DIR_MODE },
		{ 0, "fine", .mode = FILE_MODE, .content = "good" },
		{ 7, "..", .mode = FILE_MODE, .content = "bad" },
		{ 7, "../../outside/c", .mode = LINK_MODE, .content = "x" },
		{ 1, "d", .mode = FILE_MODE, .content = "bad" },
	};

	(void)state;
	RESTORE(entries, OVERWRITE_ALWAYS);
	assert_int_equal(last.n_errors, 8);
	nothing_outside();
	holds("target/fine", "good");
	assert_true(exists("target/sub"));
	assert_int_equal(last.files, 1);
}

static void
a_name_of_256_bytes_is_refused(void **state)
{
	static char name[257];
	const struct hostile_entry entries[] = {
		{ 0, name, .mode = FILE_MODE, .content = "x" },
	};

	(void)state;
	memset(name, 'n', 256);
	RESTORE(entries, OVERWRITE_NEVER);
	assert_int_equal(last.n_errors, 1);
}

/* The same name first as a symlink, then as a directory with a file. */
static void
a_symlink_is_never_walked_through(void **state)
{
	static const struct hostile_entry entries[] = {
		{ 0, "way", .mode = LINK_MODE, .content = "../outside" },
		{ 0, "way", .mode = DIR_MODE },
		{ 2, "file", .mode = FILE_MODE, .content = "bad" },
		{ 0, "way2", .mode = DIR_MODE },
		{ 4, "file", .mode = FILE_MODE, .content = "bad" },
		{ 0, "way2", .mode = LINK_MODE, .content = "../outside" },
	};

	(void)state;
	RESTORE(entries, OVERWRITE_NEVER);
	assert_true(last.n_errors >= 2);
	nothing_outside();
	RESTORE(entries, OVERWRITE_ALWAYS);
	nothing_outside();
}

static void
existing_symlinks_are_not_followed(void **state)
{
	static const struct hostile_entry entries[] = {
		{ 0, "dir", .mode = DIR_MODE },
		{ 1, "file", .mode = FILE_MODE, .content = "good" },
		{ 0, "leaf", .mode = FILE_MODE, .content = "good" },
	};
	auto_free char *target = at("target"), *dir = at("target/dir");
	auto_free char *leaf = at("target/leaf");

	(void)state;
	mkdir(target, 0755);
	assert_int_equal(symlink("../outside", dir), 0);
	assert_int_equal(symlink("../outside/leaf", leaf), 0);
	RESTORE(entries, OVERWRITE_NEVER);
	assert_int_equal(last.n_errors, 2);
	nothing_outside();
	RESTORE(entries, OVERWRITE_ALWAYS);
	assert_int_equal(last.n_errors, 0);
	nothing_outside();
	holds("target/dir/file", "good");
	holds("target/leaf", "good");
}

/* While a file's content is on its way, its directory is moved out and a
 * symlink takes its place. */
static void
swap(void)
{
	auto_free char *dir = at("target/dir"), *moved = at("target/moved");

	if (rename(dir, moved) == 0)
		assert_int_equal(symlink("../outside", dir), 0);
}

static void
a_directory_swapped_meanwhile_leads_nowhere(void **state)
{
	static const struct hostile_entry entries[] = {
		{ 0, "dir", .mode = S_IFDIR | 0700 },
		{ 1, "a", .mode = FILE_MODE, .content = "1",
			.before_read = swap },
		{ 1, "b", .mode = FILE_MODE, .content = "2" },
		{ 1, "c", .mode = FILE_MODE, .content = "3", .nlink = 2,
			.ino = 99 },
		{ 1, "sub", .mode = DIR_MODE },
		{ 5, "e", .mode = FILE_MODE, .content = "4" },
		{ 0, "link", .mode = FILE_MODE, .content = "3", .nlink = 2,
			.ino = 99 },
	};

	(void)state;
	RESTORE(entries, OVERWRITE_ALWAYS);
	nothing_outside();
	holds("target/moved/sub/e", "4");
}

/* A hard link's first name was exchanged for a file of somebody else. */
static void
exchange(void)
{
	auto_free char *first = at("target/first");
	auto_free char *secret = at("outside/secret");

	unlink(first);
	assert_int_equal(link(secret, first), 0);
}

static void
a_hard_link_leads_to_what_was_restored(void **state)
{
	static const struct hostile_entry entries[] = {
		{ 0, "first", .mode = FILE_MODE, .content = "x", .nlink = 2,
			.ino = 99 },
		{ 0, "pause", .mode = FILE_MODE, .content = "y",
			.before_read = exchange },
		{ 0, "second", .mode = FILE_MODE, .content = "x", .nlink = 2,
			.ino = 99 },
	};
	const struct restore_options o = { .threads = 1 };
	struct restore r = { .options = &o };
	auto_free char *target = at("target"), *secret = at("outside/secret");
	struct view *v = hostile_view(entries, n_elements(entries));
	struct view_attr a;
	struct stat st;
	struct err e = ERR_INIT;

	(void)state;
	close(open(secret, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	view_attr(v, VIEW_ROOT, &a, &e);
	r.view = v;
	restore_report_init(&r.report);
	assert_int_equal(restore_run(&r, &a, "", target, &e), 0);
	assert_int_equal(r.report.n_errors, 1);
	restore_report_release(&r.report);
	view_put(v);
	assert_int_equal(stat(secret, &st), 0);
	assert_int_equal(st.st_nlink, 2); /* the attacker's own, not ours */
	unlink(secret);
}

static void
content_shorter_than_its_size_leaves_no_file(void **state)
{
	static const struct hostile_entry entries[] = {
		{ 0, "short", .mode = FILE_MODE, .content = "abc", .size = 9 },
		{ 0, "vast", .mode = FILE_MODE, .content = "abc",
			.size = 1ULL << 50 },
		{ 0, "fine", .mode = FILE_MODE, .content = "abc" },
	};

	(void)state;
	RESTORE(entries, OVERWRITE_NEVER);
	assert_int_equal(last.n_errors, 2);
	assert_false(exists("target/short"));
	assert_false(exists("target/vast"));
	holds("target/fine", "abc");
}

static void
what_is_replaced_stays_when_its_successor_fails(void **state)
{
	static const struct hostile_entry good[] = {
		{ 0, "file", .mode = FILE_MODE, .content = "old" },
	};
	static const struct hostile_entry bad[] = {
		{ 0, "file", .mode = FILE_MODE, .content = "new", .size = 5 },
	};

	(void)state;
	RESTORE(good, OVERWRITE_NEVER);
	RESTORE(bad, OVERWRITE_ALWAYS);
	assert_int_equal(last.n_errors, 1);
	holds("target/file", "old");
}

/* A directory that contains itself. */
static void
a_cycle_ends(void **state)
{
	static const struct hostile_entry entries[] = {
		{ 0, "loop", .mode = DIR_MODE, .list_as = 9 },
		{ 9, "loop", .mode = DIR_MODE, .list_as = 9 },
	};
	struct view *v = hostile_view(entries, n_elements(entries));
	auto_walk struct walk *w = walk_new(v, VIEW_ROOT);
	const struct walk_entry *en;
	struct err e = ERR_INIT;
	unsigned deepest = 0;
	int code;

	(void)state;
	while ((code = walk_next(w, &en, &e)) != 0) {
		if (code < 0)
			break;
		deepest = en->depth;
	}
	assert_int_equal(code, -ELOOP);
	assert_int_equal(deepest, WALK_DEPTH_MAX);
	while ((code = walk_next(w, &en, &e)) > 0)
		;
	assert_int_equal(code, 0);
	view_put(v);
}

/* An ACL that is none is reported, and the file is there. */
static void
a_bad_attribute_costs_only_itself(void **state)
{
	static const struct hostile_entry entries[] = {
		{ 0, "file", .mode = FILE_MODE, .content = "good",
			.xattr = "system.posix_acl_access" },
		{ 0, "other", .mode = FILE_MODE, .content = "good",
			.xattr = "nonsense" },
	};

	(void)state;
	RESTORE(entries, OVERWRITE_NEVER);
	assert_int_equal(last.n_errors, 0);
	assert_int_equal(last.lost[LOST_ACL].n, 1);
	assert_int_equal(last.lost[LOST_XATTR].n, 1);
	holds("target/file", "good");
}

#define IN_DIRECTORY(test) \
	cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		IN_DIRECTORY(names_that_lead_out_are_refused),
		IN_DIRECTORY(a_name_of_256_bytes_is_refused),
		IN_DIRECTORY(a_symlink_is_never_walked_through),
		IN_DIRECTORY(existing_symlinks_are_not_followed),
		IN_DIRECTORY(a_directory_swapped_meanwhile_leads_nowhere),
		IN_DIRECTORY(a_hard_link_leads_to_what_was_restored),
		IN_DIRECTORY(content_shorter_than_its_size_leaves_no_file),
		IN_DIRECTORY(what_is_replaced_stays_when_its_successor_fails),
		IN_DIRECTORY(a_bad_attribute_costs_only_itself),
		cmocka_unit_test(a_cycle_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
