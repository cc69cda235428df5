/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/scan_fixture.h"
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* -- What is left out -------------------------------------------------------------- */

static void
make_project(const char *at)
{
	fixture_make_dir(at);
	assert_int_equal(chdir(at), 0);
	fixture_make_file(".yoreignore", "*.o\nbuild/\n");
	fixture_make_file("a.o", "");
	fixture_make_file("a.c", "");
	fixture_make_dir("build");
	fixture_make_file("build/x", "");
	fixture_make_dir("cache");
	fixture_make_file("cache/CACHEDIR.TAG",
		"Signature: 8a477f597d28d172789f06886806bc55");
	fixture_make_file("cache/x", "");
	fixture_make_dir("cache/sub");
	fixture_make_dir("lib");
	fixture_make_file("lib/.yoreignore", "!keep.o\n/local\n");
	fixture_make_file("lib/keep.o", "");
	fixture_make_file("lib/lose.o", "");
	fixture_make_file("lib/local", "");
	fixture_make_dir("lib/sub");
	fixture_make_file("lib/sub/local", "");
	fixture_make_file("lib/sub/big", "");
	fixture_make_file("lib/sub/limit", "");
	assert_int_equal(truncate("lib/sub/big", 1001), 0);
	assert_int_equal(truncate("lib/sub/limit", 1000), 0);
	assert_int_equal(chdir(".."), 0);
}

static void
rules_hold_where_they_should(void **state)
{
	struct exclude_rules *r = exclude_rules_new();
	struct walk w = { .visit = NULL };

	(void)state;
	make_project("project");
	exclude_rules_per_directory(r, EXCLUDE_FILE_NAME, NULL);
	exclude_rules_caches(r);
	exclude_rules_larger_than(r, 1000);
	fixture_walk(&w, "project", (struct scan_options){ .rules = r });
	fixture_assert_paths(&w,
		".yoreignore a.c cache cache/CACHEDIR.TAG lib lib/.yoreignore "
		"lib/keep.o lib/sub lib/sub/limit lib/sub/local");
	assert_int_equal(w.n_excluded, 7);
	fixture_walk_release(&w);
	exclude_rules_free(r);
}

static void
a_bad_file_with_patterns_is_reported_and_the_rest_is_kept(void **state)
{
	struct exclude_rules *r = exclude_rules_new();
	struct walk w = { .visit = NULL };

	(void)state;
	fixture_make_dir("bad");
	fixture_make_dir("bad/sub");
	fixture_make_dir("bad/sub/.yoreignore");
	fixture_make_file("bad/sub/x", "");
	exclude_rules_per_directory(r, EXCLUDE_FILE_NAME, NULL);
	fixture_walk(&w, "bad", (struct scan_options){ .rules = r });
	fixture_assert_paths(&w, "sub sub/.yoreignore sub/x");
	fixture_assert_problems(&w, "sub: EINVAL\n");
	fixture_walk_release(&w);
	exclude_rules_free(r);
}

static void
only_listed_files_and_their_parents(void **state)
{
	static const char list[] =
		"a/b/one\0./a//c/.\0missing\0a/none/x\0f/below\0\0/src/z"
		"\0a-x\0a-x/y\0a+\0";
	struct wanted *w = wanted_new("/src/");
	struct walk walk = { .visit = NULL };
	int p[2];

	(void)state;
	fixture_make_dir("listed");
	fixture_make_dir("listed/a");
	fixture_make_dir("listed/a/b");
	fixture_make_dir("listed/a/c");
	fixture_make_file("listed/a/b/one", "");
	fixture_make_file("listed/a/b/two", "");
	fixture_make_file("listed/a/c/three", "");
	fixture_make_file("listed/ab", "");
	fixture_make_dir("listed/a-x"); /* '-' and '+' come before '/' */
	fixture_make_file("listed/a-x/w", "");
	fixture_make_file("listed/a+", "");
	fixture_make_file("listed/f", "");
	fixture_make_file("listed/z", "");
	assert_int_equal(pipe(p), 0);
	assert_int_equal(write(p[1], list, sizeof(list) - 1), sizeof(list) - 1);
	close(p[1]);
	assert_int_equal(wanted_read(w, p[0], 0, NULL), 0);
	close(p[0]);
	wanted_seal(w);
	fixture_walk(&walk, "listed", (struct scan_options){ .wanted = w });
	fixture_assert_paths(&walk,
		"a a/b a/b/one a/c a/c/three a+ a-x a-x/w z");
	fixture_assert_problems(&walk,
		"missing: ENOENT\nf: ENOTDIR\na/none: ENOENT\n");
	fixture_walk_release(&walk);
	wanted_free(w);
}

