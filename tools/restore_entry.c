/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/restore.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "repo/base/auto.h"
#include "repo/base/buf.h"
#include "tools/resolve.h"
#include "tools/content.h"

#define WHOLE_MAX (1u << 20) /* files up to here go in one stretch */
#define BIG_MIN (64u << 20)  /* from here on others may help */
#define PIECE_LEN (16u << 20)
#define SYMLINK_ROOM 4096

/* What restoring an entry may come to, beside 0 and -errno. */
enum { ENTRY_KEPT = 1, ENTRY_LEFT_OUT };

/* -- What is in the way
 * ------------------------------------------------------------ */

enum way { WAY_FREE, WAY_KEEP, WAY_REPLACE_FILE };

static bool
is_newer(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec != b->tv_sec ? a->tv_sec > b->tv_sec
				      : a->tv_nsec > b->tv_nsec;
}

/*
 * Something has the entry's name.  May it go?  A file is left in its place
 * until its successor is complete, anything else is removed at once.
 */
static int
clear_way(struct restore *r, struct job *j, enum way *way, struct err *e)
{
	enum restore_overwrite o = r->options->overwrite;
	struct stat st;

	if (o == OVERWRITE_NEVER)
		return err_set(e, EEXIST, "exists (--overwrite replaces it)");
	if (fstatat(j->dir->fd, j->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, errno, "cannot be examined");
	*way = WAY_KEEP;
	if (o == OVERWRITE_IF_NEWER && !is_newer(&j->attr.mtime, &st.st_mtim))
		return 0;
	*way = WAY_REPLACE_FILE;
	if (S_ISREG(st.st_mode) && S_ISREG(j->attr.mode))
		return 0;
	*way = WAY_FREE;
	if (unlinkat(j->dir->fd, j->name,
		    S_ISDIR(st.st_mode) ? AT_REMOVEDIR : 0) < 0)
		return err_sys(e, errno, "cannot be replaced");
	return 0;
}

/* Call make until nothing is in the way; ENTRY_KEPT when what exists stays. */
static int
make_exclusively(struct restore *r, struct job *j,
	int (*make)(struct restore *r, struct job *j), struct err *e)
{
	enum way way;
	int code = make(r, j);

	if (code == -EEXIST) {
		code = clear_way(r, j, &way, e);
		if (code < 0)
			return code;
		if (way == WAY_KEEP)
			return ENTRY_KEPT;
		if (way == WAY_REPLACE_FILE)
			unlinkat(j->dir->fd, j->name, 0);
		code = make(r, j);
	}
	return code < 0 ? err_sys(e, -code, "cannot be made") : 0;
}

/* -- Regular files
 * ---------------------------------------------------------------- */

void
big_file_piece(struct restore *r, const struct piece *piece, struct err *e)
{
	content_write_range(r->view, piece->big->node, piece->off, piece->len,
		piece->big->fd, e);
}

/* One stretch of data: in pieces, of which others may take some. */
static int
write_stretch(struct restore *r, struct big_file *big, bool share, uint64_t off,
	uint64_t end, struct err *e)
{
	while (off < end && !restore_stopped(r)) {
		uint64_t len =
			share && end - off > PIECE_LEN ? PIECE_LEN : end - off;
		struct piece piece = { big, off, len };
		int code;

		off += len;
		if (share && pool_offer(r->pool, &piece))
			continue;
		code = content_write_range(
			r->view, big->node, piece.off, len, big->fd, e);
		if (code < 0)
			return code;
	}
	return 0;
}

/* The stretches between the holes. */
static int
write_stretches(
	struct restore *r, struct big_file *big, uint64_t size, struct err *e)
{
	bool share = size >= BIG_MIN;
	uint64_t off = 0, end;
	int code = 0;

	while (off < size && code == 0 && !restore_stopped(r)) {
		code = view_seek(r->view, big->node, off, SEEK_DATA, &off, e);
		if (code == -ENXIO)
			return 0;
		if (code == 0)
			code = view_seek(
				r->view, big->node, off, SEEK_HOLE, &end, e);
		if (code == 0 && (end <= off || end > size))
			code = err_set(e, EUCLEAN, "holes do not fit the size");
		if (code == 0)
			code = write_stretch(r, big, share, off, end, e);
		off = end;
	}
	return code;
}

static int
write_content(
	struct restore *r, const struct view_attr *a, int fd, struct err *e)
{
	struct big_file big = { .node = a->node, .fd = fd, .e = ERR_INIT };
	int code;

	if (a->size == 0)
		return 0;
	if (a->size <= WHOLE_MAX && a->blocks * 512 >= a->size)
		return content_write_range(r->view, a->node, 0, a->size, fd, e);
	if (ftruncate(fd, (off_t)a->size) < 0)
		return err_sys(e, errno, "cannot have its size");
	code = write_stretches(r, &big, a->size, e);
	pool_wait_big(r->pool, &big);
	if (code == 0 && big.code) {
		*e = big.e;
		code = -big.code;
	}
	return code;
}

/*
 * Open the file to write to.  *hidden: it has no name yet, because the one it
 * replaces stays until the end.  ENTRY_KEPT when what exists
 * stays.
 */
static int
open_new(struct restore *r, struct job *j, int *fd, bool *hidden, struct err *e)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;
	enum way way = WAY_FREE;
	int code;

	*hidden = false;
	*fd = resolve_open(j->dir->fd, j->name, flags, 0600);
	if (*fd == -EEXIST) {
		code = clear_way(r, j, &way, e);
		if (code < 0 || way == WAY_KEEP)
			return code < 0 ? code : ENTRY_KEPT;
		if (way == WAY_REPLACE_FILE) {
			*fd = openat(j->dir->fd, ".",
				O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
			*hidden = *fd >= 0;
		}
		if (!*hidden) {
			unlinkat(j->dir->fd, j->name, 0);
			*fd = resolve_open(j->dir->fd, j->name, flags, 0600);
		}
	}
	return *fd < 0 ? err_sys(e, -*fd, "cannot be made") : 0;
}

/* Give what fd is open on a name. */
static int
link_fd(int fd, int dir_fd, const char *name)
{
	char proc[RESOLVE_PROC_MAX];

	if (linkat(fd, "", dir_fd, name, AT_EMPTY_PATH) == 0)
		return 0;
	if (errno == EEXIST)
		return -EEXIST;
	if (linkat(AT_FDCWD, resolve_proc_path(proc, fd), dir_fd, name,
		    AT_SYMLINK_FOLLOW) == 0)
		return 0;
	return -errno;
}

static int
fill_file(struct restore *r, struct job *j, int fd, bool hidden, struct err *e)
{
	struct meta t = { .fd = fd, .dir = j->dir, .name = j->name };
	int code;

	if (j->dir->inherits_acl)
		meta_drop_acls(fd, false);
	code = write_content(r, &j->attr, fd, e);
	if (code == 0 && restore_stopped(r))
		code = err_set(e, EINTR, "interrupted");
	if (code < 0)
		return code;
	meta_apply(r, &t, &j->attr);
	if (!hidden)
		return 0;
	if (unlinkat(j->dir->fd, j->name, 0) < 0)
		return err_sys(e, errno, "cannot be replaced");
	code = link_fd(fd, j->dir->fd, j->name);
	return code < 0 ? err_sys(e, -code, "cannot be named") : 0;
}

static int
restore_file(struct restore *r, struct job *j, struct stat *st, struct err *e)
{
	auto_close int fd = -1;
	bool hidden;
	int code = open_new(r, j, &fd, &hidden, e);

	if (code)
		return code;
	code = fill_file(r, j, fd, hidden, e);
	if (code < 0 && !hidden)
		unlinkat(j->dir->fd, j->name, 0); /* better none than half */
	if (code == 0 && j->group)
		fstat(fd, st);
	if (code == 0)
		r->report.bytes += j->attr.size;
	return code;
}

/* -- Symlinks, fifos, sockets, devices
 * ---------------------------------------------- */

static int
make_symlink(struct restore *r, struct job *j)
{
	char target[SYMLINK_ROOM + 1];
	struct err e = ERR_INIT;
	ssize_t n =
		view_readlink(r->view, j->attr.node, target, SYMLINK_ROOM, &e);

	if (n < 0)
		return (int)n;
	target[n] = '\0';
	return symlinkat(target, j->dir->fd, j->name) < 0 ? -errno : 0;
}

static int
make_special(struct restore *r, struct job *j)
{
	(void)r;
	return mknodat(j->dir->fd, j->name, (j->attr.mode & S_IFMT) | 0600,
		       (dev_t)j->attr.rdev) < 0
		       ? -errno
		       : 0;
}

static int
restore_special(
	struct restore *r, struct job *j, struct stat *st, struct err *e)
{
	bool is_link = S_ISLNK(j->attr.mode);
	auto_close int fd = -1;
	struct meta t = { .is_path = true, .dir = j->dir, .name = j->name };
	int code = make_exclusively(
		r, j, is_link ? make_symlink : make_special, e);

	if (code == -EPERM &&
		(S_ISCHR(j->attr.mode) || S_ISBLK(j->attr.mode))) {
		restore_lost(&r->report, LOST_DEVICE, EPERM, j->dir, j->name);
		return ENTRY_LEFT_OUT;
	}
	if (code)
		return code;
	fd = resolve_open(j->dir->fd, j->name, O_PATH | O_NOFOLLOW, 0);
	if (fd < 0)
		return err_sys(e, -fd, "cannot be opened");
	if (fstat(fd, st) < 0 ||
		(st->st_mode & S_IFMT) != (j->attr.mode & S_IFMT))
		return err_set(e, ESTALE, "was replaced meanwhile");
	t.fd = fd;
	meta_apply(r, &t, &j->attr);
	return 0;
}

/* -- Names of one file
 * ---------------------------------------------------------------- */

static int
restore_first(struct restore *r, struct job *j, struct stat *st, struct err *e)
{
	if (S_ISREG(j->attr.mode))
		return restore_file(r, j, st, e);
	return restore_special(r, j, st, e);
}

static int
make_link(struct restore *r, struct job *j)
{
	struct link_group *g = j->group;
	auto_close int fd = resolve_open_path(
		r->target_fd, g->path, O_PATH | O_NOFOLLOW, 0);
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0 || st.st_ino != g->ino || st.st_dev != g->dev)
		return -ESTALE; /* somebody put something else there */
	return link_fd(fd, j->dir->fd, j->name);
}

