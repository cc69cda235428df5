/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/directory.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include "repo/crypto/keyring.h"

static bool
fail_on_any(void *ctx, const char *name, uint64_t size)
{
	(void)ctx;
	fail_msg("%s of %llu bytes exists", name, (unsigned long long)size);
	return false;
}

static void
assert_lists_nothing(void)
{
	assert_int_equal(store_list(store, "", "", fail_on_any, NULL, NULL), 0);
}

static void
an_object_is_written_in_pieces(void **state)
{
	auto_free uint8_t *piece = xmalloc(3 << 20), *data = NULL;
	static const size_t lens[] = { 0, 1, 200000, 1 << 20, 848575, 1,
		3 << 20, 5 };
	auto_buf struct buf all = BUF_INIT;
	struct upload *up = NULL;
	size_t len;
	(void)state;

	assert_int_equal(sink_begin(sink, "data/00/x", &up, NULL), 0);
	for (size_t i = 0; i < n_elements(lens); i++) {
		random_bytes(piece, lens[i]);
		buf_append(&all, piece, lens[i]);
		assert_int_equal(upload_append(up, piece, lens[i], NULL), 0);
	}
	assert_lists_nothing();
	assert_int_equal(upload_commit(up, NULL), 0);
	assert_int_equal(
		store_get_all(store, "data/00/x", 8 << 20, &data, &len, NULL),
		0);
	assert_int_equal(len, all.len);
	assert_memory_equal(data, all.data, len);
	assert_int_equal(count_temporaries(), 0);
}

static void
a_taken_name_is_kept(void **state)
{
	struct upload *up = NULL;
	struct err e = ERR_INIT;
	(void)state;

	put("a/b", "first");
	assert_int_equal(sink_put(sink, "a/b", "second", 6, &e), -EEXIST);
	assert_non_null(strstr(e.text, "a/b exists"));
	assert_int_equal(sink_begin(sink, "a/b", &up, NULL), 0);
	assert_int_equal(upload_append(up, "third", 5, NULL), 0);
	assert_int_equal(upload_commit(up, NULL), -EEXIST);
	assert_holds("a/b", "first");
	assert_int_equal(count_temporaries(), 0);
}

static void
a_directory_in_the_way_is_an_error(void **state)
{
	(void)state;
	put("a/b", "");
	assert_true(sink_put(sink, "a", "x", 1, NULL) < 0);
	assert_true(sink_put(sink, "a/b/c", "x", 1, NULL) < 0);
	assert_int_equal(count_temporaries(), 0);
}

static void
an_aborted_upload_leaves_nothing(void **state)
{
	struct upload *up = NULL;
	(void)state;

	assert_int_equal(sink_begin(sink, "a/b", &up, NULL), 0);
	assert_int_equal(upload_append(up, "x", 1, NULL), 0);
	assert_int_equal(count_temporaries(), 1);
	upload_abort(up);
	upload_abort(NULL);
	assert_int_equal(count_temporaries(), 0);
	assert_lists_nothing();
}

static void
a_link_is_not_written_through(void **state)
{
	auto_free char *dir = path_of("data");
	auto_free char *elsewhere = xasprintf("%s.elsewhere", root);
	(void)state;

	assert_int_equal(mkdir(elsewhere, 0700), 0);
	assert_int_equal(symlink(elsewhere, dir), 0);
	assert_int_equal(sink_put(sink, "data/x", "x", 1, NULL), -ELOOP);
	assert_int_equal(rmdir(elsewhere), 0);
	assert_int_equal(count_temporaries(), 0);
}

static void
files_are_the_owners_alone_whatever_the_umask(void **state)
{
	static const mode_t masks[] = { 0, 0777, 022 };
	(void)state;

	for (unsigned i = 0; i < n_elements(masks); i++) {
		auto_free char *name = xasprintf("d%u/x", i);
		auto_free char *path = path_of(name);
		mode_t old = umask(masks[i]);
		struct stat st;

		put(name, "x");
		umask(old);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 07777, 0600);
		path[strlen(path) - 2] = '\0';
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 07777, 0700);
	}
}

static void
many_are_removed_whether_they_exist_or_not(void **state)
{
	static const char *const names[] = { "a/b", "none/x", "c" };
	static const char *const bad[] = { "d", "../e" };
	uint64_t size;
	(void)state;

	for (size_t i = 0; i < n_elements(names); i += 2)
		assert_int_equal(sink_put(sink, names[i], "1", 1, NULL), 0);
	assert_int_equal(sink_put(sink, "d", "1", 1, NULL), 0);
	assert_int_equal(sink_remove_many(sink, names, 3, NULL), 0);
	assert_int_equal(sink_remove_many(sink, bad, 2, NULL), -EINVAL);
	assert_int_equal(store_size(store, "a/b", &size, NULL), -ENOENT);
	assert_int_equal(store_size(store, "c", &size, NULL), -ENOENT);
	assert_int_equal(store_size(store, "d", &size, NULL), 0);
}

