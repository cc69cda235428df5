/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/unit.h"
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include "repo/base/buf.h"
#include "repo/write/scan.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

/* -- Trees to scan --------------------------------------------------------------- */

/* In memory where there is such a place: this is not about the disk. */
static char *
make_place(void)
{
	bool shm = access("/dev/shm", W_OK) == 0;
	char *dir = xasprintf("%s/yore-test-scan-XXXXXX",
		shm ? "/dev/shm" : "/tmp");

	assert_non_null(mkdtemp(dir));
	return dir;
}

static int
setup(void **state)
{
	char *dir = make_place();

	*state = dir;
	return chdir(dir);
}

/* rm knows deep trees. */
static int
teardown(void **state)
{
	auto_free char *dir = *state;
	auto_free char *command = xasprintf("rm -rf '%s'", dir);

	return chdir("/") < 0 || system(command) != 0;
}

static void
make_dir(const char *path)
{
	assert_int_equal(mkdir(path, 0755), 0);
}

static void
make_file(const char *path, const char *text)
{
	auto_fclose FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
}

static int
open_dir(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

/* -- Walking ------------------------------------------------------------------------ */

struct walk {
	struct scan *scan;
	struct buf paths;    /* terminated, in walk order */
	struct buf problems; /* "path: code\n" */
	unsigned n_dirs;
	unsigned n_excluded;
	void (*visit)(struct walk *w, struct scan_dir *d);
	struct buf printed; /* as find -printf prints it */
};

static void
note_problem(void *arg, const char *path, int code, const char *text)
{
	struct walk *w = arg;

	assert_true(*text);
	buf_printf(&w->problems, "%s: %s\n", path, strerrorname_np(code));
}

static void
check_order(const struct scan_dir *d)
{
	for (uint32_t i = 1; i < d->n; i++)
		assert_true(strcmp(scan_name(d, &d->entries[i - 1]),
				    scan_name(d, &d->entries[i])) < 0);
	for (uint32_t i = 0; i < d->n; i++)
		assert_int_equal(strlen(scan_name(d, &d->entries[i])),
			d->entries[i].name_len);
}

static void
walk_dir(struct walk *w, struct scan_dir *d)
{
	check_order(d);
	w->n_dirs++;
	w->n_excluded += d->n_excluded;
	if (w->visit)
		w->visit(w, d);
	for (uint32_t i = 0; i < d->n; i++) {
		const char *name = scan_name(d, &d->entries[i]);
		struct scan_dir *child;
		int rc;

		scan_dir_path(d, name, &w->paths);
		w->paths.len++;
		if (!S_ISDIR(d->entries[i].a.mode))
			continue;
		rc = scan_child(w->scan, d, i, &child, NULL);
		if (rc < 0) {
			auto_buf struct buf path = BUF_INIT;

			scan_dir_path(d, name, &path);
			buf_printf(&w->problems, "%s: %s\n", (char *)path.data,
				strerrorname_np(-rc));
			continue;
		}
		walk_dir(w, child);
		scan_dir_put(w->scan, child);
	}
	if (w->visit)
		w->visit(w, d);
}

static void
walk_tree(struct walk *w, const char *path, struct scan_options o)
{
	auto_close int fd = open_dir(path);
	struct scan_dir *root;

	o.report = note_problem;
	o.arg = w;
	assert_int_equal(scan_new(fd, &o, &w->scan, NULL), 0);
	assert_int_equal(scan_root(w->scan, &root, NULL), 0);
	walk_dir(w, root);
	scan_dir_put(w->scan, root);
	scan_free(w->scan);
	buf_zeros(&w->paths, 1);
	buf_zeros(&w->problems, 1);
	w->paths.len--;
	w->problems.len--;
}

static void
walk_release(struct walk *w)
{
	buf_release(&w->paths);
	buf_release(&w->problems);
	buf_release(&w->printed);
}

/* All paths in walk order, with spaces between. */
static void
assert_paths(struct walk *w, const char *expected)
{
	char *p = (char *)w->paths.data;

	for (size_t i = 0; i + 1 < w->paths.len; i++)
		if (!p[i])
			p[i] = ' ';
	assert_string_equal(w->paths.len ? p : "", expected);
}

static void
assert_problems(const struct walk *w, const char *expected)
{
	assert_string_equal((const char *)w->problems.data, expected);
}

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

	walk_tree(&w, path, (struct scan_options){ 0 });
	find_prints(path, &finds);
	ours = split(&w.printed, &n_ours);
	theirs = split(&finds, &n_finds);
	for (size_t i = 0; i < n_ours && i < n_finds; i++)
		assert_string_equal(ours[i], theirs[i]);
	assert_int_equal(n_ours, n_finds);
	assert_true(n_ours > 0);
	assert_problems(&w, "");
	free(ours);
	free(theirs);
	walk_release(&w);
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
			make_file(path, "");
	}
	for (unsigned c = 'a'; c <= 'c'; c++) {
		char name[256];
		auto_free char *path = NULL;

		memset(name, (int)c, 255);
		name[255] = 0;
		path = xasprintf("%s/%s", dir, name);
		make_file(path, "");
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
	make_dir("kinds");
	make_dir("kinds/odd");
	make_dir("kinds/empty");
	make_odd_names("kinds/odd");
	make_special("kinds");
	make_file("kinds/old", "12345");
	set_mtime("kinds/old", -1000000000);
	make_file("kinds/new", "");
	set_mtime("kinds/new", 5000000000);
	assert_int_equal(link("kinds/old", "kinds/odd/link"), 0);
	assert_int_equal(chmod("kinds/old", 07741), 0);
	make_file("kinds/sparse", "");
	assert_int_equal(truncate("kinds/sparse", 1LL << 40), 0);
	assert_same_as_find("kinds");
}

