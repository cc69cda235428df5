/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/fault/cache_trap.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static atomic_uint calls, armed_at;
static atomic_int armed_code;
static atomic_bool armed_lasting;

void (*cache_trap_before_removal)(void);

void
cache_trap_arm(int code, unsigned at, bool lasting)
{
	armed_code = code;
	armed_lasting = lasting;
	armed_at = at;
	calls = 0;
}

unsigned
cache_trap_calls(void)
{
	return calls;
}

static bool
trapped(void)
{
	unsigned call = atomic_fetch_add(&calls, 1) + 1, at = armed_at;

	if (armed_code == EOPNOTSUPP)
		return false;
	if (at == 0 || call < at || (call > at && !armed_lasting))
		return false;
	if (armed_code == 0)
		raise(SIGKILL);
	errno = armed_code;
	return true;
}

ssize_t __real_pwrite64(int fd, const void *data, size_t len, off_t off);
ssize_t __wrap_pwrite64(int fd, const void *data, size_t len, off_t off);
int __real_fallocate64(int fd, int mode, off_t off, off_t len);
int __wrap_fallocate64(int fd, int mode, off_t off, off_t len);
int __real_ftruncate64(int fd, off_t len);
int __wrap_ftruncate64(int fd, off_t len);
int __real_renameat(int a, const char *from, int b, const char *to);
int __wrap_renameat(int a, const char *from, int b, const char *to);
int __real_unlinkat(int fd, const char *name, int flags);
int __wrap_unlinkat(int fd, const char *name, int flags);
int __real_openat64(int fd, const char *name, int flags, mode_t mode);
int __wrap_openat64(int fd, const char *name, int flags, mode_t mode);

ssize_t
__wrap_pwrite64(int fd, const void *data, size_t len, off_t off)
{
	size_t half = len / 2;

	if (trapped())
		return -1;
	if (__real_pwrite64(fd, data, half, off) != (ssize_t)half || trapped())
		return -1;
	return __real_pwrite64(fd, (const char *)data + half, len - half,
		       off + (off_t)half) == (ssize_t)(len - half)
		       ? (ssize_t)len
		       : -1;
}

int
__wrap_fallocate64(int fd, int mode, off_t off, off_t len)
{
	bool holes = armed_code != EOPNOTSUPP || armed_at == 0;

	if (!holes)
		errno = EOPNOTSUPP;
	return !holes || trapped() ? -1
				   : __real_fallocate64(fd, mode, off, len);
}

int
__wrap_ftruncate64(int fd, off_t len)
{
	return trapped() ? -1 : __real_ftruncate64(fd, len);
}

int
__wrap_renameat(int a, const char *from, int b, const char *to)
{
	return trapped() ? -1 : __real_renameat(a, from, b, to);
}

int
__wrap_unlinkat(int fd, const char *name, int flags)
{
	void (*hook)(void) = cache_trap_before_removal;

	cache_trap_before_removal = NULL;
	if (hook)
		hook();
	return trapped() ? -1 : __real_unlinkat(fd, name, flags);
}

int
__wrap_openat64(int fd, const char *name, int flags, mode_t mode)
{
	return trapped() ? -1 : __real_openat64(fd, name, flags, mode);
}
