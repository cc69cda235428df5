/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the file system tells about a file: attributes, symlink target,
 * extended attributes.  Never follows a symlink, never opens what is not a
 * directory or regular file.
 */
#ifndef YORE_WRITE_ATTRIBUTES_H
#define YORE_WRITE_ATTRIBUTES_H

#include <stddef.h>
#include <stdint.h>
#include "repo/base/buf.h"
#include "repo/base/err.h"

struct attributes {
	uint64_t ino;
	uint64_t size;
	uint64_t blocks; /* of 512 bytes */
	int64_t mtime_s, ctime_s;
	uint32_t mtime_ns, ctime_ns;
	uint32_t uid, gid;
	uint32_t nlink;
	uint32_t mode; /* S_IFMT | permissions */
	uint32_t dev;  /* dev_t as makedev(3) makes it: Linux has 32 bits */
	uint32_t rdev; /* likewise; of devices */
};

/*
 * Attributes of name in the directory dirfd; name "" for what dirfd itself is
 * open on.  -errno of statx(2), with a sentence that names name.
 */
int attributes_read(int dirfd, const char *name, struct attributes *a,
	struct err *e);

/* Append the target of the symlink name to out, without a terminator.  -EINVAL
 * when it is no symlink, -ENAMETOOLONG over SYMLINK_LEN_MAX bytes. */
int attributes_target(int dirfd, const char *name, struct buf *out,
	struct err *e);

/*
 * Append the encoded extended attributes of name to out, or nothing when it
 * has none or the file system knows none.  name "" for what dirfd is open on
 * (not with O_PATH): when a file is open anyway that is several times faster.
 * Left out: system.* except the two POSIX ACLs.  -E2BIG when they exceed
 * XATTRS_LEN_MAX, -EAGAIN when they keep changing, and of listxattr(2).
 */
int attributes_xattrs(int dirfd, const char *name, struct buf *out,
	struct err *e);

#endif