static void
a_wide_tree_is_as_find_says(void **state)
{
	(void)state;
	make_dir("wide");
	for (unsigned i = 0; i < 40; i++) {
		auto_free char *a = xasprintf("wide/%u", i * 7919 % 1000);

		make_dir(a);
		for (unsigned k = 0; k < 30; k++) {
			auto_free char *b = xasprintf("%s/%x", a, k * 77);
			auto_free char *c = xasprintf("%s/f", b);

			make_dir(b);
			make_file(c, "");
		}
	}
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
	make_dir("devices");
	make_special("devices");
	fd = open_dir("devices");
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
	make_dir(path);
	fd = open_dir(path);
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
	walk_tree(&w, "deep", (struct scan_options){ .fds = 16 });
	assert_int_equal(w.n_dirs, DEPTH + 1);
	assert_true(w.paths.len > DEPTH / 2 * DEPTH * 256UL);
	assert_problems(&w, "");
	walk_release(&w);
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
	make_dir("replaced");
	make_dir("replaced/a");
	make_dir("replaced/b");
	root_fd = open_dir("replaced");
	assert_int_equal(scan_new(root_fd, &o, &s, NULL), 0);
	assert_int_equal(scan_root(s, &root, NULL), 0);
	assert_int_equal(scan_child(s, root, 0, &a, NULL), 0);
	assert_int_equal(scan_child(s, root, 1, &b, NULL), 0);
	assert_int_equal(scan_dir_open(s, b, &fd, NULL), 0);
	scan_dir_close(s, b); /* the only one to stay open */
	assert_int_equal(rename("replaced/a", "replaced/c"), 0);
	make_dir("replaced/a");
	assert_int_equal(scan_dir_open(s, a, &fd, &e), -ESTALE);
	assert_non_null(strstr(e.text, "a: "));
	scan_dir_put(s, a);
	scan_dir_put(s, b);
	scan_dir_put(s, root);
	scan_free(s);
}

/* -- Trees that change ------------------------------------------------------------ */

static atomic_bool stop_changing;

