/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/unit.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include "repo/format/entry.h"
#include "repo/write/attributes.h"
#include "tests/unit/scratch.h"

static int
enter_new(void **state, const char *parent)
{
	char *dir = xasprintf("%s/yore-test-attributes-XXXXXX", parent);

	*state = dir;
	return mkdtemp(dir) ? chdir(dir) : -1;
}

static int
setup(void **state)
{
	return enter_new(state, "/tmp");
}

/* tmpfs takes big attributes; most disks take 4 KiB in all. */
static int
setup_roomy(void **state)
{
	bool shm = access("/dev/shm", W_OK) == 0;

	return enter_new(state, shm ? "/dev/shm" : "/tmp");
}

static int
teardown(void **state)
{
	auto_free char *dir = *state;

	return chdir("/") < 0 || !scratch_remove(dir);
}

#define with_files(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
#define with_room(f) cmocka_unit_test_setup_teardown(f, setup_roomy, teardown)

static int
open_here(void)
{
	int fd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static void
make_file(const char *name)
{
	unlink(name);
	assert_int_equal(mknod(name, S_IFREG | 0640, 0), 0);
}

/* Skips the test where the file system has no such attributes. */
static void
set(const char *file, const char *name, const void *value, size_t len)
{
	if (lsetxattr(file, name, value, len, 0) == 0)
		return;
	if (errno == ENOTSUP || errno == EPERM || errno == ENOSPC)
		skip();
	fail_msg("%s: %s", name, strerror(errno));
}

/* The encoded attributes as "name=length " in their order. */
static char *
summary(const struct buf *b)
{
	const uint8_t *name, *value;
	size_t pos = 0, name_len, value_len;
	auto_buf struct buf out = BUF_INIT;
	int rc;

	buf_zeros(&out, 1);
	out.len = 0;
	while ((rc = xattrs_next(b->data, b->len, &pos, &name, &name_len,
			&value, &value_len)) == 1)
		buf_printf(&out, "%.*s=%zu ", (int)name_len, name, value_len);
	assert_int_equal(rc, 0);
	return (char *)buf_steal(&out, NULL);
}

static void
assert_xattrs(const char *file, const char *expected)
{
	auto_close int here = open_here();
	auto_close int fd = -1;
	auto_buf struct buf by_name = BUF_INIT;
	auto_buf struct buf by_fd = BUF_INIT;
	auto_free char *text = NULL;
	struct stat st;

	assert_int_equal(attributes_xattrs(here, file, &by_name, NULL), 0);
	text = summary(&by_name);
	assert_string_equal(text, expected);
	if (lstat(file, &st) < 0 || S_ISLNK(st.st_mode))
		return;
	fd = open(file, O_RDONLY | O_CLOEXEC);
	assert_int_equal(attributes_xattrs(fd, "", &by_fd, NULL), 0);
	assert_int_equal(by_fd.len, by_name.len);
	if (by_fd.len)
		assert_memory_equal(by_fd.data, by_name.data, by_fd.len);
}

static void
a_file_without_any_has_no_bytes(void **state)
{
	auto_close int here = open_here();
	auto_buf struct buf b = BUF_INIT;

	(void)state;
	make_file("none");
	assert_int_equal(attributes_xattrs(here, "none", &b, NULL), 0);
	assert_int_equal(b.len, 0);
}

static void
extended_attributes_are_sorted_and_whole(void **state)
{
	auto_close int here = open_here();
	auto_buf struct buf b = BUF_INIT;
	const uint8_t *name, *value;
	size_t pos = 0, name_len, value_len;

	(void)state;
	make_file("some");
	set("some", "user.b", "\0binary\xff", 8);
	set("some", "user.a", "", 0);
	set("some", "user.\xff\x01", "x", 1);
	set("some", "user.abc", "123", 3);
	assert_xattrs("some", "user.a=0 user.abc=3 user.b=8 user.\xff\x01=1 ");
	assert_int_equal(attributes_xattrs(here, "some", &b, NULL), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(xattrs_next(b.data, b.len, &pos, &name,
					 &name_len, &value, &value_len),
			1);
	assert_memory_equal(value, "\0binary\xff", 8);
}

static void
capabilities_and_acls_are_kept(void **state)
{
	static const uint8_t capability[20] = { 1, 0, 0, 2, 0, 4 };
	/* version 2; user::rw-, user:1:r--, group::r--, mask::r--, other::--- */
	static const uint8_t acl[44] = { 2, 0, 0, 0,		       /**/
		1, 0, 6, 0, 0xff, 0xff, 0xff, 0xff, 2, 0, 4, 0, 1, 0, 0, 0,
		4, 0, 4, 0, 0xff, 0xff, 0xff, 0xff, 16, 0, 4, 0, 0xff, 0xff,
		0xff, 0xff, 32, 0, 0, 0, 0xff, 0xff, 0xff, 0xff };

	(void)state;
	make_file("acl");
	set("acl", "system.posix_acl_access", acl, sizeof(acl));
	set("acl", "security.capability", capability, sizeof(capability));
	set("acl", "trusted.x", "y", 1);
	assert_xattrs("acl", "security.capability=20 "
			     "system.posix_acl_access=44 trusted.x=1 ");
}

static void
a_symlink_has_its_own(void **state)
{
	(void)state;
	make_file("target");
	set("target", "user.of", "target", 6);
	assert_int_equal(symlink("target", "link"), 0);
	assert_xattrs("link", "");
	set("link", "trusted.of", "link", 4);
	assert_xattrs("link", "trusted.of=4 ");
}

static void
big_ones_are_read_in_whole(void **state)
{
	auto_free uint8_t *value = xcalloc(1, 65536);

	(void)state;
	make_file("big");
	set("big", "user.big", value, 65536);
	for (int i = 0; i < 40; i++) {
		auto_free char *name = xasprintf("user.%0200d", i);

		set("big", name, value, 1);
		assert_int_equal(lremovexattr("big", "user.big"), 0);
		set("big", "user.big", value, 65536);
	}
	{
		auto_close int here = open_here();
		auto_buf struct buf b = BUF_INIT;

		assert_int_equal(attributes_xattrs(here, "big", &b, NULL), 0);
		assert_true(b.len > 65536 + 40 * 205);
	}
}

static void
more_than_the_format_holds_is_an_error(void **state)
{
	auto_close int here = open_here();
	auto_free uint8_t *value = xcalloc(1, 65536);
	auto_buf struct buf b = BUF_INIT;
	struct err e = ERR_INIT;

	(void)state;
	make_file("huge");
	for (int i = 0; i < 17; i++) {
		auto_free char *name = xasprintf("user.%d", i);

		set("huge", name, value, 65536);
	}
	assert_int_equal(attributes_xattrs(here, "huge", &b, &e), -E2BIG);
	assert_non_null(strstr(e.text, "huge: extended attributes of more"));
	assert_int_equal(b.len, 0);
}

static void *
change_xattrs(void *arg)
{
	volatile bool *stop = arg;
	static const uint8_t value[2000];

	for (unsigned i = 0; !__atomic_load_n(stop, __ATOMIC_RELAXED); i++) {
		setxattr("changing", "user.x", value, i * 97 % 2000, 0);
		if (i % 3 == 0)
			removexattr("changing", "user.x");
	}
	return NULL;
}

static void
attributes_that_change_meanwhile_are_read_again(void **state)
{
	auto_close int here = open_here();
	bool stop = false;
	pthread_t thread;

	(void)state;
	make_file("changing");
	set("changing", "user.stays", "x", 1);
	assert_int_equal(
		pthread_create(&thread, NULL, change_xattrs, &stop), 0);
	for (int i = 0; i < 20000; i++) {
		auto_buf struct buf b = BUF_INIT;
		auto_free char *text = NULL;

		assert_int_equal(
			attributes_xattrs(here, "changing", &b, NULL), 0);
		text = summary(&b);
		assert_non_null(strstr(text, "user.stays=1 "));
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
}

static void
targets_are_read_whole_and_only_of_symlinks(void **state)
{
	auto_close int here = open_here();
	auto_buf struct buf b = BUF_INIT;
	char target[SYMLINK_LEN_MAX + 1];

	(void)state;
	memset(target, 'x', SYMLINK_LEN_MAX);
	target[SYMLINK_LEN_MAX] = 0;
	assert_int_equal(symlink(target, "long"), 0);
	assert_int_equal(attributes_target(here, "long", &b, NULL), 0);
	assert_int_equal(b.len, SYMLINK_LEN_MAX);
	assert_memory_equal(b.data, target, SYMLINK_LEN_MAX);
	make_file("file");
	assert_int_equal(attributes_target(here, "file", &b, NULL), -EINVAL);
}

static void
attributes_are_those_of_lstat(void **state)
{
	struct timespec times[2] = { { .tv_sec = -5, .tv_nsec = 7 },
		{ .tv_sec = 1LL << 33, .tv_nsec = 999999999 } };
	auto_close int here = open_here();
	struct attributes a;
	struct err e = ERR_INIT;
	struct stat st;

	(void)state;
	make_file("plain");
	assert_int_equal(utimensat(AT_FDCWD, "plain", times, 0), 0);
	assert_int_equal(lstat("plain", &st), 0);
	assert_int_equal(attributes_read(here, "plain", &a, NULL), 0);
	assert_int_equal(a.ino, st.st_ino);
	assert_int_equal(a.dev, st.st_dev);
	assert_int_equal(a.mode, st.st_mode);
	assert_int_equal(a.mtime_s, st.st_mtim.tv_sec);
	assert_int_equal(a.mtime_ns, st.st_mtim.tv_nsec);
	assert_int_equal(a.ctime_s, st.st_ctim.tv_sec);
	assert_int_equal(a.nlink, 1);
	assert_int_equal(attributes_read(here, "", &a, NULL), 0);
	assert_true(S_ISDIR(a.mode));
	assert_int_equal(attributes_read(here, "gone", &a, &e), -ENOENT);
	assert_string_equal(e.text, "gone: No such file or directory");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		with_files(a_file_without_any_has_no_bytes),
		with_files(extended_attributes_are_sorted_and_whole),
		with_files(capabilities_and_acls_are_kept),
		with_files(a_symlink_has_its_own),
		with_room(big_ones_are_read_in_whole),
		with_room(more_than_the_format_holds_is_an_error),
		with_files(attributes_that_change_meanwhile_are_read_again),
		with_files(targets_are_read_whole_and_only_of_symlinks),
		with_files(attributes_are_those_of_lstat),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