static void
a_removed_object_is_gone(void **state)
{
	(void)state;
	put("a/b", "x");
	put("c", "x");
	assert_int_equal(sink_remove(sink, "a/b", NULL), 0);
	assert_int_equal(sink_remove(sink, "c", NULL), 0);
	assert_lists_nothing();
	assert_int_equal(sink_remove(sink, "a/b", NULL), -ENOENT);
	assert_int_equal(sink_remove(sink, "x/y", NULL), -ENOENT);
}

static void
a_directory_that_vanished_is_made_again(void **state)
{
	auto_free char *dir = path_of("a");
	(void)state;

	put("a/b", "x");
	assert_int_equal(sink_remove(sink, "a/b", NULL), 0);
	assert_int_equal(rmdir(dir), 0);
	put("a/c", "y");
	assert_holds("a/c", "y");
}

/* -- Failing disks ------------------------------------------------------- */

static void
a_failed_write_leaves_nothing(void **state)
{
	const struct rlimit small = { .rlim_cur = 3 << 20,
		.rlim_max = RLIM_INFINITY };
	auto_free uint8_t *data = xcalloc(1, 4 << 20);
	struct err e = ERR_INIT;
	struct upload *up = NULL;
	struct rlimit old;
	(void)state;

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	int put_says = sink_put(sink, "put", data, 4 << 20, &e);
	int begin_says = sink_begin(sink, "piecewise", &up, NULL);
	int append_says = upload_append(up, data, 4 << 20, NULL);
	int commit_says = upload_commit(up, NULL);

	setrlimit(RLIMIT_FSIZE, &old);
	assert_int_equal(put_says, -EFBIG);
	assert_non_null(strstr(e.text, "put"));
	assert_int_equal(begin_says, 0);
	assert_int_equal(append_says, -EFBIG);
	assert_int_equal(commit_says, -EIO);
	assert_int_equal(count_temporaries(), 0);
	assert_lists_nothing();
}

/* System calls that fail when the test says so, before those of the C
 * library; -1 never. */
static int fsync_fails_at = -1, fsync_code;
static atomic_int n_fsyncs;
static bool no_links, link_answer_lost;
static ssize_t write_at_most = -1;

int
fsync(int fd)
{
	if (n_fsyncs++ == fsync_fails_at) {
		errno = fsync_code;
		return -1;
	}
	return (int)syscall(SYS_fsync, fd);
}

int
linkat(int from, const char *old, int to, const char *new, int flags)
{
	if (no_links) {
		errno = EPERM;
		return -1;
	}
	int r = (int)syscall(SYS_linkat, from, old, to, new, flags);

	if (r == 0 && link_answer_lost) {
		errno = EEXIST;
		return -1;
	}
	return r;
}

ssize_t
write(int fd, const void *data, size_t len)
{
	static bool interrupt;

	if (write_at_most >= 0) {
		interrupt = !interrupt;
		if (interrupt) {
			errno = EINTR;
			return -1;
		}
		if (len > (size_t)write_at_most)
			len = (size_t)write_at_most;
	}
	return syscall(SYS_write, fd, data, len);
}

static void
short_and_interrupted_writes_go_on(void **state)
{
	(void)state;
	write_at_most = 3;
	put("a", "0123456789");
	write_at_most = -1;
	assert_holds("a", "0123456789");
}

/* Whichever sync fails, the name is not taken and the next try succeeds. */
static void
a_failed_sync_leaves_nothing(void **state)
{
	int failed = 0, r = -1;
	(void)state;

	fsync_code = EIO;
	for (;; failed++) {
		struct sink *fresh = NULL;

		assert_int_equal(
			sink_directory_open(root, false, &fresh, NULL), 0);
		n_fsyncs = 0;
		fsync_fails_at = failed;
		r = sink_put(fresh, "a/b/c", "x", 1, NULL);
		fsync_fails_at = -1;
		sink_free(fresh);
		if (r == 0)
			break;
		assert_int_equal(r, -EIO);
		assert_lists_nothing();
		assert_int_equal(count_temporaries(), 0);
	}
	/* root for tmp, the file, root for a, a for b, b for c */
	assert_int_equal(failed, 5);
	assert_holds("a/b/c", "x");
}

static void
a_commit_syncs_the_file_and_every_directory_it_made(void **state)
{
	(void)state;
	put("a/0", "");
	n_fsyncs = 0;
	put("a/1", "");
	assert_int_equal(n_fsyncs, 2); /* file and a */
	n_fsyncs = 0;
	put("b/c/1", "");
	assert_int_equal(n_fsyncs, 4); /* file, root, b, c */
}

