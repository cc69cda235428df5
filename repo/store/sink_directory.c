/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The writing half of the directory store: see directory.h for the order of
 * steps.  The link is the moment an object exists; it is made only after the
 * data is on the disk, and commit returns only after the link is, too.
 *
 * A directory that this process has not used before may have been made by one
 * that died before it was durable, so its parents are synced once as well.
 */
#include "repo/store/directory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "repo/base/buf.h"
#include "repo/base/clock.h"
#include "repo/base/hex.h"
#include "repo/crypto/keyring.h"
#include "repo/store/beneath.h"
#include "repo/store/direct.h"

#define WRITE_SIZE                                                           \
	(1u << 20)	      /* appends are gathered to writes of this size \
			       */
#define FLUSH_SIZE (8u << 20) /* and the disk is set to work this often */
#define TMP_NAME_LEN 36	      /* tmp/ and 32 digits */
#define TMP_DIGITS 32
#define TMP_MAX_AGE_S (24 * 3600)
#define KNOWN_MAX 4096

struct directory_sink {
	struct sink sink;
	pthread_mutex_t lock;
	char *known[KNOWN_MAX]; /* directories that are durable */
	size_t n_known;
	/* immutable */
	int root;
};

struct directory_upload {
	struct upload upload;
	struct directory_sink *sink;
	char *name;
	char tmp[TMP_NAME_LEN + 1];
	int fd;
	uint64_t written;
	uint64_t flushed;
	bool broken; /* a write failed: never to be named */
	bool direct; /* fd writes past the page cache */
	size_t n_pending;
	uint8_t *pending; /* WRITE_SIZE bytes, in whole pages */
	void *memory;	  /* that they lie in */
};

static struct directory_sink *
sink_of(struct sink *s)
{
	return (struct directory_sink *)s;
}

static struct directory_upload *
upload_of(struct upload *u)
{
	return (struct directory_upload *)u;
}

/* -- Directories --------------------------------------------------------- */

static int
sync_fd(int fd, const char *what, struct err *e)
{
	if (fsync(fd) == 0)
		return 0;
	/* file systems that cannot sync a directory say so this way */
	if (errno == EINVAL || errno == ENOTSUP)
		return 0;
	return err_sys(e, errno, "cannot sync %s", what);
}

/* The descriptor of a directory below the root; "" is the root. */
static int
open_directory(struct directory_sink *s, const char *path, struct err *e)
{
	return beneath_open(
		s->root, *path ? path : ".", O_RDONLY | O_DIRECTORY, e);
}

/* The directory part of name, without its '/'; "" for the root. */
static char *
parent_of(const char *name)
{
	const char *slash = strrchr(name, '/');
	size_t len = slash ? (size_t)(slash - name) : 0;
	char *parent = xmemdup(name, len + 1);

	parent[len] = '\0';
	return parent;
}

static bool
is_known(struct directory_sink *s, const char *path)
{
	auto_lock(&s->lock);

	for (size_t i = 0; i < s->n_known; i++)
		if (strcmp(s->known[i], path) == 0)
			return true;
	return false;
}

static void
remember(struct directory_sink *s, const char *path)
{
	auto_lock(&s->lock);

	if (s->n_known < KNOWN_MAX)
		s->known[s->n_known++] = xstrdup(path);
}

/* Make one directory in its existing parent, unless it exists. */
static int
make_one(struct directory_sink *s, const char *path, struct err *e)
{
	auto_free char *parent = parent_of(path);
	auto_close int fd = open_directory(s, parent, e);
	const char *base = *parent ? path + strlen(parent) + 1 : path;

	if (fd < 0)
		return fd;
	if (mkdirat(fd, base, 0700) == 0)
		(void)fchmodat(fd, base, 0700, 0); /* whatever the umask */
	else if (errno != EEXIST)
		return err_sys(e, errno, "cannot make directory %s", path);
	return sync_fd(fd, *parent ? parent : "the repository", e);
}

/* Make path and all above it, durably; returns a descriptor of it. */
static int
make_directories(struct directory_sink *s, const char *path, struct err *e)
{
	bool known = !*path || is_known(s, path);
	int fd = known ? open_directory(s, path, e) : -ENOENT;

	if (fd != -ENOENT || !*path)
		return fd;
	auto_free char *parent = parent_of(path);
	auto_close int above = make_directories(s, parent, e);
	int r = above < 0 ? above : make_one(s, path, e);

	if (r < 0)
		return r;
	if (!known)
		remember(s, path);
	return open_directory(s, path, e);
}

/* -- Writing ------------------------------------------------------------- */

