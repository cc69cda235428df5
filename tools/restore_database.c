/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Restoring a database: poured into a file beside its target under another name,
 * compared with the hash that was stored with it on the way, made durable, and
 * only then given its name.  What a database of that name had beside it (-wal, -shm, -journal) is
 * not its own and would be taken for it: it goes first.
 */
#include "tools/restore.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>
#include "repo/base/auto.h"
#include "repo/base/buf.h"
#include "repo/base/hex.h"
#include "repo/crypto/keyring.h"
#include "repo/sqlite/database_view.h"
#include "tools/resolve.h"

#define READ_LEN (1u << 20)
#define SYNC_LEN (32u << 20)

struct place {
	int dir;	   /* owned */
	const char *shown; /* the target as given; borrowed */
	char name[256];
	char temporary[256];
};

/* -- Where to --------------------------------------------------------------- */

/* The name of the database in its view. */
static bool
take_name(void *ctx, const struct view_dirent *d)
{
	char *name = ctx;

	memcpy(name, d->name, d->name_len);
	name[d->name_len] = '\0';
	return false;
}

static int
set_name(struct place *p, const char *name, struct err *e)
{
	if (!resolve_name_ok(name, strlen(name)))
		return err_set(e, EINVAL, "%s: cannot name a file", p->shown);
	snprintf(p->name, sizeof(p->name), "%s", name);
	return 0;
}

/* Target is the file to be, or a directory to put it into. */
static int
find_place(struct restore *r, const char *target, struct place *p,
	struct err *e)
{
	auto_free char *path = xstrdup(target);
	char own[256] = "";
	char *slash;
	int code;

