/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/scan_fixture.h"
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>

/* -- Trees that change ------------------------------------------------------------ */

static atomic_bool stop_changing;

/* Files, directories and symlinks come and go and change places. */
static void *
change(void *arg)
{
	const char *dir = arg;
	auto_close int fd = fixture_open_dir(dir);

	for (unsigned i = 0; !atomic_load(&stop_changing); i++) {
		char name[32];

		snprintf(name, sizeof(name), "d%u/x%u", i % 8, i % 50);
		if (i % 3 == 0)
			mkdirat(fd, name, 0755);
		else if (i % 3 == 1)
			symlinkat("/etc", fd, name);
		else
			mknodat(fd, name, S_IFREG | 0644, 0);
		snprintf(name, sizeof(name), "d%u/x%u", i % 8, i * 7 % 50);
		if (unlinkat(fd, name, 0) < 0)
			unlinkat(fd, name, AT_REMOVEDIR);
	}
	return NULL;
}

static void
assert_only_vanished(const struct walk *w)
{
	static const char *const harmless[] = { "ENOENT", "ENOTDIR", "ELOOP",
		"EINVAL", "ESTALE" };
	char *line, *rest = (char *)w->problems.data;

	while ((line = strtok_r(rest, "\n", &rest))) {
		bool ok = false;

		for (size_t i = 0; i < n_elements(harmless); i++)
			ok |= strstr(line, harmless[i]) != NULL;
		if (!ok)
			fail_msg("%s", line);
	}
}

static void
what_vanishes_is_reported_and_the_rest_is_found(void **state)
{
	pthread_t thread;

	(void)state;
	fixture_make_dir("changing");
	for (int i = 0; i < 8; i++) {
		auto_free char *dir = xasprintf("changing/d%d", i);
		auto_free char *file = xasprintf("%s/stays", dir);
		auto_free char *sub = xasprintf("%s/y", dir);
		auto_free char *deep = xasprintf("%s/y/stays", dir);

		fixture_make_dir(dir);
		fixture_make_dir(sub);
		fixture_make_file(file, "");
		fixture_make_file(deep, "");
	}
	atomic_store(&stop_changing, false);
	assert_int_equal(pthread_create(&thread, NULL, change,
				 (void *)(uintptr_t) "changing"),
		0);
	for (int i = 0; i < 200; i++) {
		struct walk w = { .visit = NULL };

		fixture_walk(&w, "changing", (struct scan_options){ 0 });
		assert_int_equal(fixture_count_name(&w, "stays"), 16);
		assert_int_equal(fixture_count_name(&w, "passwd"), 0);
		assert_only_vanished(&w);
		fixture_walk_release(&w);
	}
	atomic_store(&stop_changing, true);
	pthread_join(thread, NULL);
}

/* With one directory ahead only "a" is read before "c" is asked for. */
static void
a_directory_that_became_a_symlink_is_not_followed(void **state)
{
	struct scan_options o = { .ahead_dirs = 1 };
	auto_close int fd = -1;
	struct scan_dir *root, *c;
	struct err e = ERR_INIT;
	struct scan *s;

	(void)state;
	fixture_make_dir("swap");
	fixture_make_dir("swap/a");
	fixture_make_dir("swap/b");
	fixture_make_dir("swap/c");
	fd = fixture_open_dir("swap");
	assert_int_equal(scan_new(fd, &o, &s, NULL), 0);
	assert_int_equal(scan_root(s, &root, NULL), 0);
	assert_int_equal(rmdir("swap/c"), 0);
	assert_int_equal(symlink("/etc", "swap/c"), 0);
	assert_int_equal(scan_child(s, root, 2, &c, &e), -ENOTDIR);
	assert_string_equal(e.text, "c: Not a directory");
	scan_dir_put(s, root);
	scan_free(s);
}


static void
a_directory_that_was_replaced_is_not_opened_again(void **state)
{
	struct scan_options o = { .fds = 1 };
	auto_close int root_fd = -1;
	struct scan_dir *root, *a, *b;
	struct err e = ERR_INIT;
	struct scan *s;
	int fd;

	(void)state;
	fixture_make_dir("replaced");
	fixture_make_dir("replaced/a");
	fixture_make_dir("replaced/b");
	root_fd = fixture_open_dir("replaced");
	assert_int_equal(scan_new(root_fd, &o, &s, NULL), 0);
	assert_int_equal(scan_root(s, &root, NULL), 0);
	assert_int_equal(scan_child(s, root, 0, &a, NULL), 0);
	assert_int_equal(scan_child(s, root, 1, &b, NULL), 0);
	assert_int_equal(scan_dir_open(s, b, &fd, NULL), 0);
	scan_dir_close(s, b); /* the only one to stay open */
	assert_int_equal(rename("replaced/a", "replaced/c"), 0);
	fixture_make_dir("replaced/a");
	assert_int_equal(scan_dir_open(s, a, &fd, &e), -ESTALE);
	assert_non_null(strstr(e.text, "a: "));
	scan_dir_put(s, a);
	scan_dir_put(s, b);
	scan_dir_put(s, root);
	scan_free(s);
}

