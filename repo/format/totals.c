/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Totals below directories.  A sparse file may be as long as 2^63 - 1 bytes;
 * sums stop there, so that no tree makes totals that a reader refuses.
 */
#include <string.h>
#include <sys/stat.h>
#include "repo/base/clock.h"
#include "repo/format/entry.h"

#define BYTES_MAX ((uint64_t)INT64_MAX)
#define ACL_PREFIX "system.posix_acl_"

static uint64_t
add_bytes(uint64_t a, uint64_t b)
{
	return a < BYTES_MAX && b < BYTES_MAX - a ? a + b : BYTES_MAX;
}

void
totals_add(struct totals *t, const struct totals *more)
{
	t->entries += more->entries;
	t->files += more->files;
	t->bytes = add_bytes(t->bytes, more->bytes);
	if (more->newest_ns > t->newest_ns)
		t->newest_ns = more->newest_ns;
	t->flags |= more->flags;
}

/* 0 for moments before 1970 and those that nanoseconds do not reach. */
static int64_t
moment(int64_t s, uint32_t ns)
{
	if (s < 0 || s >= INT64_MAX / NS_PER_S)
		return 0;
	return s * NS_PER_S + ns;
}

static uint8_t
xattr_flags(const struct entry *en)
{
	if (en->xattrs_ref)
		return TOTALS_XATTRS | TOTALS_ACL;
	if (!en->xattrs)
		return 0;
	return memmem(en->xattrs, en->xattrs_len, ACL_PREFIX,
		       strlen(ACL_PREFIX))
		       ? TOTALS_XATTRS | TOTALS_ACL
		       : TOTALS_XATTRS;
}

void
entry_totals(const struct entry *en, struct totals *t)
{
	struct totals own = { .entries = 1, .flags = xattr_flags(en) };
	int64_t m = moment(en->mtime_s, en->mtime_ns);
	int64_t c = moment(en->ctime_s, en->ctime_ns);

	own.newest_ns = m > c ? m : c;
	if (S_ISREG(en->mode)) {
		own.files = 1;
		own.bytes = en->size;
	}
	*t = en->totals;
	totals_add(t, &own);
}