/* From now on; false: it is so already, or cannot be. */
static bool
through_cache(struct directory_upload *u)
{
	if (!u->direct || !direct_set(u->fd, false))
		return false;
	u->direct = false;
	return true;
}

static int
write_fully(
	struct directory_upload *u, const void *data, size_t len, struct err *e)
{
	const char *p = data;

	while (len > 0) {
		ssize_t n = write(u->fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EINVAL && through_cache(u))
			continue;
		if (n <= 0) {
			u->broken = true;
			return err_sys(e, n < 0 ? errno : ENOSPC,
				"cannot write %s", u->name);
		}
		p += n;
		len -= (size_t)n;
		u->written += (uint64_t)n;
	}
	if (u->written - u->flushed >= FLUSH_SIZE && !u->direct) {
		/* begin now what fsync will wait for */
		(void)sync_file_range(u->fd, (off_t)u->flushed,
			(off_t)(u->written - u->flushed),
			SYNC_FILE_RANGE_WRITE);
		u->flushed = u->written;
	}
	return 0;
}

static int
write_pending(struct directory_upload *u, struct err *e)
{
	size_t n = u->n_pending;

	u->n_pending = 0;
	return write_fully(u, u->pending, n, e);
}

static int
directory_append(struct upload *up, const void *data, size_t len, struct err *e)
{
	struct directory_upload *u = upload_of(up);
	const uint8_t *p = data;
	int r = 0;

	if (!u->memory) {
		u->memory = xmalloc(WRITE_SIZE + STORE_ALIGN);
		u->pending = store_align(u->memory, 0);
	}
	while (r == 0 && len > 0) {
		size_t room = WRITE_SIZE - u->n_pending;
		size_t n = len < room ? len : room;

		memcpy(u->pending + u->n_pending, p, n);
		u->n_pending += n;
		p += n;
		len -= n;
		if (u->n_pending == WRITE_SIZE)
			r = write_pending(u, e);
	}
	return r;
}

static void
upload_free(struct directory_upload *u)
{
	if (u->fd >= 0)
		close(u->fd);
	free(u->memory);
	free(u->name);
	free(u);
}

static void
directory_abort(struct upload *up)
{
	struct directory_upload *u = upload_of(up);

	(void)unlinkat(u->sink->root, u->tmp, 0);
	upload_free(u);
}

/* -- Naming -------------------------------------------------------------- */

/* File systems without hard links have this instead. */
static int
rename_exclusively(struct directory_upload *u, int dir, const char *base)
{
	return renameat2(u->sink->root, u->tmp, dir, base, RENAME_NOREPLACE);
}

/* A link may have been made although the answer got lost (NFS). */
static bool
was_linked(struct directory_upload *u)
{
	struct stat st;

	return fstat(u->fd, &st) == 0 && st.st_nlink == 2;
}

static int
link_to_name(
	struct directory_upload *u, int dir, const char *base, struct err *e)
{
	int r = linkat(u->sink->root, u->tmp, dir, base, 0);

	if (r < 0 && (errno == EPERM || errno == ENOTSUP || errno == ENOSYS))
		r = rename_exclusively(u, dir, base);
	else if (r < 0 && errno == EEXIST && was_linked(u))
		r = 0;
	if (r == 0)
		return 0;
	if (errno == EEXIST)
		return err_set(e, EEXIST, "%s exists already", u->name);
	return err_sys(e, errno, "cannot give %s its name", u->name);
}

/* Everything that must be on the disk before the name. */
static int
finish_data(struct directory_upload *u, struct err *e)
{
	if (u->broken)
		return err_set(
			e, EIO, "%s was not written completely", u->name);
	(void)through_cache(u); /* the end is no whole page */
	int r = write_pending(u, e);

	if (r == 0 && fsync(u->fd) < 0)
		r = err_sys(e, errno, "cannot sync %s", u->name);
	return r;
}

static int
commit(struct directory_upload *u, struct err *e)
{
	auto_free char *parent = parent_of(u->name);
	const char *base = *parent ? u->name + strlen(parent) + 1 : u->name;
	int r = finish_data(u, e);

	if (r < 0)
		return r;
	auto_close int dir = make_directories(u->sink, parent, e);

	if (dir < 0)
		return dir;
	r = link_to_name(u, dir, base, e);
	if (r < 0)
		return r;
	r = sync_fd(dir, *parent ? parent : "the repository", e);
	if (r < 0)
		(void)unlinkat(dir, base, 0);
	return r;
}

static int
directory_commit(struct upload *up, struct err *e)
{
	int r = commit(upload_of(up), e);

	directory_abort(up); /* the name stays, tmp/ is cleared */
	return r;
}

