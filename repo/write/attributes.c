/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * There is no llistxattr relative to a directory before Linux 6.13, so names
 * go through /proc/self/fd/N/NAME: the kernel resolves N to the open
 * directory itself, and NAME is not followed.
 */
#include "repo/write/attributes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include "repo/format/entry.h"

#define LIST_MAX (64u << 10)  /* XATTR_LIST_MAX */
#define VALUE_MAX (64u << 10) /* XATTR_SIZE_MAX */
#define FIRST_TRY 512	      /* most lists and values are shorter */
#define TRIES 8

static void
from_statx(struct attributes *a, const struct statx *x)
{
	*a = (struct attributes){
		.ino = x->stx_ino,
		.size = x->stx_size,
		.blocks = x->stx_blocks,
		.mtime_s = x->stx_mtime.tv_sec,
		.mtime_ns = x->stx_mtime.tv_nsec,
		.ctime_s = x->stx_ctime.tv_sec,
		.ctime_ns = x->stx_ctime.tv_nsec,
		.uid = x->stx_uid,
		.gid = x->stx_gid,
		.nlink = x->stx_nlink,
		.mode = x->stx_mode,
		.dev = (uint32_t)makedev(x->stx_dev_major, x->stx_dev_minor),
		.rdev = (uint32_t)makedev(
			x->stx_rdev_major, x->stx_rdev_minor),
	};
}

int
attributes_read(int dirfd, const char *name, struct attributes *a,
	struct err *e)
{
	int flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT;
	struct statx x;

	if (!*name)
		flags |= AT_EMPTY_PATH;
	if (statx(dirfd, name, flags, STATX_BASIC_STATS, &x) < 0)
		return err_sys(e, errno, "%s", name);
	from_statx(a, &x);
	return 0;
}

int
attributes_target(int dirfd, const char *name, struct buf *out, struct err *e)
{
	char target[SYMLINK_LEN_MAX + 1];
	ssize_t n = readlinkat(dirfd, name, target, sizeof(target));

	if (n < 0)
		return err_sys(e, errno, "%s", name);
	if (n > SYMLINK_LEN_MAX)
		return err_sys(e, ENAMETOOLONG, "%s", name);
	buf_append(out, target, (size_t)n);
	return 0;
}

/* -- Extended attributes ---------------------------------------------------- */

/* What is asked: a file that is open, or else a path. */
struct subject {
	int fd;
	char path[NAME_LEN_MAX + 32];
};

static ssize_t
list(const struct subject *s, char *out, size_t size)
{
	return *s->path ? llistxattr(s->path, out, size) :
			  flistxattr(s->fd, out, size);
}

static ssize_t
get(const struct subject *s, const char *name, void *out, size_t size)
{
	return *s->path ? lgetxattr(s->path, name, out, size) :
			  fgetxattr(s->fd, name, out, size);
}

/* The names, each terminated; 0 bytes when there are none. */
static int
read_list(const struct subject *s, struct buf *names)
{
	static const size_t sizes[] = { FIRST_TRY, LIST_MAX };

	for (size_t i = 0; i < n_elements(sizes); i++) {
		ssize_t n;

		names->len = 0;
		n = list(s, (char *)buf_reserve(names, sizes[i]), sizes[i]);
		if (n >= 0) {
			names->len = (size_t)n;
			return n > 0 && names->data[n - 1] ? -EIO : 0;
		}
		if (errno == ENOTSUP || errno == ENODATA)
			return 0;
		if (errno != ERANGE)
			return -errno;
	}
	return -E2BIG;
}

/* Append a value; -ENODATA when it is gone or cannot be had. */
static int
read_value(const struct subject *s, const char *name, struct buf *values)
{
	size_t size = FIRST_TRY;

	for (int try = 0; try < TRIES; try++) {
		ssize_t n = get(s, name, buf_reserve(values, size), size);

		if (n >= 0) {
			values->len += (size_t)n;
			return 0;
		}
		if (errno == ENOTSUP)
			return -ENODATA;
		if (errno != ERANGE)
			return -errno;
		size = VALUE_MAX;
	}
	return -EAGAIN;
}

