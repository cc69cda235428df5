/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/cache/files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/statvfs.h>
#include <time.h>
#include "repo/base/clock.h"
#include "repo/base/hex.h"
#include "repo/crypto/id.h"

#define NAME_LEN 128 /* of an object's file, relative to the directory */
#define MS_NS 1000000LL

/* -- The directory ------------------------------------------------------- */

static const char tag[] =
	"Signature: 8a477f597d28d172789f06886806bc55\n"
	"# What is below is fetched again when it is gone (yore cache).\n";

static void
make_parents(const char *path)
{
	auto_free char *p = xstrdup(path);

	for (char *s = strchr(p + 1, '/'); s; s = strchr(s + 1, '/')) {
		*s = '\0';
		(void)mkdir(p, 0700);
		*s = '/';
	}
}

static int
check_owner(int dir, const char *path, struct err *e)
{
	struct stat st;

	if (fstat(dir, &st) < 0)
		return err_sys(e, errno, "cannot stat %s", path);
	if (st.st_uid != geteuid())
		return err_set(e, EACCES,
			"the cache %s belongs to another user", path);
	if (st.st_mode & 022)
		return err_set(e, EACCES,
			"others may write to the cache %s (chmod 700 it)",
			path);
	return 0;
}

static int
open_shared(const struct files *f, const char *name, struct err *e)
{
	int fd = openat(f->dir, name,
		O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);

	if (fd < 0)
		err_sys(e, errno, "cannot open %s/%s", f->path, name);
	return fd < 0 ? -errno : fd;
}

static int
open_inside(struct files *f, struct err *e)
{
	struct statvfs v;
	auto_close int mark = -1;

	if (fstatvfs(f->dir, &v) < 0)
		return err_sys(e, errno, "cannot stat %s", f->path);
	f->block = v.f_frsize > 4096 ? v.f_frsize : 4096;
	if (mkdirat(f->dir, "tmp", 0700) < 0 && errno != EEXIST)
		return err_sys(e, errno, "cannot make %s/tmp", f->path);
	mark = openat(f->dir, "CACHEDIR.TAG",
		O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (mark >= 0)
		(void)files_write(mark, 0, tag, sizeof(tag) - 1);
	f->lock_fd = open_shared(f, "lock", e);
	if (f->lock_fd < 0)
		return f->lock_fd;
	f->epochs_fd = open_shared(f, "epochs", e);
	return f->epochs_fd < 0 ? f->epochs_fd : 0;
}

int
files_open(struct files *f, const char *path, struct err *e)
{
	int r;

	*f = (struct files){ .dir = -1, .lock_fd = -1, .epochs_fd = -1 };
	pthread_mutex_init(&f->lock, NULL);
	make_parents(path);
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return err_sys(e, errno, "cannot make %s", path);
	f->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	f->path = f->dir < 0 ? NULL : realpath(path, NULL);
	if (!f->path)
		return err_sys(e, errno, "cannot open %s", path);
	r = check_owner(f->dir, f->path, e);
	return r < 0 ? r : open_inside(f, e);
}

void
files_release(struct files *f)
{
	auto_close_(&f->dir);
	auto_close_(&f->lock_fd);
	auto_close_(&f->epochs_fd);
	free(f->path);
	pthread_mutex_destroy(&f->lock);
}

/* -- The lock ------------------------------------------------------------ */

static void
doze(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = MS_NS / 2 }, NULL);
}

static int
flock_until(int fd, int64_t deadline_ns)
{
	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return -errno;
		if (clock_mono_ns() >= deadline_ns)
			return -EBUSY;
		doze();
	}
	return 0;
}

/* Replace a shared file's descriptor when its file was removed. */
static int
refresh(struct files *f, int *fd, const char *name)
{
	struct stat st;
	int fresh;

	if (fstat(*fd, &st) == 0 && st.st_nlink > 0)
		return 0;
	fresh = open_shared(f, name, NULL);
	if (fresh < 0)
		return fresh;
	/* others may be reading through this descriptor */
	if (dup3(fresh, *fd, O_CLOEXEC) < 0) {
		close(fresh);
		return -errno;
	}
	close(fresh);
	return 1;
}

static int
lock_file(struct files *f, int64_t until)
{
	int r;

	do {
		r = flock_until(f->lock_fd, until);
		if (r == 0)
			r = refresh(f, &f->lock_fd, "lock");
	} while (r == 1);
	if (r == 0)
		r = refresh(f, &f->epochs_fd, "epochs");
	return r < 0 ? r : 0;
}

