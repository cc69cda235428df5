/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A directory store and a sink in a directory of its own for each test. */
#ifndef YORE_TESTS_DIRECTORY_H
#define YORE_TESTS_DIRECTORY_H

#include "tests/unit/unit.h"

#include <stdio.h>
#include <sys/stat.h>
#include "repo/base/buf.h"
#include "repo/store/directory.h"

static char root[200];
static struct store *store;
static struct sink *sink;

static inline char *
path_of(const char *name)
{
	return xasprintf("%s/%s", root, name);
}

static inline int
set_up(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;
	snprintf(root, sizeof(root), "%s/yore-test-XXXXXX", tmp ? tmp : "/tmp");
	return mkdtemp(root) == NULL ||
	       store_directory_open(root, &store, NULL) < 0 ||
	       sink_directory_open(root, false, &sink, NULL) < 0;
}

static inline int
tear_down(void **state)
{
	auto_free char *command = xasprintf("rm -rf %s", root);
	(void)state;

	store_free(store);
	sink_free(sink);
	return system(command);
}

static inline void
put(const char *name, const char *text)
{
	assert_int_equal(sink_put(sink, name, text, strlen(text), NULL), 0);
}

static inline void
write_file(const char *name, const char *text)
{
	auto_free char *path = path_of(name);
	auto_fclose FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
}

static inline void
make_directory(const char *name)
{
	auto_free char *path = path_of(name);

	assert_int_equal(mkdir(path, 0700), 0);
}

static inline void
assert_holds(const char *name, const char *text)
{
	auto_free uint8_t *data = NULL;
	size_t len = 0;

	assert_int_equal(
		store_get_all(store, name, 1 << 20, &data, &len, NULL), 0);
	assert_int_equal(len, strlen(text));
	assert_memory_equal(data, text, len);
}

static inline unsigned
count_temporaries(void)
{
	auto_free char *path = path_of("tmp");
	auto_closedir DIR *dir = opendir(path);
	unsigned n = 0;

	for (struct dirent *d; dir && (d = readdir(dir));)
		n += d->d_name[0] != '.';
	return n;
}

#define IN_DIRECTORY(test) \
	cmocka_unit_test_setup_teardown(test, set_up, tear_down)

#endif