/* -- The sink ------------------------------------------------------------ */

static const struct sink_ops directory_sink_ops;

/* A new empty file in tmp/. */
static int
create_temporary(struct directory_upload *u, struct err *e)
{
	uint8_t id[TMP_DIGITS / 2];
	auto_close int tmp = make_directories(u->sink, "tmp", e);

	if (tmp < 0)
		return tmp;
	random_bytes(id, sizeof(id));
	hex_encode(stpcpy(u->tmp, "tmp/"), id, sizeof(id));
	u->fd = openat(tmp, u->tmp + 4,
		O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (u->fd < 0)
		return err_sys(e, errno, "cannot begin %s", u->name);
	(void)fchmod(u->fd, 0600); /* whatever the umask */
	/* of what is read past it, too (direct.h) */
	u->direct = strncmp(u->name, "data/", 5) == 0 &&
		    direct_set(u->fd, true);
	return 0;
}

static int
directory_begin(
	struct sink *s, const char *name, struct upload **up, struct err *e)
{
	struct directory_upload *u = xcalloc(1, sizeof(*u));
	int r;

	u->upload.ops = &directory_sink_ops;
	u->sink = sink_of(s);
	u->name = xstrdup(name);
	u->fd = -1;
	r = create_temporary(u, e);
	if (r < 0)
		upload_free(u);
	else
		*up = &u->upload;
	return r;
}

static int
directory_put(struct sink *s, const char *name, const void *data, size_t len,
	struct err *e)
{
	struct upload *up = NULL;
	int r = directory_begin(s, name, &up, e);

	if (r < 0)
		return r;
	r = write_fully(upload_of(up), data, len, e);
	if (r == 0)
		return directory_commit(up, e);
	directory_abort(up);
	return r;
}

static int
directory_remove(struct sink *s, const char *name, struct err *e)
{
	auto_free char *parent = parent_of(name);
	auto_close int dir = open_directory(sink_of(s), parent, e);

	if (dir < 0)
		return dir;
	if (unlinkat(dir, *parent ? name + strlen(parent) + 1 : name, 0) == 0)
		return 0;
	if (errno == ENOENT)
		return err_set(e, ENOENT, "%s does not exist", name);
	return err_sys(e, errno, "cannot remove %s", name);
}

static void
directory_sink_free(struct sink *s)
{
	struct directory_sink *d = sink_of(s);

	for (size_t i = 0; i < d->n_known; i++)
		free(d->known[i]);
	pthread_mutex_destroy(&d->lock);
	close(d->root);
	free(d);
}

static const struct sink_ops directory_sink_ops = {
	.put = directory_put,
	.begin = directory_begin,
	.append = directory_append,
	.commit = directory_commit,
	.abort = directory_abort,
	.remove = directory_remove,
	.free = directory_sink_free,
};

/* -- Opening ------------------------------------------------------------- */

static bool
is_abandoned(int tmp, const char *name)
{
	int64_t limit = clock_wall_ns() / NS_PER_S - TMP_MAX_AGE_S;
	struct stat st;

	if (strlen(name) != TMP_DIGITS ||
		strspn(name, "0123456789abcdef") != TMP_DIGITS)
		return false;
	return fstatat(tmp, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISREG(st.st_mode) && st.st_mtime < limit;
}

/* What crashes left; nobody minds if some of it stays. */
static void
clear_abandoned(struct directory_sink *s)
{
	int fd = open_directory(s, "tmp", NULL);
	auto_closedir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!dir && fd >= 0)
		close(fd);
	while (dir && (entry = readdir(dir)))
		if (is_abandoned(fd, entry->d_name))
			(void)unlinkat(fd, entry->d_name, 0);
}

/* The repository's own directory, and that it is one, durable. */
static int
make_root(const char *path, struct err *e)
{
	auto_free char *parent = NULL;

	if (mkdir(path, 0700) < 0)
		return errno == EEXIST
			       ? 0
			       : err_sys(e, errno, "cannot make %s", path);
	parent = xasprintf("%s/..", path);
	auto_close int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? 0 : sync_fd(fd, parent, e);
}

int
sink_directory_open(
	const char *path, bool create, struct sink **s, struct err *e)
{
	int r = create ? make_root(path, e) : 0;

	if (r < 0)
		return r;
	auto_close int root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (root < 0)
		return err_sys(e, errno, "cannot open %s", path);
	struct directory_sink *d = xcalloc(1, sizeof(*d));

	pthread_mutex_init(&d->lock, NULL);
	d->sink.ops = &directory_sink_ops;
	d->root = steal_fd(root);
	clear_abandoned(d);
	*s = &d->sink;
	return 0;
}
