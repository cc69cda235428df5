/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What patterns mean is git's business: beside plain examples, thousands of
 * random patterns over random trees are compared with `git check-ignore`.
 */
#include "tests/unit/unit.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include "repo/base/buf.h"
#include "repo/write/exclude.h"

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *f)
{
	(void)st;
	(void)type;
	(void)f;
	return remove(path);
}

static int
setup(void **state)
{
	char *dir = xstrdup("/tmp/yore-test-exclude-XXXXXX");

	if (!mkdtemp(dir) || chdir(dir) < 0)
		return -1;
	*state = dir;
	return 0;
}

static int
teardown(void **state)
{
	auto_free char *dir = *state;

	return chdir("/") < 0 || nftw(dir, remove_one, 16,
					 FTW_DEPTH | FTW_PHYS) < 0;
}

static void
write_file(const char *path, const char *text)
{
	auto_fclose FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
}

static const char *
last_component(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* Whether one list of patterns at the top excludes a path by itself. */
static bool
by_lines(const char *lines, const char *path, bool is_dir)
{
	struct exclude_rules *r = exclude_rules_new();
	struct exclude_dir *top = exclude_dir_top(r);
	struct exclude_dir *d = exclude_dir_lines(top, "", lines,
		strlen(lines));
	bool is = excluded(d, path, last_component(path), is_dir);

	exclude_dir_put(d);
	exclude_dir_put(top);
	exclude_rules_free(r);
	return is;
}

static void
examples_of_the_manual(void **state)
{
	static const struct {
		const char *lines, *path;
		bool is_dir, is;
	} examples[] = {
		{ "hello.*", "hello.txt", false, true },
		{ "hello.*", "a/hello.java", false, true },
		{ "/hello.*", "hello.c", false, true },
		{ "/hello.*", "a/hello.c", false, false },
		{ "foo/", "foo", true, true },
		{ "foo/", "a/foo", true, true },
		{ "foo/", "foo", false, false },
		{ "doc/frotz", "doc/frotz", true, true },
		{ "/doc/frotz", "doc/frotz", false, true },
		{ "doc/frotz", "a/doc/frotz", true, false },
		{ "foo/*", "foo/test.json", false, true },
		{ "foo/*", "foo/bar", true, true },
		{ "foo/*", "foo/bar/hello.c", false, false },
		{ "**/foo", "foo", false, true },
		{ "**/foo", "a/b/foo", false, true },
		{ "**/foo/bar", "a/foo/bar", false, true },
		{ "**/foo/bar", "a/foo/x/bar", false, false },
		{ "abc/**", "abc/d/e", false, true },
		{ "abc/**", "abc", true, false },
		{ "a/**/b", "a/b", false, true },
		{ "a/**/b", "a/x/b", false, true },
		{ "a/**/b", "a/x/y/b", false, true },
		{ "a/**/b", "a/xb", false, false },
		{ "*.o\n!keep.o", "keep.o", false, false },
		{ "!keep.o\n*.o", "keep.o", false, true },
		{ "\\!x", "!x", false, true },
		{ "#x", "#x", false, false },
		{ "\\#x", "#x", false, true },
		{ "x  ", "x", false, true },
		{ "x\\ ", "x ", false, true },
		{ "x\\ ", "x", false, false },
		{ "x\t", "x", false, false },
		{ "x\r\ny", "x", false, true },
		{ "\xef\xbb\xbfx", "x", false, true },
		{ "[a-c]x", "bx", false, true },
		{ "[!a-c]x", "bx", false, false },
		{ "[^a-c]x", "dx", false, true },
		{ "[]-]x", "-x", false, true },
		{ "[[:digit:]]", "7", false, true },
		{ "[[:nonsense:]]", "n", false, false },
		{ "a[", "a[", false, false },
		{ "a\\", "a\\", false, false },
		{ "a?b/c", "a/b/c", false, false },
		{ "d/[!x]c", "d/c", false, false },
		{ "*a*b*c", "xaybzc", false, true },
		{ "*a*b*c", "xbyazc", false, false },
	};

	(void)state;
	for (size_t i = 0; i < n_elements(examples); i++)
		if (by_lines(examples[i].lines, examples[i].path,
			    examples[i].is_dir) != examples[i].is)
			fail_msg("%s on %s", examples[i].lines,
				examples[i].path);
}

static void
patterns_of_a_directory_hold_below_it_only(void **state)
{
	struct exclude_rules *r = exclude_rules_new();
	struct exclude_dir *top = exclude_dir_top(r);
	struct exclude_dir *a = exclude_dir_lines(top, "a", "/x\ny", 4);
	struct exclude_dir *b = exclude_dir_lines(a, "a/b", "!y", 2);

	(void)state;
	assert_true(excluded(a, "a/x", "x", false));
	assert_false(excluded(b, "a/b/x", "x", false));
	assert_true(excluded(a, "a/y", "y", false));
	assert_false(excluded(b, "a/b/y", "y", false));
	assert_false(excluded(top, "y", "y", false));
	exclude_dir_put(top);
	exclude_dir_put(a);
	exclude_dir_put(b);
	exclude_rules_free(r);
}

/* As git: --exclude beats files in directories, which beat --exclude-file. */
static void
flags_decide_before_directories_before_files(void **state)
{
	struct exclude_rules *r = exclude_rules_new();
	struct exclude_dir *top = exclude_dir_top(r);
	struct exclude_dir *d = exclude_dir_lines(top, "", "a\nb\n!c\n!d", 10);

	(void)state;
	write_file("patterns", "c\nd\ne\n");
	exclude_rules_pattern(r, "!b");
	exclude_rules_pattern(r, "d");
	assert_int_equal(exclude_rules_file(r, "patterns", NULL), 0);
	assert_true(excluded(d, "a", "a", false));
	assert_false(excluded(d, "b", "b", false));
	assert_false(excluded(d, "c", "c", false));
	assert_true(excluded(d, "d", "d", false));
	assert_true(excluded(d, "e", "e", false));
	exclude_dir_put(top);
	exclude_dir_put(d);
	exclude_rules_free(r);
}

static int
open_dir(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

/* Enter a directory of the test's own; the mark or NULL. */
static const char *
mark_of(const struct exclude_rules *r, const char *path)
{
	auto_close int fd = open_dir(path);
	struct exclude_dir *top = exclude_dir_top(r), *d = NULL;
	const char *mark = NULL;

	assert_int_equal(exclude_dir_enter(top, path, fd, &d, &mark, NULL), 0);
	exclude_dir_put(d);
	exclude_dir_put(top);
	return mark;
}

static void
marks_need_their_header(void **state)
{
	struct exclude_rules *r = exclude_rules_new();

	(void)state;
	exclude_rules_caches(r);
	assert_int_equal(exclude_rules_if_present(r, ".nobackup", NULL), 0);
	assert_int_equal(exclude_rules_if_present(r, "tag:yes", NULL), 0);
	assert_true(exclude_name_matters(r, "CACHEDIR.TAG"));
	assert_true(exclude_name_matters(r, "tag"));
	assert_false(exclude_name_matters(r, EXCLUDE_FILE_NAME));
	mkdir("cache", 0755);
	write_file("cache/CACHEDIR.TAG",
		"Signature: 8a477f597d28d172789f06886806bc55\nmore");
	assert_string_equal(mark_of(r, "cache"), "CACHEDIR.TAG");
	write_file("cache/CACHEDIR.TAG",
		"Signature: 8a477f597d28d172789f06886806bc5");
	assert_null(mark_of(r, "cache"));
	write_file("cache/tag", "no");
	assert_null(mark_of(r, "cache"));
	write_file("cache/tag", "yes.");
	assert_string_equal(mark_of(r, "cache"), "tag");
	mkdir("cache/.nobackup", 0755);
	assert_string_equal(mark_of(r, "cache"), "tag");
	rmdir("cache/.nobackup");
	write_file("cache/.nobackup", "");
	unlink("cache/tag");
	assert_string_equal(mark_of(r, "cache"), ".nobackup");
	exclude_rules_free(r);
}

static void
a_file_with_patterns_that_is_none_is_an_error_and_changes_nothing(void **state)
{
	struct exclude_rules *r = exclude_rules_new();
	struct exclude_dir *top = exclude_dir_top(r), *d;
	struct err e = ERR_INIT;
	const char *mark;
	auto_close int fd = -1;

	(void)state;
	assert_int_equal(
		exclude_rules_per_directory(r, EXCLUDE_FILE_NAME, NULL), 0);
	mkdir("odd", 0755);
	fd = open_dir("odd");
	assert_int_equal(mkfifo("odd/" EXCLUDE_FILE_NAME, 0644), 0);
	assert_int_equal(
		exclude_dir_enter(top, "odd", fd, &d, &mark, &e), -EINVAL);
	assert_string_equal(e.text, "odd/.yoreignore: not a regular file");
	assert_ptr_equal(d, top);
	exclude_dir_put(d);
	unlink("odd/" EXCLUDE_FILE_NAME);
	assert_int_equal(symlink("/etc/passwd", "odd/" EXCLUDE_FILE_NAME), 0);
	assert_int_equal(
		exclude_dir_enter(top, "odd", fd, &d, &mark, &e), -ELOOP);
	exclude_dir_put(d);
	unlink("odd/" EXCLUDE_FILE_NAME);
	write_file("odd/" EXCLUDE_FILE_NAME, "");
	assert_int_equal(truncate("odd/" EXCLUDE_FILE_NAME,
				 EXCLUDE_FILE_MAX + 1),
		0);
	assert_int_equal(
		exclude_dir_enter(top, "odd", fd, &d, &mark, &e), -EFBIG);
	exclude_dir_put(d);
	exclude_dir_put(top);
	exclude_rules_free(r);
}

static void
nonsense_in_options_is_refused(void **state)
{
	struct exclude_rules *r = exclude_rules_new();

	(void)state;
	assert_int_equal(exclude_rules_per_directory(r, "", NULL), -EINVAL);
	assert_int_equal(exclude_rules_per_directory(r, "a/b", NULL), -EINVAL);
	assert_int_equal(exclude_rules_if_present(r, "", NULL), -EINVAL);
	assert_int_equal(exclude_rules_if_present(r, ":x", NULL), -EINVAL);
	assert_int_equal(exclude_rules_if_present(r, "a/b:x", NULL), -EINVAL);
	assert_int_equal(exclude_rules_file(r, "none such", NULL), -ENOENT);
	assert_false(exclude_larger(r, UINT64_MAX));
	exclude_rules_larger_than(r, 100);
	assert_false(exclude_larger(r, 100));
	assert_true(exclude_larger(r, 101));
	exclude_rules_free(r);
}

/* Exponential in git's own fashion of old: must not be here. */
static void
stars_do_not_multiply(void **state)
{
	char path[2001], pattern[401];

	(void)state;
	memset(path, 'a', 2000);
	path[2000] = 0;
	for (size_t i = 0; i < 400; i += 2)
		memcpy(pattern + i, "*a", 2);
	pattern[399] = 'b';
	pattern[400] = 0;
	assert_false(by_lines(pattern, path, false));
	for (size_t i = 1; i < 2000; i += 2)
		path[i] = '/';
	path[1999] = 'a';
	for (size_t i = 0; i < 400; i += 5)
		memcpy(pattern + i, "**/a/", 5);
	pattern[399] = 'b';
	assert_false(by_lines(pattern, path, false));
}

/* -- Against git --------------------------------------------------------------- */

static uint64_t seed = 88172645463325252ULL;

static size_t
random_below(size_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (size_t)(seed >> 11) % n;
}

static void
random_pattern(struct buf *b)
{
	static const char *const pieces[] = { "a", "b", "c", "ab", "a", "b",
		"*", "*", "*", "**", "/", "/", "/", "/**", "**/", "/**/", "?",
		"[ab]", "[!a]", "[^b]", "[a-b]", "[b-a]", "[]a]", "[a-]",
		"[\\]a]", "[[:alpha:]]", "[![:digit:]b]", "[[:punct:]]",
		"[[:x:]]", "[[:a]", "[a", "]", "\\", "\\*", "\\a", "\\/", " ",
		"\\ ", "#", "!", "-", ".c", "*.c", "***", "\t" };
	size_t n = 1 + random_below(6);

	if (random_below(4) == 0)
		buf_printf(b, "!");
	if (random_below(4) == 0)
		buf_printf(b, "/");
	while (n--)
		buf_printf(b, "%s", pieces[random_below(n_elements(pieces))]);
	if (random_below(5) == 0)
		buf_printf(b, "/");
	if (random_below(8) == 0)
		buf_printf(b, "  ");
	buf_printf(b, random_below(10) == 0 ? "\r\n" : "\n");
}

static void
random_patterns(const char *path)
{
	auto_buf struct buf b = BUF_INIT;

	for (size_t n = 1 + random_below(4); n; n--)
		random_pattern(&b);
	write_file(path, (char *)b.data);
}

/* A tree whose names hit the patterns often. */
static void
random_tree(const char *dir, unsigned depth)
{
	static const char *const names[] = { "a", "b", "c", "ab", "ba", "abc",
		"a.c", "b.c", "a b", " ", "a ", "*", "?", "[", "]", "\\", "-",
		"!", "!a", "#", "#a", "a*b", "**", "aa", "a\\", "[a", "\t",
		"\x80", "7" };

	for (size_t n = 3 + random_below(5); n; n--) {
		const char *name = names[random_below(n_elements(names))];
		auto_free char *path = xasprintf("%s/%s", dir, name);

		if (depth && random_below(2)) {
			if (mkdir(path, 0755) == 0)
				random_tree(path, depth - 1);
		} else if (access(path, F_OK) < 0) {
			write_file(path, "");
		}
	}
	if (random_below(8) == 0) {
		auto_free char *path = xasprintf("%s/.gitignore", dir);

		random_patterns(path);
	}
}

struct paths {
	struct buf all;	 /* terminated strings */
	struct buf ours; /* those of them that are excluded */
};

static void
list_tree(struct paths *p, struct exclude_dir *above, const char *path,
	bool is_out);

static void
list_entry(struct paths *p, struct exclude_dir *d, const char *path,
	const struct dirent *de, bool is_out)
{
	bool is_dir = de->d_type == DT_DIR;

	is_out = is_out || excluded(d, path, de->d_name, is_dir);
	buf_append(&p->all, path, strlen(path) + 1);
	if (is_out)
		buf_append(&p->ours, path, strlen(path) + 1);
	if (is_dir)
		list_tree(p, d, path, is_out);
}

static void
list_tree(struct paths *p, struct exclude_dir *above, const char *path,
	bool is_out)
{
	auto_closedir DIR *dir = opendir(*path ? path : ".");
	struct exclude_dir *d;
	struct dirent *de;
	const char *mark;

	assert_int_equal(exclude_dir_enter(above, path, dirfd(dir), &d, &mark,
				 NULL),
		0);
	while ((de = readdir(dir))) {
		auto_free char *sub = xasprintf("%s%s%s", path,
			*path ? "/" : "", de->d_name);

		if (strcmp(de->d_name, ".") && strcmp(de->d_name, "..") &&
			strcmp(de->d_name, ".git"))
			list_entry(p, d, sub, de, is_out);
	}
	exclude_dir_put(d);
}

static void
read_file(const char *path, struct buf *b)
{
	auto_fclose FILE *f = fopen(path, "r");
	size_t n;

	assert_non_null(f);
	while ((n = fread(buf_reserve(b, 65536), 1, 65536, f)) > 0)
		b->len += n;
}

static void
compare(const struct buf *ours, const struct buf *gits)
{
	const char *a = (const char *)ours->data, *end = a + ours->len;
	const char *b = (const char *)gits->data, *b_end = b + gits->len;

	for (; a < end && b < b_end; a += strlen(a) + 1, b += strlen(b) + 1)
		if (strcmp(a, b) != 0)
			fail_msg("first difference: '%s' here, '%s' in git", a,
				b);
	if (a < end || b < b_end)
		fail_msg("only %s: '%s'", a < end ? "here" : "in git",
			a < end ? a : b);
	assert_true(ours->len > 0);
}

/* Same order in both: git answers in the order it is asked. */
static void
random_patterns_mean_what_they_mean_to_git(void **state)
{
	struct exclude_rules *r = exclude_rules_new();
	struct exclude_dir *top = exclude_dir_top(r);
	struct paths p = { .all = BUF_INIT, .ours = BUF_INIT };
	struct buf gits = BUF_INIT;
	const char *rounds = getenv("YORE_TEST_ROUNDS");

	(void)state;
	if (system("git --version >/dev/null 2>&1") != 0)
		skip();
	mkdir("tree", 0755);
	assert_int_equal(chdir("tree"), 0);
	assert_int_equal(system("git init -q . 2>/dev/null"), 0);
	random_patterns(".git/info/exclude");
	exclude_rules_per_directory(r, ".gitignore", NULL);
	assert_int_equal(exclude_rules_file(r, ".git/info/exclude", NULL), 0);
	for (int i = 0; i < (rounds ? atoi(rounds) : 400); i++) {
		auto_free char *dir = xasprintf("t%d", i);
		auto_free char *file = xasprintf("t%d/.gitignore", i);

		mkdir(dir, 0755);
		random_tree(dir, 3);
		random_patterns(file);
	}
	list_tree(&p, top, "", false);
	buf_zeros(&p.all, 1);
	{
		auto_fclose FILE *f = fopen("../paths", "w");

		assert_int_equal(fwrite(p.all.data, 1, p.all.len - 1, f),
			p.all.len - 1);
	}
	assert_int_equal(WEXITSTATUS(system("git check-ignore --no-index -z "
					    "--stdin <../paths >../gits")),
		0);
	read_file("../gits", &gits);
	compare(&p.ours, &gits);
	print_message("%zu bytes of paths, %zu excluded\n", p.all.len,
		p.ours.len);
	assert_int_equal(chdir(".."), 0);
	buf_release(&p.all);
	buf_release(&p.ours);
	buf_release(&gits);
	exclude_dir_put(top);
	exclude_rules_free(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(examples_of_the_manual),
		cmocka_unit_test(patterns_of_a_directory_hold_below_it_only),
		cmocka_unit_test(flags_decide_before_directories_before_files),
		cmocka_unit_test(marks_need_their_header),
		cmocka_unit_test(
			a_file_with_patterns_that_is_none_is_an_error_and_changes_nothing),
		cmocka_unit_test(nonsense_in_options_is_refused),
		cmocka_unit_test(stars_do_not_multiply),
		cmocka_unit_test(random_patterns_mean_what_they_mean_to_git),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