int
files_lock(struct files *f, unsigned wait_ms)
{
	int64_t until = clock_mono_ns() + wait_ms * MS_NS;
	int r;

	while (pthread_mutex_trylock(&f->lock) != 0) {
		if (clock_mono_ns() >= until)
			return -EBUSY;
		doze();
	}
	r = lock_file(f, until);
	if (r < 0)
		files_unlock(f);
	return r;
}

void
files_unlock(struct files *f)
{
	flock(f->lock_fd, LOCK_UN);
	pthread_mutex_unlock(&f->lock);
}

/* -- Epochs -------------------------------------------------------------- */

static off_t
slot_of(const struct key *k)
{
	unsigned slot = (k->id[0] << 8 | k->id[1]) ^
			(k->repository[0] << 8 | k->repository[1]);

	return (off_t)(slot % FILES_SLOTS * sizeof(struct epoch));
}

struct epoch
files_epoch(const struct files *f, const struct key *k)
{
	struct epoch ep = { .taken = 0 };

	if (pread(f->epochs_fd, &ep, sizeof(ep), slot_of(k)) !=
		(ssize_t)sizeof(ep))
		ep = (struct epoch){ .taken = 0 };
	return ep;
}

static int
store_epoch(const struct files *f, const struct key *k, struct epoch ep)
{
	return files_write(f->epochs_fd, (uint64_t)slot_of(k), &ep, sizeof(ep));
}

int
files_epoch_taken(const struct files *f, const struct key *k)
{
	struct epoch ep = files_epoch(f, k);

	ep.taken++;
	return store_epoch(f, k, ep);
}

int
files_epoch_added(const struct files *f, const struct key *k)
{
	struct epoch ep = files_epoch(f, k);

	ep.added++;
	return store_epoch(f, k, ep);
}

/* -- Objects ------------------------------------------------------------- */

#define DIGITS (FILES_KEY_LEN * 2)

/* A pack's own id, so that the file is found beside the pack's name. */
static bool
pack_id(const char *name, uint8_t id[FILES_KEY_LEN])
{
	if (strncmp(name, "data/", 5) != 0 && strncmp(name, "meta/", 5) != 0)
		return false;
	return strlen(name) == 8 + DIGITS &&
	       hex_decode(id, FILES_KEY_LEN, name + 8) == 0;
}

void
files_key(struct key *k, const uint8_t repository[REPOSITORY_ID_LEN],
	const char *name)
{
	uint8_t hash[HASH_LEN];

	memcpy(k->repository, repository, REPOSITORY_ID_LEN);
	if (pack_id(name, k->id))
		return;
	sha256(name, strlen(name), hash);
	memcpy(k->id, hash, FILES_KEY_LEN);
}

static void
object_path(char path[NAME_LEN], const struct key *k)
{
	char repository[REPOSITORY_ID_LEN * 2 + 1], id[DIGITS + 1];

	hex_encode(repository, k->repository, REPOSITORY_ID_LEN);
	hex_encode(id, k->id, FILES_KEY_LEN);
	snprintf(path, NAME_LEN, "%s/%.2s/%s", repository, id, id);
}

static bool
is_ours(int fd, struct stat *st)
{
	return fstat(fd, st) == 0 && S_ISREG(st->st_mode) &&
	       st->st_uid == geteuid() && st->st_nlink == 1;
}

static int
open_object(const struct files *f, const char *path, int flags)
{
	auto_close int fd = openat(f->dir, path,
		flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0600);
	struct stat st;

	if (fd < 0)
		return errno == ENOTDIR ? -ENOENT : -errno;
	return is_ours(fd, &st) ? steal_fd(fd) : -EUCLEAN;
}

int
files_object(const struct files *f, const struct key *k, bool punch)
{
	char path[NAME_LEN];

	object_path(path, k);
	return open_object(f, path, punch ? O_RDWR : O_RDONLY);
}

/* The two directories an object's file lies in. */
static void
make_directories(const struct files *f, const char *path)
{
	char dir[NAME_LEN];

	snprintf(dir, sizeof(dir), "%.*s", REPOSITORY_ID_LEN * 2, path);
	(void)mkdirat(f->dir, dir, 0700);
	snprintf(dir, sizeof(dir), "%.*s", REPOSITORY_ID_LEN * 2 + 3, path);
	(void)mkdirat(f->dir, dir, 0700);
}

