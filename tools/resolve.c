/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/resolve.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "repo/base/auto.h"

#define STRETCH_MAX 4000 /* below PATH_MAX */

int
resolve_open(int dir_fd, const char *path, int flags, mode_t mode)
{
	struct open_how how = {
		.flags = (unsigned)(flags | O_CLOEXEC),
		.mode = mode,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
			   RESOLVE_NO_MAGICLINKS,
	};
	long fd;

	do
		fd = syscall(SYS_openat2, dir_fd, path, &how, sizeof(how));
	while (fd < 0 && (errno == EINTR || errno == EAGAIN));
	return fd < 0 ? -errno : (int)fd;
}

/* Bytes of path up to the last '/' that fits in one call. */
static size_t
stretch_len(const char *path)
{
	size_t n = STRETCH_MAX;

	while (n > 0 && path[n] != '/')
		n--;
	return n;
}

int
resolve_open_path(int dir_fd, const char *path, int flags, mode_t mode)
{
	auto_close int up = -1;

	while (strlen(path) > STRETCH_MAX) {
		char stretch[STRETCH_MAX + 1];
		size_t n = stretch_len(path);
		int fd;

		if (n == 0)
			return -ENAMETOOLONG;
		memcpy(stretch, path, n);
		stretch[n] = '\0';
		fd = resolve_open(
			up < 0 ? dir_fd : up, stretch, O_PATH | O_DIRECTORY, 0);
		if (fd < 0)
			return fd;
		if (up >= 0)
			close(up);
		up = fd;
		path += n + 1;
	}
	return resolve_open(up < 0 ? dir_fd : up, path, flags, mode);
}

bool
resolve_name_ok(const char *name, size_t len)
{
	if (len < 1 || len > 255)
		return false;
	if (memchr(name, '/', len) || memchr(name, '\0', len))
		return false;
	return !(name[0] == '.' && (len == 1 || (len == 2 && name[1] == '.')));
}

const char *
resolve_proc_path(char out[RESOLVE_PROC_MAX], int fd)
{
	snprintf(out, RESOLVE_PROC_MAX, "/proc/self/fd/%d", fd);
	return out;
}
