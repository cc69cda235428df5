/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The order matters: changing the owner clears setuid, setgid and file
 * capabilities, so it comes first; attributes need a mode that lets us write,
 * so the mode comes after them; times come last.
 */
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
#include "tools/xattr.h"

#define ACL_ACCESS "system.posix_acl_access"
#define ACL_DEFAULT "system.posix_acl_default"

void
meta_drop_acls(int fd, bool is_dir)
{
	fremovexattr(fd, ACL_ACCESS);
	if (is_dir)
		fremovexattr(fd, ACL_DEFAULT);
}

static int
change_owner(int fd, uid_t uid, gid_t gid)
{
	return fchownat(fd, "", uid, gid, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW);
}

/* Set the owner; returns the setid bits that must not be set because the
 * owner they would lend rights of is another. */
static uint32_t
set_owner(struct restore *r, const struct meta *t, struct stat *st,
	const struct view_attr *a)
{
	uint32_t denied = 0;
	int code;

	if (st->st_uid == a->uid && st->st_gid == a->gid)
		return 0;
	if (change_owner(t->fd, a->uid, a->gid) < 0) {
		code = errno;
		if (st->st_uid != a->uid)
			denied |= S_ISUID;
		if (st->st_gid != a->gid &&
			change_owner(t->fd, (uid_t)-1, a->gid) < 0)
			denied |= S_ISGID;
		restore_lost(&r->report, LOST_OWNER, code, t->dir, t->name);
	}
	fstat(t->fd, st); /* setid bits may be gone */
	if (S_ISDIR(a->mode))
		denied = 0; /* there they lend nothing */
	if (denied & a->mode)
		restore_lost(&r->report, LOST_SETID, EPERM, t->dir, t->name);
	return denied;
}

static enum restore_kind
kind_of(const char *name)
{
	if (strcmp(name, ACL_ACCESS) == 0 || strcmp(name, ACL_DEFAULT) == 0)
		return LOST_ACL;
	if (strcmp(name, "security.capability") == 0)
		return LOST_CAPABILITY;
	return LOST_XATTR;
}

static void
set_xattr(struct restore *r, const struct meta *t, const char *name,
	const struct buf *value)
{
	char proc[RESOLVE_PROC_MAX];
	int failed =
		t->is_path ? setxattr(resolve_proc_path(proc, t->fd), name,
				     value->data, value->len, 0)
			   : fsetxattr(t->fd, name, value->data, value->len, 0);

	if (failed)
		restore_lost(&r->report, kind_of(name), errno, t->dir, t->name);
}

static void
set_xattrs(struct restore *r, const struct meta *t, uint64_t node)
{
	auto_buf struct buf names = BUF_INIT, value = BUF_INIT;
	struct err e = ERR_INIT;
	const char *name;
	size_t at = 0;
	int code = xattr_names(r->view, node, &names, &e);

	while (code == 0 && (name = xattr_next(&names, &at))) {
		code = xattr_value(r->view, node, name, &value, &e);
		if (code == 0)
			set_xattr(r, t, name, &value);
	}
	if (code < 0)
		restore_failed(&r->report, t->dir, t->name, &e);
}

static void
set_mode(struct restore *r, const struct meta *t, const struct stat *st,
	const struct view_attr *a, uint32_t denied)
{
	mode_t mode = a->mode & 07777 & ~denied;
	char proc[RESOLVE_PROC_MAX];

	if (S_ISLNK(a->mode) ||
		((st->st_mode & 07777) == mode && !a->has_xattrs))
		return;
	if (t->is_path ? chmod(resolve_proc_path(proc, t->fd), mode)
		       : fchmod(t->fd, mode))
		restore_lost(&r->report, LOST_MODE, errno, t->dir, t->name);
}

static void
set_times(struct restore *r, const struct meta *t, const struct view_attr *a)
{
	const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT },
		a->mtime };
	int failed = t->is_path ? utimensat(t->fd, "", times, AT_EMPTY_PATH)
				: futimens(t->fd, times);

	if (failed)
		restore_lost(&r->report, LOST_TIMES, errno, t->dir, t->name);
}

void
meta_apply(struct restore *r, const struct meta *t, const struct view_attr *a)
{
	uint32_t denied;
	struct stat st;
	struct err e = ERR_INIT;

	if (fstat(t->fd, &st) < 0) {
		err_sys(&e, errno, "cannot be examined");
		restore_failed(&r->report, t->dir, t->name, &e);
		return;
	}
	denied = set_owner(r, t, &st, a);
	if (a->has_xattrs)
		set_xattrs(r, t, a->node);
	set_mode(r, t, &st, a, denied);
	set_times(r, t, a);
}