/* The rest of system.* is made up by file systems (NFS, CIFS, btrfs). */
static bool
is_kept(const char *name)
{
	return strncmp(name, "system.", 7) != 0 ||
		strcmp(name, "system.posix_acl_access") == 0 ||
		strcmp(name, "system.posix_acl_default") == 0;
}

struct pair {
	const char *name;
	size_t off, len; /* in values */
};

static int
by_name(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;

	return strcmp(x->name, y->name);
}

/* Read the value of every name that is kept; *n pairs, unsorted. */
static int
read_pairs(const struct subject *s, const struct buf *names,
	struct pair *pairs, size_t *n, struct buf *values)
{
	const char *p = (const char *)names->data, *end = p + names->len;
	size_t total = 0;

	for (*n = 0; p < end; p += strlen(p) + 1) {
		struct pair *x = &pairs[*n];
		int rc;

		if (!is_kept(p))
			continue;
		*x = (struct pair){ .name = p, .off = values->len };
		rc = read_value(s, p, values);
		if (rc == -ENODATA)
			continue;
		if (rc < 0)
			return rc;
		x->len = values->len - x->off;
		total += strlen(p) + x->len + 2 * VARINT_MAX;
		if (total > XATTRS_LEN_MAX)
			return -E2BIG;
		(*n)++;
	}
	return 0;
}

static void
encode(struct buf *out, struct pair *pairs, size_t n, const struct buf *values)
{
	auto_free const char **names = xcalloc(n, sizeof(*names));
	auto_free const void **starts = xcalloc(n, sizeof(*starts));
	auto_free size_t *lens = xcalloc(n, sizeof(*lens));

	qsort(pairs, n, sizeof(*pairs), by_name);
	for (size_t i = 0; i < n; i++) {
		names[i] = pairs[i].name;
		starts[i] = values->data + pairs[i].off;
		lens[i] = pairs[i].len;
	}
	xattrs_encode(out, names, starts, lens, n);
}

static size_t
count_names(const struct buf *names)
{
	size_t n = 0;

	for (size_t i = 0; i < names->len; i++)
		n += names->data[i] == 0;
	return n;
}

static int
read_xattrs(const struct subject *s, struct buf *out)
{
	auto_buf struct buf names = BUF_INIT;
	auto_buf struct buf values = BUF_INIT;
	auto_free struct pair *pairs = NULL;
	size_t n;
	int rc = read_list(s, &names);

	if (rc < 0 || names.len == 0)
		return rc;
	pairs = xcalloc(count_names(&names), sizeof(*pairs));
	rc = read_pairs(s, &names, pairs, &n, &values);
	if (rc == 0 && n > 0)
		encode(out, pairs, n, &values);
	return rc;
}

int
attributes_xattrs(int dirfd, const char *name, struct buf *out, struct err *e)
{
	struct subject s = { .fd = dirfd, .path = "" };
	int rc;

	if (*name && (size_t)snprintf(s.path, sizeof(s.path),
			     "/proc/self/fd/%d/%s", dirfd,
			     name) >= sizeof(s.path))
		return err_sys(e, ENAMETOOLONG, "%s", name);
	rc = read_xattrs(&s, out);
	if (rc == -ENOENT && *name && access("/proc/self/fd", X_OK) < 0)
		return err_set(e, ENOENT,
			"extended attributes of %s need /proc mounted", name);
	if (rc == -E2BIG)
		return err_set(e, E2BIG,
			"%s: extended attributes of more than %u bytes", name,
			XATTRS_LEN_MAX);
	return rc < 0 ? err_sys(e, -rc, "%s: extended attributes", name) : 0;
}
