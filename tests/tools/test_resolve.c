/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include "tests/unit/unit.h"
#include "repo/base/buf.h"
#include "tools/resolve.h"
#include "tests/unit/scratch.h"

static char top[200];
static int top_fd;

static int
set_up(void **state)
{
	const char *tmp = getenv("TMPDIR");
	auto_free char *command = NULL;

	(void)state;
	snprintf(top, sizeof(top), "%s/yore-test-XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(top))
		return -1;
	command = xasprintf(
		"cd %s && mkdir -p in/sub out && touch in/sub/file"
		" out/secret && ln -s ../out in/way && ln -s sub in/inner &&"
		" ln -s /proc/self/fd in/magic",
		top);
	if (system(command) != 0)
		return -1;
	free(steal(command));
	command = xasprintf("%s/in", top);
	top_fd = open(command, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return top_fd < 0;
}

static int
tear_down(void **state)
{
	(void)state;
	close(top_fd);
	return !scratch_remove(top);
}

static int
opens(const char *path)
{
	int fd = resolve_open(top_fd, path, O_RDONLY, 0);

	if (fd >= 0)
		close(fd);
	return fd < 0 ? fd : 0;
}

static void
what_lies_beneath_is_opened(void **state)
{
	(void)state;
	assert_int_equal(opens("sub/file"), 0);
	assert_int_equal(opens("sub/../sub/file"), 0);
	assert_int_equal(opens("sub/none"), -ENOENT);
}

static void
no_way_leads_out(void **state)
{
	auto_free char *absolute = xasprintf("%s/out/secret", top);

	(void)state;
	assert_int_equal(opens("../out/secret"), -EXDEV);
	assert_int_equal(opens("sub/../../out/secret"), -EXDEV);
	assert_int_equal(opens(absolute), -EXDEV);
	assert_int_equal(opens("way/secret"), -ELOOP);
	assert_int_equal(opens("inner/file"), -ELOOP);
	assert_int_equal(opens("magic/0"), -ELOOP);
}

/* 30 directories with names of 200 bytes: longer than PATH_MAX. */
static void
a_path_of_any_length_is_gone_through(void **state)
{
	auto_buf struct buf path = BUF_INIT;
	int fd = fcntl(top_fd, F_DUPFD_CLOEXEC, 3), last;
	char name[201];

	(void)state;
	memset(name, 'n', 200);
	name[200] = '\0';
	for (int i = 0; i < 30; i++) {
		assert_int_equal(mkdirat(fd, name, 0700), 0);
		last = fd;
		fd = openat(last, name, O_PATH | O_CLOEXEC);
		close(last);
		buf_printf(&path, "%s/", name);
	}
	assert_int_equal(symlinkat("/", fd, "way"), 0);
	close(fd);
	buf_append(&path, "way", 4);
	fd = resolve_open_path(
		top_fd, (char *)path.data, O_PATH | O_NOFOLLOW, 0);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(
		resolve_open_path(top_fd, (char *)path.data, O_RDONLY, 0),
		-ELOOP);
	assert_int_equal(opens((char *)path.data), -ENAMETOOLONG);
}

static void
a_name_is_one_component(void **state)
{
	char longest[256];

	(void)state;
	memset(longest, 'x', sizeof(longest));
	assert_true(resolve_name_ok("x", 1));
	assert_true(resolve_name_ok("...", 3));
	assert_true(resolve_name_ok("\xff\n", 2));
	assert_true(resolve_name_ok(longest, 255));
	assert_false(resolve_name_ok(longest, 256));
	assert_false(resolve_name_ok("", 0));
	assert_false(resolve_name_ok(".", 1));
	assert_false(resolve_name_ok("..", 2));
	assert_false(resolve_name_ok("a/b", 3));
	assert_false(resolve_name_ok("a\0b", 3));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_lies_beneath_is_opened),
		cmocka_unit_test(no_way_leads_out),
		cmocka_unit_test(a_path_of_any_length_is_gone_through),
		cmocka_unit_test(a_name_is_one_component),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
