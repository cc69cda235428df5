/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The file is read in whole blocks: the first and the last, of which buf may
 * hold a part only, by way of blocks of our own, all in one system call.
 */
#include "repo/store/direct.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define PAGES_MAX 2048

#ifndef SYS_cachestat /* Linux 6.5; of one number everywhere */
#define SYS_cachestat 451
#endif

/* How many of n pages from off are cached; false: the kernel cannot tell. */
static bool
ask_kernel(int fd, uint64_t off, size_t n, size_t *cached)
{
	static atomic_bool cannot;
	struct {
		uint64_t off, len;
	} range = { off, n * DIRECT_ALIGN };
	struct {
		uint64_t cached, dirty, writeback, evicted, recently_evicted;
	} stat;

	if (cannot)
		return false;
	if (syscall(SYS_cachestat, fd, &range, &stat, 0u) != 0) {
		cannot = errno == ENOSYS || errno == EPERM;
		return false;
	}
	*cached = (size_t)stat.cached;
	return true;
}

bool
direct_is_cached(int fd, uint64_t off, size_t len)
{
	uint64_t from = off - off % DIRECT_ALIGN;
	size_t n = (size_t)((off + len - from + DIRECT_ALIGN - 1) /
			    DIRECT_ALIGN);
	unsigned char pages[PAGES_MAX];
	size_t cached = 0;

	if (n > PAGES_MAX)
		n = PAGES_MAX;
	if (ask_kernel(fd, from, n, &cached))
		return cached >= n / 2;
	void *map = mmap(NULL, n * DIRECT_ALIGN, PROT_NONE, MAP_SHARED, fd,
		(off_t)from);
	if (map == MAP_FAILED)
		return true;
	if (mincore(map, n * DIRECT_ALIGN, pages) < 0)
		cached = n;
	else
		for (size_t i = 0; i < n; i++)
			cached += pages[i] & 1;
	munmap(map, n * DIRECT_ALIGN);
	return cached >= n / 2;
}

bool
direct_set(int fd, bool direct)
{
	int flags = fcntl(fd, F_GETFL);

	return flags >= 0 && fcntl(fd, F_SETFL,
				     direct ? flags | O_DIRECT
					    : flags & ~O_DIRECT) == 0;
}

ssize_t
direct_pread(int fd, uint64_t off, size_t len, void *buf)
{
	_Alignas(DIRECT_ALIGN) uint8_t first[DIRECT_ALIGN], last[DIRECT_ALIGN];
	size_t before = off % DIRECT_ALIGN;
	size_t head = before ? DIRECT_ALIGN - before : 0;
	size_t tail = (size_t)((off + len) % DIRECT_ALIGN);
	uint8_t *p = buf;
	struct iovec iov[3] = {
		{ .iov_base = first, .iov_len = before ? DIRECT_ALIGN : 0 },
		{ .iov_base = p + head, .iov_len = len - head - tail },
		{ .iov_base = last, .iov_len = tail ? DIRECT_ALIGN : 0 },
	};
	ssize_t n = preadv(fd, iov, 3, (off_t)(off - before));

	if (n < 0)
		return -errno;
	if ((size_t)n <= before)
		return 0;
	size_t got = (size_t)n - before;

	memcpy(p, first + before, head < got ? head : got);
	if (got <= len - tail)
		return (ssize_t)got;
	got -= len - tail;
	if (got > tail)
		got = tail;
	memcpy(p + len - tail, last, got);
	return (ssize_t)(len - tail + got);
}