/* Remove what has an object's name, a directory if it is empty. */
static int
remove_foreign(const struct files *f, const char *path)
{
	if (unlinkat(f->dir, path, 0) == 0)
		return 0;
	return errno == EISDIR ? unlinkat(f->dir, path, AT_REMOVEDIR) : -1;
}

int
files_object_write(const struct files *f, const struct key *k)
{
	char path[NAME_LEN];
	struct stat st;
	int fd;

	object_path(path, k);
	fd = open_object(f, path, O_RDWR | O_CREAT);
	if (fd == -ENOENT) {
		make_directories(f, path);
		fd = open_object(f, path, O_RDWR | O_CREAT);
	}
	if (fd >= 0 && fstat(fd, &st) == 0 && files_is_whole(&st)) {
		close(fd);
		fd = -EACCES;
	}
	if (fd == -ELOOP || fd == -EUCLEAN || fd == -ENXIO || fd == -EACCES ||
		fd == -EISDIR) {
		(void)remove_foreign(f, path);
		fd = open_object(f, path, O_RDWR | O_CREAT | O_EXCL);
	}
	return fd;
}

int
files_remove(const struct files *f, const struct key *k)
{
	char path[NAME_LEN];

	object_path(path, k);
	if (remove_foreign(f, path) < 0 && errno != ENOENT)
		return -errno;
	return files_epoch_taken(f, k);
}

/* -- Whole objects ------------------------------------------------------- */

#define WHOLE_MODE 0400
#define TMP_MAX_AGE_S 3600

int
files_tmp(const struct files *f, char *name)
{
	uint8_t id[FILES_KEY_LEN];
	int fd;

	random_bytes(id, sizeof(id));
	memcpy(name, "tmp/", 4);
	hex_encode(name + 4, id, sizeof(id));
	(void)mkdirat(f->dir, "tmp", 0700);
	fd = openat(f->dir, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	return fd < 0 ? -errno : fd;
}

int
files_tmp_name(
	const struct files *f, const char *name, int fd, const struct key *k)
{
	char path[NAME_LEN];

	object_path(path, k);
	if (fchmod(fd, WHOLE_MODE) < 0)
		return -errno;
	if (renameat(f->dir, name, f->dir, path) == 0)
		return 0;
	if (errno == EISDIR && remove_foreign(f, path) < 0)
		return -EUCLEAN;
	make_directories(f, path);
	return renameat(f->dir, name, f->dir, path) < 0 ? -errno : 0;
}

void
files_tmp_remove(const struct files *f, const char *name)
{
	(void)unlinkat(f->dir, name, 0);
}

void
files_tidy_tmp(const struct files *f)
{
	auto_close int fd = openat(
		f->dir, "tmp", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	auto_closedir DIR *d = fd < 0 ? NULL : fdopendir(fd);
	int64_t now = clock_wall_ns() / NS_PER_S;
	struct stat st;

	if (!d)
		return;
	fd = -1;
	for (struct dirent *de; (de = readdir(d));)
		if (fstatat(dirfd(d), de->d_name, &st, AT_SYMLINK_NOFOLLOW) ==
				0 &&
			!S_ISDIR(st.st_mode) &&
			st.st_mtime < now - TMP_MAX_AGE_S)
			(void)unlinkat(dirfd(d), de->d_name, 0);
}

bool
files_is_whole(const struct stat *st)
{
	return (st->st_mode & 07777) == WHOLE_MODE;
}

/* -- Bytes --------------------------------------------------------------- */

int
files_write(int fd, uint64_t off, const void *data, size_t len)
{
	const char *p = data;

	while (len > 0) {
		ssize_t n = pwrite(fd, p, len, (off_t)off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -ENOSPC;
		p += n;
		off += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

int
files_read(int fd, uint64_t off, void *buf, size_t len)
{
	char *p = buf;

	while (len > 0) {
		ssize_t n = pread(fd, p, len, (off_t)off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -ENODATA;
		p += n;
		off += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

static int
punch(int fd, uint64_t from, uint64_t to)
{
	if (from >= to)
		return 0;
	while (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		       (off_t)from, (off_t)(to - from)) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

int
files_punch(const struct files *f, int fd, uint64_t from, uint64_t to,
	const struct ranges *keep)
{
	for (size_t i = 0; i < keep->n; i++) {
		uint64_t first = keep->r[i].from / f->block * f->block;
		int r = punch(fd, from, first < to ? first : to);

		if (r < 0)
			return r;
		if (keep->r[i].to > from)
			from = (keep->r[i].to + f->block - 1) / f->block *
			       f->block;
	}
	return punch(fd, from, to);
}
