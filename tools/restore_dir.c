/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/restore.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>
#include "repo/base/auto.h"
#include "repo/base/buf.h"
#include "tools/resolve.h"

#define OPEN_DIR (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NOCTTY)

static struct rdir *
rdir_new(struct restore *r, struct rdir *parent, const char *name, int fd,
	const struct view_attr *a)
{
	size_t len = strlen(name);
	struct rdir *d = xcalloc(1, sizeof(*d) + len + 1);

	memcpy(d->name, name, len + 1);
	d->restore = r;
	d->parent = parent ? rdir_get(parent) : NULL;
	d->fd = fd;
	d->refs = 1;
	d->attr = *a;
	return d;
}

static bool
has_default_acl(int fd)
{
	return fgetxattr(fd, "system.posix_acl_default", NULL, 0) > 0;
}

struct rdir *
rdir_top(struct restore *r, int fd, const struct view_attr *a, bool apply)
{
	struct rdir *d = rdir_new(r, NULL, "", fd, a);

	d->apply = apply;
	d->inherits_acl = has_default_acl(fd);
	return d;
}

/* Attributes it has but the snapshot's may not have. */
static void
drop_xattrs(int fd)
{
	auto_buf struct buf names = BUF_INIT;
	ssize_t n = flistxattr(fd, NULL, 0);

	if (n <= 0)
		return;
	buf_reserve(&names, (size_t)n);
	n = flistxattr(fd, (char *)names.data, (size_t)n);
	for (ssize_t at = 0; at < n;) {
		const char *name = (char *)names.data + at;

		/* labels belong to the machine's policy, not to us */
		if (strncmp(name, "security.", 9) != 0)
			fremovexattr(fd, name);
		at += (ssize_t)strlen(name) + 1;
	}
}

/* A directory that was there: may we write in it, is it ours to change? */
static void
adopt(struct rdir *d)
{
	struct stat st;

	d->apply = d->restore->options->overwrite != OVERWRITE_NEVER;
	d->inherits_acl = has_default_acl(d->fd);
	if (!d->apply)
		return;
	if (fstat(d->fd, &st) == 0 && (st.st_mode & 0700) != 0700)
		fchmod(d->fd, (st.st_mode & 07777) | 0700);
}

/* What is called name is no directory: remove it when that is allowed. */
static int
replace(struct rdir *parent, const char *name, struct err *e)
{
	if (parent->restore->options->overwrite == OVERWRITE_NEVER)
		return err_set(e, EEXIST, "exists and is not a directory");
	if (unlinkat(parent->fd, name, 0) < 0 ||
		mkdirat(parent->fd, name, 0700) < 0)
		return err_sys(e, errno, "cannot replace it by a directory");
	return 0;
}

struct rdir *
rdir_open(struct rdir *parent, const char *name, const struct view_attr *a,
	struct err *e)
{
	int fd = resolve_open(parent->fd, name, OPEN_DIR, 0);

	if (fd < 0) {
		err_sys(e, -fd, "cannot open the directory");
		return NULL;
	}
	return rdir_new(parent->restore, parent, name, fd, a);
}

struct rdir *
rdir_make(struct rdir *parent, const char *name, const struct view_attr *a,
	struct err *e)
{
	bool made = mkdirat(parent->fd, name, 0700) == 0;
	struct rdir *d;
	struct stat st;

	if (!made && errno != EEXIST) {
		err_sys(e, errno, "cannot make the directory");
		return NULL;
	}
	if (!made && fstatat(parent->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		!S_ISDIR(st.st_mode)) {
		if (replace(parent, name, e) < 0)
			return NULL;
		made = true;
	}
	d = rdir_open(parent, name, a, e);
	if (!d)
		return NULL;
	d->apply = made;
	if (made && parent->inherits_acl)
		meta_drop_acls(d->fd, true);
	if (!made)
		adopt(d);
	return d;
}

struct rdir *
rdir_get(struct rdir *d)
{
	d->refs++;
	return d;
}

/* Everything below is there: now its own attributes. */
static void
finish(struct rdir *d)
{
	struct meta t = { .fd = d->fd, .dir = d };

	if (!d->apply || restore_stopped(d->restore))
		return;
	drop_xattrs(d->fd);
	meta_apply(d->restore, &t, &d->attr);
}

void
rdir_put(struct rdir *d)
{
	while (d && --d->refs == 0) {
		struct rdir *parent = d->parent;

		finish(d);
		close(d->fd);
		free(d);
		d = parent;
	}
}

char *
rdir_path(const struct rdir *d, const char *name)
{
	size_t len = name ? strlen(name) : 0, at;
	char *path;

	for (const struct rdir *p = d; p && p->parent; p = p->parent)
		len += strlen(p->name) + 1;
	path = xmalloc(len + 2);
	at = len;
	path[at] = '\0';
	if (name) {
		at -= strlen(name);
		memcpy(path + at, name, strlen(name));
	}
	for (const struct rdir *p = d; p && p->parent; p = p->parent) {
		size_t n = strlen(p->name);

		path[--at] = '/';
		at -= n;
		memcpy(path + at, p->name, n);
	}
	if (!name && len)
		path[len - 1] = '\0'; /* no '/' behind a directory */
	if (!*path)
		strcpy(path, ".");
	return path;
}