/* The state in which j finds its file: LINK_DONE, or LINK_BUSY by itself. */
static int
claim(struct link_group *g)
{
	auto_lock(&g->lock);
	while (g->state == LINK_BUSY)
		pthread_cond_wait(&g->changed, &g->lock);
	if (g->state == LINK_DONE)
		return LINK_DONE;
	return g->state = LINK_BUSY;
}

static void
settle(struct link_group *g, struct job *j, const struct stat *st, bool done)
{
	auto_lock(&g->lock);
	g->state = done ? LINK_DONE : LINK_NEW;
	if (done) {
		g->path = rdir_path(j->dir, j->name);
		g->dev = st->st_dev;
		g->ino = st->st_ino;
	}
	pthread_cond_broadcast(&g->changed);
}

static int
restore_linked(struct restore *r, struct job *j, struct err *e)
{
	struct stat st = { .st_ino = 0 };
	int code;

	if (claim(j->group) == LINK_DONE)
		return make_exclusively(r, j, make_link, e);
	code = restore_first(r, j, &st, e);
	settle(j->group, j, &st, code == 0);
	return code;
}

void
job_restore(struct restore *r, struct job *j)
{
	struct err e = ERR_INIT;
	struct stat st = { .st_ino = 0 };
	int code = j->group ? restore_linked(r, j, &e)
			    : restore_first(r, j, &st, &e);

	if (code < 0) {
		if (!restore_stopped(r) || code != -EINTR)
			restore_failed(&r->report, j->dir, j->name, &e);
		return;
	}
	r->report.kept += code == ENTRY_KEPT;
	r->report.entries += code == 0;
	r->report.files += code == 0 && S_ISREG(j->attr.mode);
}

/* -- Reading back
 * ------------------------------------------------------------------- */

void
job_verify(struct restore *r, struct job *j)
{
	auto_close int fd = -1;
	struct err e = ERR_INIT;
	struct stat st;
	int same;

	if (!S_ISREG(j->attr.mode))
		return;
	fd = resolve_open(j->dir->fd, j->name,
		O_RDONLY | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK, 0);
	if (fd < 0)
		same = err_sys(&e, -fd, "cannot be read back");
	else if (r->options->overwrite == OVERWRITE_IF_NEWER &&
		 fstat(fd, &st) == 0 && is_newer(&st.st_mtim, &j->attr.mtime))
		return; /* it was kept for that */
	else if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
		 (uint64_t)st.st_size != j->attr.size)
		same = 0;
	else
		same = content_equal_fd(r->view, &j->attr, fd, &e);
	if (same == 0)
		err_set(&e, EBADMSG, "differs from the snapshot");
	if (same <= 0)
		restore_failed(&r->report, j->dir, j->name, &e);
	else
		r->report.verified++;
}
