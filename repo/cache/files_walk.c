/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Walks <repository id>/<xx>/<32 digits>; other names are left alone. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include "repo/base/hex.h"
#include "repo/cache/files.h"

struct walk {
	const struct files *files;
	int (*each)(
		void *ctx, const struct key *k, int fd, const struct stat *st);
	void *ctx;
	struct key key;
};

static DIR *
open_dir(int above, const char *name)
{
	int fd = openat(
		above, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (!d && fd >= 0)
		close(fd);
	return d;
}

static int
visit_file(struct walk *w, const char *name)
{
	struct stat st;

	if (hex_decode(w->key.id, FILES_KEY_LEN, name) < 0)
		return 0;
	auto_close int fd = files_object(w->files, &w->key, false);
	if (fd < 0 || fstat(fd, &st) < 0)
		return 0;
	return w->each(w->ctx, &w->key, fd, &st);
}

static int
visit_files(struct walk *w, int above, const char *name)
{
	auto_closedir DIR *d = open_dir(above, name);
	int r = 0;

	for (struct dirent *de; d && r == 0 && (de = readdir(d));)
		if (strlen(de->d_name) == FILES_KEY_LEN * 2 &&
			strncmp(de->d_name, name, 2) == 0)
			r = visit_file(w, de->d_name);
	return r;
}

static int
visit_repository(struct walk *w, const char *name)
{
	auto_closedir DIR *d = open_dir(w->files->dir, name);
	uint8_t first;
	int r = 0;

	for (struct dirent *de; d && r == 0 && (de = readdir(d));)
		if (strlen(de->d_name) == 2 &&
			hex_decode(&first, 1, de->d_name) == 0)
			r = visit_files(w, dirfd(d), de->d_name);
	return r;
}

int
files_each(const struct files *f,
	int (*each)(
		void *ctx, const struct key *k, int fd, const struct stat *st),
	void *ctx)
{
	struct walk w = { .files = f, .each = each, .ctx = ctx };
	auto_closedir DIR *d = open_dir(f->dir, ".");
	int r = 0;

	if (!d)
		return -errno;
	for (struct dirent *de; r == 0 && (de = readdir(d));)
		if (strlen(de->d_name) == REPOSITORY_ID_LEN * 2 &&
			hex_decode(w.key.repository, REPOSITORY_ID_LEN,
				de->d_name) == 0)
			r = visit_repository(&w, de->d_name);
	return r;
}
