/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/foreign/kept_scratch.h"

#include <sys/file.h>
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <string.h>
#include "repo/base/auto.h"
#include "repo/base/buf.h"

#define PREFIX "yore-replica-"

static const char *
temporary_dir(void)
{
	const char *dir = getenv("TMPDIR");

	return dir && dir[0] == '/' ? dir : "/tmp";
}

static int
remove_entry(const char *path, const struct stat *st, int flag, struct FTW *at)
{
	(void)st, (void)flag, (void)at;
	remove(path);
	return 0;
}

static void
remove_tree(const char *path)
{
	nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

/* A descriptor of a directory of ours that nobody else holds, or -1. */
static int
lock_directory(const char *path)
{
	auto_close int fd =
		open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || st.st_uid != geteuid() ||
		flock(fd, LOCK_EX | LOCK_NB) < 0)
		return -1;
	return steal_fd(fd);
}

/* What processes left that were killed. */
static void
remove_left(const char *dir)
{
	auto_closedir DIR *d = opendir(dir);
	struct dirent *de;

	while (d && (de = readdir(d))) {
		auto_free char *path = xasprintf("%s/%s", dir, de->d_name);
		auto_close int fd = -1;

		if (strncmp(de->d_name, PREFIX, strlen(PREFIX)) != 0)
			continue;
		fd = lock_directory(path);
		if (fd >= 0)
			remove_tree(path);
	}
}

int
kept_scratch_make(struct kept_scratch *s, struct err *e)
{
	const char *dir = temporary_dir();
	auto_free char *path = xasprintf("%s/" PREFIX "XXXXXX", dir);

	remove_left(dir);
	for (int tries = 0; tries < 3; tries++) {
		if (!mkdtemp(path))
			return err_sys(e, errno, "%s", dir);
		s->lock = lock_directory(path);
		if (s->lock >= 0)
			break;
		/* another one was about to remove it */
		strcpy(path + strlen(path) - 6, "XXXXXX");
	}
	if (s->lock < 0)
		return err_set(e, EBUSY, "%s: no directory stays there", dir);
	s->path = steal(path);
	return 0;
}

void
kept_scratch_remove(struct kept_scratch *s)
{
	if (!s->path)
		return;
	remove_tree(s->path);
	close(s->lock);
	free(s->path);
	s->path = NULL;
}