	p->shown = target;
	code = view_list(r->view, VIEW_ROOT, 0, take_name, own, e);
	if (code < 0)
		return code;
	p->dir = open(target, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (p->dir >= 0)
		return set_name(p, own, e);
	slash = strrchr(path, '/');
	code = set_name(p, slash ? slash + 1 : path, e);
	if (code < 0)
		return code;
	if (slash)
		slash[slash == path] = '\0';
	p->dir = open(slash ? path : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return p->dir < 0 ? err_sys(e, errno, "%s", slash ? path : ".") : 0;
}

static bool
exists(const struct place *p)
{
	struct stat st;

	return fstatat(p->dir, p->name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* -- Content ---------------------------------------------------------------- */

static int
write_all(int fd, const void *data, size_t left, uint64_t off, struct err *e)
{
	const char *from = data;

	while (left > 0) {
		ssize_t n = pwrite(fd, from, left, (off_t)off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_sys(
				e, n ? errno : EIO, "cannot be written");
		from += n;
		left -= (size_t)n;
		off += (uint64_t)n;
	}
	return 0;
}

/* The disk begins when there is a little: else all of it waits for the end. */
static void
count_written(struct restore *r, int fd, size_t len)
{
	uint64_t before = atomic_fetch_add(&r->report.bytes, len);

	if (before / SYNC_LEN != (before + len) / SYNC_LEN)
		sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
}

/* Copy the database; check hears of it in order. */
static int
copy(struct restore *r, uint64_t size, int fd, struct view_check *check,
	struct err *e)
{
	uint64_t off = 0;
	int code = 0;

	while (off < size && code == 0) {
		auto_view_data struct view_data d = VIEW_DATA_INIT;

		if (restore_stopped(r))
			return err_set(e, EINTR, "interrupted");
		code = view_read(r->view, DATABASE_RAW_NODE, off, READ_LEN, &d,
			e);
		if (code == 0 && d.len == 0)
			code = err_set(e, EUCLEAN, "the database is cut off");
		for (int i = 0; i < d.n && code == 0; i++) {
			size_t len = d.iov[i].iov_len;

			code = write_all(fd, d.iov[i].iov_base, len, off, e);
			if (check)
				view_check_add(check, d.iov[i].iov_base, len);
			off += len;
		}
		count_written(r, fd, d.len);
	}
	return code;
}

static int
copy_in_order(struct restore *r, uint64_t size, int fd, struct err *e)
{
	struct view_check *check = NULL;
	int code = view_check(r->view, DATABASE_RAW_NODE, &check, e);

	if (code == 0)
		code = copy(r, size, fd, check, e);
	if (!check)
		return code;
	if (code < 0) {
		view_check_end(check, NULL);
		return code;
	}
	code = view_check_end(check, e);
	r->report.verified += code == 0;
	return code;
}

struct sink {
	struct view_sink sink; /* first */
	struct restore *r;
	int fd;
};

static int
put(struct view_sink *vs, uint64_t off, const void *data, size_t len,
	struct err *e)
{
	struct sink *s = (struct sink *)vs;
	int code;

	if (restore_stopped(s->r))
		return err_set(e, EINTR, "interrupted");
	code = write_all(s->fd, data, len, off, e);
	if (code == 0)
		count_written(s->r, s->fd, len);
	return code;
}

/* Its blocks, side by side, before they come in any order; where that is not to
 * be had, its length. */
static int
make_room(int fd, uint64_t size, struct err *e)
{
	if (size == 0 || fallocate(fd, 0, 0, (off_t)size) == 0)
		return 0;
	if (errno == ENOSPC || errno == EDQUOT || errno == EFBIG ||
		ftruncate(fd, (off_t)size) < 0)
		return err_sys(e, errno, "cannot be written");
	return 0;
}

/* From several threads, in the order in which it comes fastest; where that is
 * not offered, from the beginning. */
static int
copy_checked(struct restore *r, uint64_t size, int fd, struct err *e)
{
	struct sink s = { .sink = { put }, .r = r, .fd = fd };
	int code = make_room(fd, size, e);

	if (code == 0)
		code = view_pour(r->view, DATABASE_RAW_NODE, &s.sink, e);
	if (code == 0)
		r->report.verified++;
	if (code != -EOPNOTSUPP)
		return code;
	r->report.bytes = 0;
	return copy_in_order(r, size, fd, e);
}

/* -- Naming ------------------------------------------------------------------ */

static int
remove_companions(const struct place *p, struct err *e)
{
	static const char *const ends[] = { "-wal", "-shm", "-journal" };

	for (size_t i = 0; i < n_elements(ends); i++) {
		auto_free char *name = xasprintf("%s%s", p->name, ends[i]);

		if (unlinkat(p->dir, name, 0) < 0 && errno != ENOENT)
			return err_sys(e, errno, "%s: cannot be removed", name);
	}
	return 0;
}

static int
give_name(struct restore *r, const struct place *p, struct err *e)
{
	bool replace = r->options->overwrite != OVERWRITE_NEVER;
	int code;

	if (!replace && exists(p))
		return err_set(e, EEXIST, "exists (--overwrite replaces it)");
	code = remove_companions(p, e);
	if (code < 0)
		return code;
	if (renameat2(p->dir, p->temporary, p->dir, p->name,
		    replace ? 0 : RENAME_NOREPLACE) < 0 &&
		(errno != EINVAL ||
			renameat(p->dir, p->temporary, p->dir, p->name) < 0))
		return err_sys(e, errno, "cannot have its name");
	if (fsync(p->dir) < 0)
		return err_sys(e, errno, "its directory cannot be synced");
	return 0;
}

static int
finish_file(int fd, const struct view_attr *a, struct err *e)
{
	const struct timespec times[2] = { a->mtime, a->mtime };

	if (geteuid() == 0 && fchown(fd, a->uid, a->gid) < 0)
		return err_sys(e, errno, "owner");
	if (fchmod(fd, (a->mode & 0777) | 0600) < 0 || futimens(fd, times) < 0)
		return err_sys(e, errno, "attributes");
	return fsync(fd) < 0 ? err_sys(e, errno, "cannot be synced") : 0;
}

static int
fill(struct restore *r, struct place *p, struct err *e)
{
	struct view_attr a;
	uint8_t id[6];
	char hex[2 * sizeof(id) + 1];
	int code = view_attr(r->view, DATABASE_RAW_NODE, &a, e);

	if (code < 0)
		return code;
	random_bytes(id, sizeof(id));
	snprintf(p->temporary, sizeof(p->temporary), ".yore-restore-%s",
		hex_encode(hex, id, sizeof(id)));
	auto_close int fd = resolve_open(
		p->dir, p->temporary, O_WRONLY | O_CREAT | O_EXCL, 0600);
	if (fd < 0)
		return err_sys(e, -fd, "cannot be made");
	code = copy_checked(r, a.size, fd, e);
	if (code == 0)
		code = finish_file(fd, &a, e);
	if (code == 0)
		code = give_name(r, p, e);
	if (code < 0)
		unlinkat(p->dir, p->temporary, 0);
	return code;
}

int
restore_database(struct restore *r, const char *target, struct err *e)
{
	struct place p = { .dir = -1 };
	int code = find_place(r, target, &p, e);
	bool there = code == 0 && exists(&p);

	if (there && r->options->if_missing)
		r->report.kept++;
	else if (there && r->options->overwrite == OVERWRITE_NEVER)
		code = err_set(e, EEXIST, "exists (--overwrite replaces it)");
	else if (code == 0 && !r->options->dry_run)
		code = fill(r, &p, e);
	if (code == 0 && !(there && r->options->if_missing)) {
		r->report.files++;
		r->report.entries++;
	}
	if (p.dir >= 0)
		close(p.dir);
	if (code < 0 && *p.name)
		err_prefix(e, "%s", target);
	return code;
}