static void
file_systems_that_cannot_sync_directories_are_used(void **state)
{
	(void)state;
	put("a/0", "");
	n_fsyncs = 0;
	fsync_fails_at = 1;
	fsync_code = EINVAL;
	put("a/1", "x");
	fsync_fails_at = -1;
	assert_holds("a/1", "x");
}

static void
file_systems_without_links_are_used(void **state)
{
	(void)state;
	no_links = true;
	put("a", "first");
	assert_int_equal(sink_put(sink, "a", "second", 6, NULL), -EEXIST);
	no_links = false;
	assert_holds("a", "first");
	assert_int_equal(count_temporaries(), 0);
}

static void
a_link_whose_answer_got_lost_counts(void **state)
{
	(void)state;
	link_answer_lost = true;
	put("a", "x");
	link_answer_lost = false;
	assert_holds("a", "x");
}

/* -- Opening ------------------------------------------------------------- */

static void
make_old(const char *name, time_t age_s)
{
	auto_free char *path = path_of(name);
	struct timespec times[2] = { { .tv_sec = time(NULL) - age_s } };

	times[1] = times[0];
	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void
what_a_crash_left_a_day_ago_is_cleared(void **state)
{
	static const char old[] = "tmp/00112233445566778899aabbccddeeff";
	static const char young[] = "tmp/ff112233445566778899aabbccddeeff";
	struct sink *again = NULL;
	(void)state;

	make_directory("tmp");
	write_file(old, "x");
	write_file(young, "x");
	write_file("tmp/not-ours", "x");
	make_old(old, 25 * 3600);
	make_old(young, 23 * 3600);
	make_old("tmp/not-ours", 99 * 3600);
	assert_int_equal(sink_directory_open(root, false, &again, NULL), 0);
	sink_free(again);
	auto_free char *gone = path_of(old), *stays = path_of(young);

	assert_int_equal(access(gone, F_OK), -1);
	assert_int_equal(access(stays, F_OK), 0);
	assert_int_equal(count_temporaries(), 2);
}

static void
a_repository_is_made_when_asked_for(void **state)
{
	auto_free char *path = path_of("new"), *deep = path_of("x/y");
	struct sink *s = NULL;
	struct stat st;
	(void)state;

	assert_int_equal(sink_directory_open(path, false, &s, NULL), -ENOENT);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(sink_directory_open(path, true, &s, NULL), 0);
		sink_free(s);
	}
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(sink_directory_open(deep, true, &s, NULL), -ENOENT);
}

/* -- Several writers ----------------------------------------------------- */

static void *
put_many(void *arg)
{
	unsigned *mine = arg;

	for (unsigned i = 0; i < 60; i++) {
		char name[24];

		snprintf(name, sizeof(name), "d%u/%u/x", i % 7, i);
		*mine += sink_put(sink, name, name, strlen(name), NULL) == 0;
	}
	return NULL;
}

static void
of_many_writers_one_gets_each_name(void **state)
{
	pthread_t threads[4];
	unsigned won[4] = { 0 }, sum = 0;
	(void)state;

	for (size_t i = 0; i < 4; i++)
		assert_int_equal(
			pthread_create(&threads[i], NULL, put_many, &won[i]),
			0);
	for (size_t i = 0; i < 4; i++) {
		pthread_join(threads[i], NULL);
		sum += won[i];
	}
	assert_int_equal(sum, 60);
	for (unsigned i = 0; i < 60; i++) {
		char name[24];

		snprintf(name, sizeof(name), "d%u/%u/x", i % 7, i);
		assert_holds(name, name);
	}
	assert_int_equal(count_temporaries(), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		IN_DIRECTORY(an_object_is_written_in_pieces),
		IN_DIRECTORY(a_taken_name_is_kept),
		IN_DIRECTORY(a_directory_in_the_way_is_an_error),
		IN_DIRECTORY(an_aborted_upload_leaves_nothing),
		IN_DIRECTORY(a_link_is_not_written_through),
		IN_DIRECTORY(files_are_the_owners_alone_whatever_the_umask),
		IN_DIRECTORY(a_removed_object_is_gone),
		IN_DIRECTORY(many_are_removed_whether_they_exist_or_not),
		IN_DIRECTORY(a_directory_that_vanished_is_made_again),
		IN_DIRECTORY(a_failed_write_leaves_nothing),
		IN_DIRECTORY(short_and_interrupted_writes_go_on),
		IN_DIRECTORY(a_failed_sync_leaves_nothing),
		IN_DIRECTORY(
			a_commit_syncs_the_file_and_every_directory_it_made),
		IN_DIRECTORY(
			file_systems_that_cannot_sync_directories_are_used),
		IN_DIRECTORY(file_systems_without_links_are_used),
		IN_DIRECTORY(a_link_whose_answer_got_lost_counts),
		IN_DIRECTORY(what_a_crash_left_a_day_ago_is_cleared),
		IN_DIRECTORY(a_repository_is_made_when_asked_for),
		IN_DIRECTORY(of_many_writers_one_gets_each_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
