/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where systemd automounts, the mountpoint is an autofs directory: whoever
 * opens it or looks through it waits for the very mount that is being made.
 * So it is opened with O_PATH, which does not trigger, and not listed.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include "repo/base/auto.h"
#include "fs/mountpoint.h"
#include "fs/table.h"

/* Is the directory open as fd, or one above it, the directory `of`? */
static bool
is_below(int fd, const struct stat *of)
{
	auto_close int up = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	struct stat st, before = { .st_ino = 0 };

	while (up >= 0 && fstat(up, &st) == 0) {
		int next;

		if (st.st_dev == of->st_dev && st.st_ino == of->st_ino)
			return true;
		if (st.st_dev == before.st_dev && st.st_ino == before.st_ino)
			return false;
		before = st;
		next = openat(up, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
		close(up);
		up = next;
	}
	return false;
}

static int
check_repository(int fd, const char *path, const char *repo, struct err *e)
{
	auto_close int r = open(repo, O_PATH | O_CLOEXEC);
	struct stat mine, theirs;

	if (r < 0 || fstat(r, &theirs) != 0 || fstat(fd, &mine) != 0)
		return 0; /* opening it will say what is wrong */
	if (is_below(fd, &theirs))
		return err_set(e, EINVAL,
			"%s lies inside the repository %s:"
			" mount it somewhere else",
			path, repo);
	if (is_below(r, &mine))
		return err_set(e, EINVAL,
			"the repository %s lies inside %s:"
			" mount it somewhere else",
			repo, path);
	return 0;
}

static int
check_empty(int fd, const char *path, struct err *e)
{
	auto_close int list =
		openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_closedir DIR *d = list < 0 ? NULL : fdopendir(list);
	struct dirent *entry;

	if (!d)
		return err_sys(e, errno, "%s", path);
	steal_fd(list);
	while ((entry = readdir(d))) {
		if (strcmp(entry->d_name, ".") != 0 &&
			strcmp(entry->d_name, "..") != 0)
			return err_set(e, ENOTEMPTY,
				"%s is not empty: mounting"
				" would hide what is in it; make a directory"
				" for the mount",
				path);
	}
	return 0;
}

static int
cannot_open(int code, const char *given, struct err *e)
{
	if (code == ENOENT)
		return err_set(e, code,
			"%s does not exist: make a directory"
			" for the mount (mkdir %s)",
			given, given);
	if (code == ENOTCONN)
		return err_set(e, code,
			"%s is what is left of a mount whose"
			" program has ended: fusermount3 -u %s",
			given, given);
	return err_sys(e, code, "%s", given);
}

static int
check_directory(int fd, const char *path, const char *repo, struct err *e)
{
	struct statfs fs;
	struct stat st;

	if (fstat(fd, &st) != 0)
		return cannot_open(errno, path, e);
	if (!S_ISDIR(st.st_mode))
		return err_set(e, ENOTDIR,
			"%s is not a directory: make one"
			" for the mount",
			path);
	if (fstatfs(fd, &fs) == 0 && fs.f_type == AUTOFS_SUPER_MAGIC)
		return 0;
	if (repo && check_repository(fd, path, repo, e) != 0)
		return -EINVAL;
	if (check_empty(fd, path, e) != 0)
		return -e->code;
	if (geteuid() != 0 && faccessat(fd, ".", W_OK, AT_EACCESS) != 0)
		return err_set(e, EACCES,
			"%s is not writable by you: mount on"
			" a directory of your own",
			path);
	return 0;
}

int
mountpoint_check(
	const char *path, const char *repo, char **absolute, struct err *e)
{
	auto_free char *real = realpath(path, NULL);
	auto_close int fd = -1;
	int rc;

	if (real && table_is_yore(real)) {
		struct stat st;

		if (stat(real, &st) != 0 && errno == ENOTCONN)
			return cannot_open(ENOTCONN, real, e);
		return err_set(e, EBUSY,
			"%s is already a yore mount: yore"
			" umount %s first",
			real, real);
	}
	fd = open(real ? real : path, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return cannot_open(errno, path, e);
	rc = check_directory(fd, real ? real : path, repo, e);
	if (rc == 0)
		*absolute = steal(real);
	return rc;
}

int
mountpoint_check_fuse(struct err *e)
{
	auto_close int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);

	if (fd >= 0)
		return 0;
	if (errno == EACCES || errno == EPERM)
		return err_set(e, errno,
			"/dev/fuse may not be opened: in a"
			" container, allow the device (--device /dev/fuse"
			" --cap-add SYS_ADMIN)");
	return err_set(e, errno,
		"no /dev/fuse: modprobe fuse, or in a"
		" container --device /dev/fuse --cap-add SYS_ADMIN");
}
