/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/scan_fixture.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include "tests/unit/scratch.h"

/* -- Trees to scan --------------------------------------------------------------- */

/* In memory where there is such a place: this is not about the disk. */
char *
fixture_make_place(void)
{
	bool shm = access("/dev/shm", W_OK) == 0;
	char *dir = xasprintf("%s/yore-test-scan-XXXXXX",
		shm ? "/dev/shm" : "/tmp");

	assert_non_null(mkdtemp(dir));
	return dir;
}

int
fixture_setup(void **state)
{
	char *dir = fixture_make_place();

	*state = dir;
	return chdir(dir);
}

/* rm knows deep trees. */
int
fixture_teardown(void **state)
{
	auto_free char *dir = *state;

	return chdir("/") < 0 || !scratch_remove(dir);
}

void
fixture_make_dir(const char *path)
{
	assert_int_equal(mkdir(path, 0755), 0);
}

void
fixture_make_file(const char *path, const char *text)
{
	auto_fclose FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
}

int
fixture_open_dir(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

void
fixture_remove_place(const char *dir)
{
	assert_true(scratch_remove(dir));
}

void
fixture_fill(const char *dir, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		char path[64];

		snprintf(path, sizeof(path), "%s/%06u", dir, i);
		assert_int_equal(mknod(path, S_IFREG | 0600, 0), 0);
	}
}

void
fixture_make_wide(const char *path)
{
	fixture_make_dir(path);
	for (unsigned i = 0; i < 40; i++) {
		auto_free char *a = xasprintf("%s/%u", path, i * 7919 % 1000);

		fixture_make_dir(a);
		for (unsigned k = 0; k < 30; k++) {
			auto_free char *b = xasprintf("%s/%x", a, k * 77);
			auto_free char *c = xasprintf("%s/f", b);

			fixture_make_dir(b);
			fixture_make_file(c, "");
		}
	}
}

/* -- Walking ------------------------------------------------------------------------ */

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

void
fixture_walk(struct walk *w, const char *path, struct scan_options o)
{
	auto_close int fd = fixture_open_dir(path);
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

void
fixture_walk_release(struct walk *w)
{
	buf_release(&w->paths);
	buf_release(&w->problems);
	buf_release(&w->printed);
}

/* All paths in walk order, with spaces between. */
void
fixture_assert_paths(struct walk *w, const char *expected)
{
	char *p = (char *)w->paths.data;

	for (size_t i = 0; i + 1 < w->paths.len; i++)
		if (!p[i])
			p[i] = ' ';
	assert_string_equal(w->paths.len ? p : "", expected);
}

void
fixture_assert_problems(const struct walk *w, const char *expected)
{
	assert_string_equal((const char *)w->problems.data, expected);
}

unsigned
fixture_count_name(const struct walk *w, const char *name)
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