/* Files, directories and symlinks come and go and change places. */
static void *
change(void *arg)
{
	const char *dir = arg;
	auto_close int fd = open_dir(dir);

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

static unsigned
count_name(const struct walk *w, const char *name)
{
	unsigned n = 0;

	for (size_t at = 0; at < w->paths.len;) {
		const char *path = (const char *)w->paths.data + at;
		const char *slash = strrchr(path, '/');

		n += strcmp(slash ? slash + 1 : path, name) == 0;
		at += strlen(path) + 1;
	}
	return n;
}

static void
what_vanishes_is_reported_and_the_rest_is_found(void **state)
{
	pthread_t thread;

	(void)state;
	make_dir("changing");
	for (int i = 0; i < 8; i++) {
		auto_free char *dir = xasprintf("changing/d%d", i);
		auto_free char *file = xasprintf("%s/stays", dir);
		auto_free char *sub = xasprintf("%s/y", dir);
		auto_free char *deep = xasprintf("%s/y/stays", dir);

		make_dir(dir);
		make_dir(sub);
		make_file(file, "");
		make_file(deep, "");
	}
	atomic_store(&stop_changing, false);
	assert_int_equal(pthread_create(&thread, NULL, change,
				 (void *)(uintptr_t) "changing"),
		0);
	for (int i = 0; i < 200; i++) {
		struct walk w = { .visit = NULL };

		walk_tree(&w, "changing", (struct scan_options){ 0 });
		assert_int_equal(count_name(&w, "stays"), 16);
		assert_int_equal(count_name(&w, "passwd"), 0);
		assert_only_vanished(&w);
		walk_release(&w);
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
	make_dir("swap");
	make_dir("swap/a");
	make_dir("swap/b");
	make_dir("swap/c");
	fd = open_dir("swap");
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
an_unreadable_directory_is_an_error_of_its_own(void **state)
{
	struct walk w = { .visit = NULL };

	(void)state;
	make_dir("closed");
	make_dir("closed/a");
	make_dir("closed/b");
	make_dir("closed/c");
	make_file("closed/c/f", "");
	assert_int_equal(chmod("closed/b", 0), 0);
	if (geteuid() == 0) {
		assert_int_equal(chmod(*state, 0755), 0);
		assert_int_equal(seteuid(65534), 0);
	}
	walk_tree(&w, "closed", (struct scan_options){ 0 });
	if (getuid() == 0)
		assert_int_equal(seteuid(0), 0);
	assert_paths(&w, "a b c c/f");
	assert_problems(&w, "b: EACCES\n");
	walk_release(&w);
}

/* -- What is left out -------------------------------------------------------------- */

static void
make_project(const char *at)
{
	make_dir(at);
	assert_int_equal(chdir(at), 0);
	make_file(".yoreignore", "*.o\nbuild/\n");
	make_file("a.o", "");
	make_file("a.c", "");
	make_dir("build");
	make_file("build/x", "");
	make_dir("cache");
	make_file("cache/CACHEDIR.TAG",
		"Signature: 8a477f597d28d172789f06886806bc55");
	make_file("cache/x", "");
	make_dir("cache/sub");
	make_dir("lib");
	make_file("lib/.yoreignore", "!keep.o\n/local\n");
	make_file("lib/keep.o", "");
	make_file("lib/lose.o", "");
	make_file("lib/local", "");
	make_dir("lib/sub");
	make_file("lib/sub/local", "");
	make_file("lib/sub/big", "");
	make_file("lib/sub/limit", "");
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
	walk_tree(&w, "project", (struct scan_options){ .rules = r });
	assert_paths(&w,
		".yoreignore a.c cache cache/CACHEDIR.TAG lib lib/.yoreignore "
		"lib/keep.o lib/sub lib/sub/limit lib/sub/local");
	assert_int_equal(w.n_excluded, 7);
	walk_release(&w);
	exclude_rules_free(r);
}

static void
a_bad_file_with_patterns_is_reported_and_the_rest_is_kept(void **state)
{
	struct exclude_rules *r = exclude_rules_new();
	struct walk w = { .visit = NULL };

	(void)state;
	make_dir("bad");
	make_dir("bad/sub");
	make_dir("bad/sub/.yoreignore");
	make_file("bad/sub/x", "");
	exclude_rules_per_directory(r, EXCLUDE_FILE_NAME, NULL);
	walk_tree(&w, "bad", (struct scan_options){ .rules = r });
	assert_paths(&w, "sub sub/.yoreignore sub/x");
	assert_problems(&w, "sub: EINVAL\n");
	walk_release(&w);
	exclude_rules_free(r);
}

static void
only_listed_files_and_their_parents(void **state)
{
	static const char list[] =
		"a/b/one\0./a//c/.\0missing\0a/none/x\0f/below\0\0/src/z";
	struct wanted *w = wanted_new("/src/");
	struct walk walk = { .visit = NULL };
	int p[2];

	(void)state;
	make_dir("listed");
	make_dir("listed/a");
	make_dir("listed/a/b");
	make_dir("listed/a/c");
	make_file("listed/a/b/one", "");
	make_file("listed/a/b/two", "");
	make_file("listed/a/c/three", "");
	make_file("listed/ab", "");
	make_file("listed/f", "");
	make_file("listed/z", "");
	assert_int_equal(pipe(p), 0);
	assert_int_equal(write(p[1], list, sizeof(list) - 1), sizeof(list) - 1);
	close(p[1]);
	assert_int_equal(wanted_read(w, p[0], 0, NULL), 0);
	close(p[0]);
	wanted_seal(w);
	walk_tree(&walk, "listed", (struct scan_options){ .wanted = w });
	assert_paths(&walk, "a a/b a/b/one a/c a/c/three z");
	assert_problems(&walk,
		"missing: ENOENT\nf: ENOTDIR\na/none: ENOENT\n");
	walk_release(&walk);
	wanted_free(w);
}

static void
a_listed_root_is_everything(void **state)
{
	struct wanted *w = wanted_new("/src");
	struct walk walk = { .visit = NULL };

	(void)state;
	make_dir("everything");
	make_file("everything/a", "");
	assert_int_equal(wanted_add(w, "b", 1, NULL), 0);
	assert_int_equal(wanted_add(w, "/src", 4, NULL), 0);
	wanted_seal(w);
	walk_tree(&walk, "everything", (struct scan_options){ .wanted = w });
	assert_paths(&walk, "a");
	assert_problems(&walk, "");
	walk_release(&walk);
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

/* In a mount namespace of its own, so that no mount is left behind. */
static int
scan_with_mount(bool one_file_system)
{
	struct scan_options o = { .one_file_system = one_file_system };
	struct walk w = { .visit = NULL };
	const char *expected = one_file_system ? "a m z" : "a m m/inside z";

	if (unshare(CLONE_NEWNS) < 0 ||
		mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		mount("none", "mounted/m", "tmpfs", 0, NULL) < 0)
		return 77;
	make_file("mounted/m/inside", "");
	walk_tree(&w, "mounted", o);
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
	make_dir("mounted");
	make_dir("mounted/a");
	make_dir("mounted/m");
	make_dir("mounted/z");
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
	for (unsigned salt = 0; salt < 20; salt++) {
		auto_close int fd = open_dir("wide");
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
	auto_close int fd = open_dir("wide");
	struct held *h = xcalloc(1, sizeof(*h));
	struct scan_dir *root;
	pthread_t threads[4];

	(void)state;
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

static void
fill(const char *dir, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		char path[64];

		snprintf(path, sizeof(path), "%s/%06u", dir, i);
		assert_int_equal(mknod(path, S_IFREG | 0600, 0), 0);
	}
}

static void
remove_place(const char *dir)
{
	auto_free char *command = xasprintf("rm -rf '%s'", dir);

	assert_int_equal(system(command), 0);
}

/* Names are 6 bytes: 80 an entry, 8 its name, and 16 while it is read. */
static void
a_directory_of_200000_takes_128_bytes_an_entry(void **state)
{
	auto_free char *dir = make_place();
	struct walk w = { .visit = NULL };
	long before;

	(void)state;
	fill(dir, MANY);
	buf_reserve(&w.paths, MANY * 8); /* ours, not the scanner's */
	memset(w.paths.data, 1, MANY * 8);
	before = resident_kib("VmRSS:");
	walk_tree(&w, dir, (struct scan_options){ 0 });
	remove_place(dir);
	assert_int_equal(w.paths.len, MANY * 7);
	if (!SANITIZED)
		assert_in_range(resident_kib("VmHWM:") - before, 0,
			MANY * 128 / 1024 + 2048);
	assert_problems(&w, "");
	walk_release(&w);
}

/* Too big to read ahead, so read by the consumer with the others' help. */
static void
big_directories_below_are_read_when_asked_for(void **state)
{
	auto_free char *dir = make_place();
	struct walk w = { .visit = NULL };

	(void)state;
	for (int k = 0; k < 3; k++) {
		auto_free char *sub = xasprintf("%s/%d", dir, k);

		make_dir(sub);
		fill(sub, 9000);
	}
	walk_tree(&w, dir, (struct scan_options){ 0 });
	remove_place(dir);
	assert_int_equal(w.n_dirs, 4);
	assert_int_equal(count_name(&w, "008999"), 3);
	assert_int_equal(w.paths.len, 3 * (2 + 9000 * 9));
	assert_problems(&w, "");
	walk_release(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		/* the highest water mark is measured: first */
		cmocka_unit_test(
			a_directory_of_200000_takes_128_bytes_an_entry),
		cmocka_unit_test(all_kinds_of_files_are_as_find_says),
		cmocka_unit_test(a_wide_tree_is_as_find_says),
		cmocka_unit_test(device_numbers_are_whole),
		cmocka_unit_test(deep_trees_need_few_descriptors),
		cmocka_unit_test(
			a_directory_that_was_replaced_is_not_opened_again),
		cmocka_unit_test(
			what_vanishes_is_reported_and_the_rest_is_found),
		cmocka_unit_test(
			a_directory_that_became_a_symlink_is_not_followed),
		cmocka_unit_test(
			an_unreadable_directory_is_an_error_of_its_own),
		cmocka_unit_test(rules_hold_where_they_should),
		cmocka_unit_test(
			a_bad_file_with_patterns_is_reported_and_the_rest_is_kept),
		cmocka_unit_test(only_listed_files_and_their_parents),
		cmocka_unit_test(a_listed_root_is_everything),
		cmocka_unit_test(paths_outside_are_refused),
		cmocka_unit_test(other_file_systems_are_listed_but_not_entered),
		cmocka_unit_test(what_is_not_asked_for_is_let_go),
		cmocka_unit_test(threads_share_directories_and_few_descriptors),
		cmocka_unit_test(big_directories_below_are_read_when_asked_for),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