/* -- Reading ahead ------------------------------------------------------------------ */

/* Skips most directories, in any pattern, and asks for some again. */
static void
walk_some(struct scan *s, struct scan_dir *d, unsigned salt)
{
	for (uint32_t i = 0; i < d->n; i++) {
		struct scan_dir *child;

		if (!S_ISDIR(d->entries[i].a.mode) || (i * 31 + salt) % 3)
			continue;
		assert_int_equal(scan_child(s, d, i, &child, NULL), 0);
		walk_some(s, child, salt + i);
		scan_dir_put(s, child);
		if (i > 2 && S_ISDIR(d->entries[i - 2].a.mode)) {
			assert_int_equal(
				scan_child(s, d, i - 2, &child, NULL), 0);
			assert_string_equal(child->name,
				scan_name(d, &d->entries[i - 2]));
			scan_dir_put(s, child);
		}
	}
}

static void
what_is_not_asked_for_is_let_go(void **state)
{
	struct scan_options o = { .ahead_dirs = 50, .fds = 8 };

	(void)state;
	fixture_make_wide("some");
	for (unsigned salt = 0; salt < 20; salt++) {
		auto_close int fd = fixture_open_dir("some");
		struct scan_dir *root;
		struct scan *s;

		assert_int_equal(scan_new(fd, &o, &s, NULL), 0);
		assert_int_equal(scan_root(s, &root, NULL), 0);
		walk_some(s, root, salt);
		scan_dir_put(s, root);
		scan_free(s);
	}
}

struct held {
	struct scan *scan;
	struct scan_dir *dirs[2000];
	size_t n;
};

/* Open what another thread was given, again and again, in its own order. */
static void *
open_all(void *arg)
{
	struct held *h = arg;

	for (size_t i = 0; i < 3 * h->n; i++) {
		struct scan_dir *d = scan_dir_get(h->dirs[i * 37 % h->n]);
		struct attributes a;
		int fd;

		assert_int_equal(scan_dir_open(h->scan, d, &fd, NULL), 0);
		assert_int_equal(attributes_read(fd, "", &a, NULL), 0);
		assert_int_equal(a.ino, d->a.ino);
		scan_dir_close(h->scan, d);
		scan_dir_put(h->scan, d);
	}
	return NULL;
}

static void
hold_all(struct held *h, struct scan_dir *d)
{
	assert_true(h->n < n_elements(h->dirs));
	h->dirs[h->n++] = d;
	for (uint32_t i = 0; i < d->n; i++) {
		struct scan_dir *child;

		if (!S_ISDIR(d->entries[i].a.mode))
			continue;
		assert_int_equal(scan_child(h->scan, d, i, &child, NULL), 0);
		hold_all(h, child);
	}
}

static void
threads_share_directories_and_few_descriptors(void **state)
{
	struct scan_options o = { .fds = 4 };
	auto_close int fd = -1;
	struct held *h = xcalloc(1, sizeof(*h));
	struct scan_dir *root;
	pthread_t threads[4];

	(void)state;
	fixture_make_wide("shared");
	fd = fixture_open_dir("shared");
	assert_int_equal(scan_new(fd, &o, &h->scan, NULL), 0);
	assert_int_equal(scan_root(h->scan, &root, NULL), 0);
	hold_all(h, root);
	for (size_t i = 0; i < n_elements(threads); i++)
		assert_int_equal(
			pthread_create(&threads[i], NULL, open_all, h), 0);
	for (size_t i = 0; i < n_elements(threads); i++)
		pthread_join(threads[i], NULL);
	/* parents before children: a node must keep what it hangs on */
	for (size_t i = 0; i < h->n; i++)
		scan_dir_put(h->scan, h->dirs[i]);
	scan_free(h->scan);
	free(h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			what_vanishes_is_reported_and_the_rest_is_found),
		cmocka_unit_test(
			a_directory_that_became_a_symlink_is_not_followed),
		cmocka_unit_test(
			a_directory_that_was_replaced_is_not_opened_again),
		cmocka_unit_test(what_is_not_asked_for_is_let_go),
		cmocka_unit_test(threads_share_directories_and_few_descriptors),
	};

	return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
