/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/fault/trap.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <unistd.h>

static enum trap armed;
static uint64_t armed_at;
static atomic_ullong calls;
static atomic_bool happened;

void
trap_arm(enum trap kind, uint64_t at)
{
	armed = kind;
	armed_at = at;
	atomic_store(&calls, 0);
	atomic_store(&happened, false);
}

bool
trap_happened(void)
{
	return atomic_load(&happened);
}

/* Count a call; whether it is to fail (errno is set then). */
static bool
trapped(void)
{
	uint64_t call;

	if (armed == TRAP_NONE)
		return false;
	call = atomic_fetch_add(&calls, 1) + 1;
	if (call < armed_at || (call > armed_at && armed != TRAP_ENOSPC))
		return false;
	atomic_store(&happened, true);
	if (armed == TRAP_KILL)
		raise(SIGKILL);
	errno = armed == TRAP_EIO ? EIO : ENOSPC;
	return true;
}

ssize_t __real_write(int fd, const void *data, size_t len);
ssize_t __wrap_write(int fd, const void *data, size_t len);
int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __real_linkat(int a, const char *from, int b, const char *to, int flags);
int __wrap_linkat(int a, const char *from, int b, const char *to, int flags);
int __real_mkdirat(int fd, const char *name, mode_t mode);
int __wrap_mkdirat(int fd, const char *name, mode_t mode);
int __real_unlinkat(int fd, const char *name, int flags);
int __wrap_unlinkat(int fd, const char *name, int flags);

ssize_t
__wrap_write(int fd, const void *data, size_t len)
{
	ssize_t n, rest;

	if (trapped())
		return -1;
	if (len < 2 || armed == TRAP_NONE)
		return __real_write(fd, data, len);
	n = __real_write(fd, data, len / 2);
	if (n < 0 || trapped())
		return n;
	rest = __real_write(fd, (const char *)data + n, len - (size_t)n);
	return rest < 0 ? n : n + rest;
}

int
__wrap_fsync(int fd)
{
	return trapped() ? -1 : __real_fsync(fd);
}

int
__wrap_linkat(int a, const char *from, int b, const char *to, int flags)
{
	return trapped() ? -1 : __real_linkat(a, from, b, to, flags);
}

int
__wrap_mkdirat(int fd, const char *name, mode_t mode)
{
	return trapped() ? -1 : __real_mkdirat(fd, name, mode);
}

/* Needs no room: goes on when the disk is full. */
int
__wrap_unlinkat(int fd, const char *name, int flags)
{
	if (armed == TRAP_KILL && trapped())
		return -1;
	return __real_unlinkat(fd, name, flags);
}
