/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Past the page cache.  What a reader takes from a local data pack
 * goes, unsealed, into the page cache of the mount: keeping the sealed bytes
 * there too costs a copy and twice the memory, and pushes out what others
 * need.  Measured: a file of 1 GiB in order 2 times as fast, 4 KiB at random
 * places 1.2 times (DESIGN, "Reading").
 */
#ifndef YORE_STORE_DIRECT_H
#define YORE_STORE_DIRECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "repo/store/store.h"

/* Offsets, lengths and memory of a direct read are multiples of this, which
 * suits every disk. */
#define DIRECT_ALIGN STORE_ALIGN
/* Reads shorter than this go through the page cache. */
#define DIRECT_MIN (8u << 10)

/* Whether a read of [off, off + len) into buf can be direct: it is long enough
 * and the pages of buf lie as those of the file do. */
static inline bool
direct_fits(uint64_t off, size_t len, const void *buf)
{
	return len >= DIRECT_MIN &&
	       off % DIRECT_ALIGN == (uintptr_t)buf % DIRECT_ALIGN;
}

/* Whether at least half of [off, off + len) of a file is in the page cache, so
 * that a direct read would be slower; also when that cannot be told. */
bool direct_is_cached(int fd, uint64_t off, size_t len);

/* Have a descriptor go past the page cache from now on, or through it.  What
 * refers to the same open file goes there, too.  Whether it does. */
bool direct_set(int fd, bool direct);

/*
 * Read once, as pread, from a descriptor with O_DIRECT.  Needs direct_fits.
 * The bytes read, fewer than len only at the end of the file; or -errno.
 */
ssize_t direct_pread(int fd, uint64_t off, size_t len, void *buf);

#endif
