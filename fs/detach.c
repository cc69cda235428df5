/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <spawn.h>
#include <stddef.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>
#include "repo/base/buf.h"
#include "fs/detach.h"

extern char **environ;

static int
fusermount(const char *mountpoint, const char *how)
{
	auto_free char *path = xstrdup(mountpoint);
	auto_free char *flag = xstrdup(how);
	char name[] = "fusermount3", u[] = "-u", end[] = "--";
	char *const argv[] = { name, u, flag, end, path, NULL };
	pid_t pid;
	int status;

	if (posix_spawnp(&pid, "fusermount3", NULL, NULL, argv, environ) != 0)
		return -ENOENT;
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EBUSY;
}

int
detach_if_unused(const char *mountpoint)
{
	if (geteuid() != 0)
		return fusermount(mountpoint, "-q");
	return umount2(mountpoint, UMOUNT_NOFOLLOW) == 0 ? 0 : -errno;
}

int
detach_lazily(const char *mountpoint)
{
	if (geteuid() != 0)
		return fusermount(mountpoint, "-z");
	return umount2(mountpoint, MNT_DETACH) == 0 ? 0 : -errno;
}
