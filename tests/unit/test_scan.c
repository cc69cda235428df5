/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/scan_fixture.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include "tests/unit/sanitized.h"

/* -- The same as find -------------------------------------------------------------- */

static void
print_entries(struct walk *w, struct scan_dir *d)
{
	for (uint32_t i = 0; i < d->n; i++) {
		const struct scan_entry *en = &d->entries[i];
		const struct attributes *a = &en->a;

		scan_dir_path(d, scan_name(d, en), &w->printed);
		buf_printf(&w->printed,
			"|%o|%u|%u|%llu|%llu|%lld.%09u0|%lld.%09u0|%u|%llu|",
			a->mode & 07777, a->uid, a->gid,
			(unsigned long long)a->size,
			(unsigned long long)a->blocks, (long long)a->mtime_s,
			a->mtime_ns, (long long)a->ctime_s, a->ctime_ns,
			a->nlink, (unsigned long long)a->ino);
		if (S_ISLNK(a->mode))
			buf_printf(&w->printed, "%s", scan_target(d, en));
		buf_zeros(&w->printed, 1);
	}
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sorted pointers to the terminated strings in b, each once. */
static char **
split(const struct buf *b, size_t *n)
{
	char **list = xcalloc(b->len + 1, sizeof(*list));
	size_t out = 0;

	*n = 0;
	for (size_t at = 0; at < b->len;) {
		list[(*n)++] = (char *)b->data + at;
		at += strlen((char *)b->data + at) + 1;
	}
	qsort(list, *n, sizeof(*list), by_text);
	for (size_t i = 0; i < *n; i++)
		if (out == 0 || strcmp(list[out - 1], list[i]) != 0)
			list[out++] = list[i];
	*n = out;
	return list;
}

static void
find_prints(const char *path, struct buf *b)
{
	auto_free char *command = xasprintf(
		"cd '%s' && find . -mindepth 1 -printf "
		"'%%P|%%m|%%U|%%G|%%s|%%b|%%T@|%%C@|%%n|%%i|%%l\\0'",
		path);
	FILE *f = popen(command, "r");
	size_t n;

	assert_non_null(f);
	while ((n = fread(buf_reserve(b, 65536), 1, 65536, f)) > 0)
		b->len += n;
	assert_int_equal(pclose(f), 0);
}

static void
assert_same_as_find(const char *path)
{
	struct walk w = { .visit = print_entries };
	auto_buf struct buf finds = BUF_INIT;
	size_t n_ours, n_finds;
	char **ours, **theirs;

	fixture_walk(&w, path, (struct scan_options){ 0 });
	find_prints(path, &finds);
	ours = split(&w.printed, &n_ours);
	theirs = split(&finds, &n_finds);
	for (size_t i = 0; i < n_ours && i < n_finds; i++)
		assert_string_equal(ours[i], theirs[i]);
	assert_int_equal(n_ours, n_finds);
	assert_true(n_ours > 0);
	fixture_assert_problems(&w, "");
	free(ours);
	free(theirs);
	fixture_walk_release(&w);
}

static void
set_mtime(const char *path, int64_t s)
{
	struct timespec times[2] = { { .tv_sec = s }, { .tv_sec = s } };

	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void
make_odd_names(const char *dir)
{
	for (unsigned b = 1; b < 256; b++) {
		auto_free char *path = xasprintf("%s/%c%c", dir, b, b);

		if (b != '/' && b != '.')
			fixture_make_file(path, "");
	}
	for (unsigned c = 'a'; c <= 'c'; c++) {
		char name[256];
		auto_free char *path = NULL;

		memset(name, (int)c, 255);
		name[255] = 0;
		path = xasprintf("%s/%s", dir, name);
		fixture_make_file(path, "");
	}
}

static void
make_special(const char *dir)
{
	auto_free char *path = xasprintf("%s/fifo", dir);
	char target[4096];

	assert_int_equal(mkfifo(path, 0600), 0);
	memset(target, 't', 4095);
	target[4095] = 0;
	path[strlen(path) - 1] = 'x';
	assert_int_equal(symlink(target, path), 0);
	path[strlen(path) - 1] = 'y';
	assert_int_equal(symlink("x", path), 0);
	if (geteuid() != 0)
		return;
	path[strlen(path) - 1] = 'c';
	assert_int_equal(mknod(path, S_IFCHR | 0604, makedev(1, 3)), 0);
	path[strlen(path) - 1] = 'b';
	assert_int_equal(mknod(path, S_IFBLK | 0604, makedev(259, 70000)), 0);
	assert_int_equal(lchown(path, 123456, 4000000000u), 0);
}

static void
all_kinds_of_files_are_as_find_says(void **state)
{
	(void)state;
	fixture_make_dir("kinds");
	fixture_make_dir("kinds/odd");
	fixture_make_dir("kinds/empty");
	make_odd_names("kinds/odd");
	make_special("kinds");
	fixture_make_file("kinds/old", "12345");
	set_mtime("kinds/old", -1000000000);
	fixture_make_file("kinds/new", "");
	set_mtime("kinds/new", 5000000000);
	assert_int_equal(link("kinds/old", "kinds/odd/link"), 0);
	assert_int_equal(chmod("kinds/old", 07741), 0);
	fixture_make_file("kinds/sparse", "");
	assert_int_equal(truncate("kinds/sparse", 1LL << 40), 0);
	assert_same_as_find("kinds");
}

static void
a_wide_tree_is_as_find_says(void **state)
{
	(void)state;
	fixture_make_wide("wide");
	assert_same_as_find("wide");
}

static void
device_numbers_are_whole(void **state)
{
	auto_close int fd = -1;
	struct attributes a;

	(void)state;
	if (geteuid() != 0)
		skip();
	fixture_make_dir("devices");
	make_special("devices");
	fd = fixture_open_dir("devices");
	assert_int_equal(attributes_read(fd, "fifb", &a, NULL), 0);
	assert_int_equal(a.rdev, makedev(259, 70000));
}

/* -- Deep trees ------------------------------------------------------------------- */

#define DEPTH 1000

/* Depth 1000, names of 255 bytes: a path of a quarter of a megabyte. */
static void
make_deep(const char *path)
{
	char name[256];
	int fd;

	memset(name, 'd', 255);
	name[255] = 0;
	fixture_make_dir(path);
	fd = fixture_open_dir(path);
	for (int i = 0; i < DEPTH; i++) {
		int below;

		assert_int_equal(mkdirat(fd, name, 0755), 0);
		assert_int_equal(symlinkat("x", fd, "s"), 0);
		below = openat(fd, name, O_RDONLY | O_DIRECTORY);
		assert_true(below >= 0);
		close(fd);
		fd = below;
	}
	close(fd);
}

static unsigned
count_descriptors(void)
{
	auto_closedir DIR *dir = opendir("/proc/self/fd");
	unsigned n = 0;

	while (readdir(dir))
		n++;
	return n;
}

/* Reads the directory's symlink through its descriptor: on the way down, and
 * on the way up, when the descriptor has been closed long since. */
static void
use_descriptor(struct walk *w, struct scan_dir *d)
{
	auto_buf struct buf target = BUF_INIT;
	struct err e = ERR_INIT;
	int fd;

	if (d->n == 0)
		return;
	assert_int_equal(scan_dir_open(w->scan, d, &fd, &e), 0);
	assert_int_equal(attributes_target(fd, "s", &target, NULL), 0);
	assert_int_equal(target.len, 1);
	scan_dir_close(w->scan, d);
	assert_true(count_descriptors() < 60);
}

static void
deep_trees_need_few_descriptors(void **state)
{
	struct walk w = { .visit = use_descriptor };

	(void)state;
	make_deep("deep");
	fixture_walk(&w, "deep", (struct scan_options){ .fds = 16 });
	assert_int_equal(w.n_dirs, DEPTH + 1);
	assert_true(w.paths.len > DEPTH / 2 * DEPTH * 256UL);
	fixture_assert_problems(&w, "");
	fixture_walk_release(&w);
}


/* -- Size ------------------------------------------------------------------------------ */

#define MANY 200000

static long
resident_kib(const char *what)
{
	auto_fclose FILE *f = fopen("/proc/self/status", "r");
	char line[256];
	long kib = -1;

	while (fgets(line, sizeof(line), f))
		if (strncmp(line, what, strlen(what)) == 0)
			kib = atol(line + strlen(what));
	return kib;
}

/* Names are 6 bytes: 80 an entry, 8 its name, and 16 while it is read. */
static void
a_directory_of_200000_takes_128_bytes_an_entry(void **state)
{
	auto_free char *dir = fixture_make_place();
	struct walk w = { .visit = NULL };
	long before;

	(void)state;
	fixture_fill(dir, MANY);
	buf_reserve(&w.paths, MANY * 8); /* ours, not the scanner's */
	memset(w.paths.data, 1, MANY * 8);
	before = resident_kib("VmRSS:");
	fixture_walk(&w, dir, (struct scan_options){ 0 });
	fixture_remove_place(dir);
	assert_int_equal(w.paths.len, MANY * 7);
	if (!SANITIZED)
		assert_in_range(resident_kib("VmHWM:") - before, 0,
			MANY * 128 / 1024 + 2048);
	fixture_assert_problems(&w, "");
	fixture_walk_release(&w);
}

/* Too big to read ahead, so read by the consumer with the others' help. */
static void
big_directories_below_are_read_when_asked_for(void **state)
{
	auto_free char *dir = fixture_make_place();
	struct walk w = { .visit = NULL };

	(void)state;
	for (int k = 0; k < 3; k++) {
		auto_free char *sub = xasprintf("%s/%d", dir, k);

		fixture_make_dir(sub);
		fixture_fill(sub, 9000);
	}
	fixture_walk(&w, dir, (struct scan_options){ 0 });
	fixture_remove_place(dir);
	assert_int_equal(w.n_dirs, 4);
	assert_int_equal(fixture_count_name(&w, "008999"), 3);
	assert_int_equal(w.paths.len, 3 * (2 + 9000 * 9));
	fixture_assert_problems(&w, "");
	fixture_walk_release(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_directory_of_200000_takes_128_bytes_an_entry),
		cmocka_unit_test(all_kinds_of_files_are_as_find_says),
		cmocka_unit_test(a_wide_tree_is_as_find_says),
		cmocka_unit_test(device_numbers_are_whole),
		cmocka_unit_test(deep_trees_need_few_descriptors),
		cmocka_unit_test(big_directories_below_are_read_when_asked_for),
	};

	return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
