/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/store/beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "repo/base/auto.h"

/* A rename anywhere in the system may make the kernel give up with EAGAIN. */
#define TRIES 100

static int
failed(int code, const char *path, struct err *e)
{
	switch (code) {
	case ENOENT:
	case ENOTDIR:
		return err_set(e, ENOENT, "%s does not exist", path);
	case ELOOP:
		return err_set(e, ELOOP,
			"%s is reached through a symbolic "
			"link, which a repository does not have",
			path);
	case ENOSYS:
		return err_set(e, ENOSYS,
			"cannot open %s safely: this kernel "
			"lacks openat2 (Linux 5.6 or newer has it)",
			path);
	default:
		return err_sys(e, code, "cannot open %s", path);
	}
}

int
beneath_open(int root, const char *path, int flags, struct err *e)
{
	const struct open_how how = {
		.flags = (uint64_t)(flags | O_CLOEXEC),
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
	};
	long fd = -1;

	for (int i = 0; i < TRIES; i++) {
		fd = syscall(SYS_openat2, root, path, &how, sizeof(how));
		if (fd >= 0 || (errno != EAGAIN && errno != EINTR))
			break;
	}
	return fd < 0 ? failed(errno, path, e) : (int)fd;
}

int
beneath_open_file(int root, const char *path, int flags, struct err *e)
{
	/* O_NONBLOCK: a fifo must not hold us up */
	auto_close int fd =
		beneath_open(root, path, flags | O_NONBLOCK | O_NOCTTY, e);
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return err_sys(e, errno, "cannot stat %s", path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, EUCLEAN, "%s is not a regular file", path);
	return steal_fd(fd);
}