static void
a_listed_root_is_everything(void **state)
{
	struct wanted *w = wanted_new("/src");
	struct walk walk = { .visit = NULL };

	(void)state;
	fixture_make_dir("everything");
	fixture_make_file("everything/a", "");
	assert_int_equal(wanted_add(w, "b", 1, NULL), 0);
	assert_int_equal(wanted_add(w, "/src", 4, NULL), 0);
	wanted_seal(w);
	fixture_walk(&walk, "everything", (struct scan_options){ .wanted = w });
	fixture_assert_paths(&walk, "a");
	fixture_assert_problems(&walk, "");
	fixture_walk_release(&walk);
	wanted_free(w);
}

static void
paths_outside_are_refused(void **state)
{
	static const char *const wrong[] = { "", "..", "a/../b", "/other/x",
		"/srcx", "/" };
	struct wanted *w = wanted_new("/src");
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < n_elements(wrong); i++)
		assert_int_equal(
			wanted_add(w, wrong[i], strlen(wrong[i]), &e), -EINVAL);
	assert_int_equal(wanted_add(w, "a\0b", 3, NULL), -EINVAL);
	wanted_free(w);
}

static void
expect_mount(struct walk *w, struct scan_dir *d)
{
	(void)w;
	for (uint32_t i = 0; i < d->n; i++)
		assert_int_equal(d->entries[i].flags,
			d->entries[i].name_len == 1 &&
					*scan_name(d, &d->entries[i]) == 'm' ?
				SCAN_MOUNT :
				0);
}

/* In a mount namespace of its own, so that no mount is left behind. */
static int
scan_with_mount(bool one_file_system)
{
	struct scan_options o = { .one_file_system = one_file_system };
	struct walk w = { .visit = one_file_system ? expect_mount : NULL };
	const char *expected = one_file_system ? "a m z" : "a m m/inside z";

	if (unshare(CLONE_NEWNS) < 0 ||
		mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		mount("none", "mounted/m", "tmpfs", 0, NULL) < 0)
		return 77;
	fixture_make_file("mounted/m/inside", "");
	fixture_walk(&w, "mounted", o);
	for (size_t i = 0; i + 1 < w.paths.len; i++)
		if (!w.paths.data[i])
			w.paths.data[i] = ' ';
	return strcmp((char *)w.paths.data, expected) == 0 ? 0 : 1;
}

static void
other_file_systems_are_listed_but_not_entered(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	fixture_make_dir("mounted");
	fixture_make_dir("mounted/a");
	fixture_make_dir("mounted/m");
	fixture_make_dir("mounted/z");
	for (int one = 0; one < 2; one++) {
		pid_t pid = fork();
		int status;

		if (pid == 0)
			_exit(scan_with_mount(one));
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status));
		if (WEXITSTATUS(status) == 77)
			skip();
		assert_int_equal(WEXITSTATUS(status), 0);
	}
}

static void
an_unreadable_directory_is_an_error_of_its_own(void **state)
{
	struct walk w = { .visit = NULL };

	(void)state;
	fixture_make_dir("closed");
	fixture_make_dir("closed/a");
	fixture_make_dir("closed/b");
	fixture_make_dir("closed/c");
	fixture_make_file("closed/c/f", "");
	assert_int_equal(chmod("closed/b", 0), 0);
	if (geteuid() == 0) {
		assert_int_equal(chmod(*state, 0755), 0);
		assert_int_equal(seteuid(65534), 0);
	}
	fixture_walk(&w, "closed", (struct scan_options){ 0 });
	if (getuid() == 0)
		assert_int_equal(seteuid(0), 0);
	fixture_assert_paths(&w, "a b c c/f");
	fixture_assert_problems(&w, "b: EACCES\n");
	fixture_walk_release(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_hold_where_they_should),
		cmocka_unit_test(
			a_bad_file_with_patterns_is_reported_and_the_rest_is_kept),
		cmocka_unit_test(only_listed_files_and_their_parents),
		cmocka_unit_test(a_listed_root_is_everything),
		cmocka_unit_test(paths_outside_are_refused),
		cmocka_unit_test(other_file_systems_are_listed_but_not_entered),
		cmocka_unit_test(
			an_unreadable_directory_is_an_error_of_its_own),
	};

	return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
