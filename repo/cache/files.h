/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The cache's directory: who may use it, the lock, the epochs, the files of
 * objects.  Everything is opened relative to the directory, never through a
 * symbolic link; what is not a plain file of ours is not used.
 */
#ifndef YORE_CACHE_FILES_H
#define YORE_CACHE_FILES_H

#include <pthread.h>
#include <sys/stat.h>
#include "repo/base/err.h"
#include "repo/cache/ranges.h"
#include "repo/crypto/keyring.h"

#define FILES_KEY_LEN 16

/* Which object: in whose repository, and the digits of its file. */
struct key {
	uint8_t repository[REPOSITORY_ID_LEN];
	uint8_t id[FILES_KEY_LEN];
};

/*
 * What has happened to the objects that share a slot.  `taken` is raised
 * before bytes go away, `added` after bytes have come: who looked at the ledger
 * when the epoch was the same, knows what is there.
 */
struct epoch {
	uint64_t taken;
	uint64_t added;
};

#define FILES_SLOTS 1024

struct files {
	pthread_mutex_t lock; /* of this handle's threads, around flock */
	int lock_fd;
	int epochs_fd;
	/* immutable */
	char *path; /* absolute */
	int dir;
	uint64_t block; /* what the disk gives room in */
};

/* Make or open the directory at path.  Errors as cache_open. */
int files_open(struct files *f, const char *path, struct err *e);
void files_release(struct files *f);

/* Take the lock, among threads and processes; -EBUSY after wait_ms.  Should
 * somebody have removed the lock file, it is made again. */
int files_lock(struct files *f, unsigned wait_ms);
void files_unlock(struct files *f);

/* The key of an object by its name in the store. */
void files_key(struct key *k, const uint8_t repository[REPOSITORY_ID_LEN],
	const char *name);

/* A file that is gone or short reads as zeros. */
struct epoch files_epoch(const struct files *f, const struct key *k);
/* With the lock held.  -errno: nobody was told. */
int files_epoch_taken(const struct files *f, const struct key *k);
int files_epoch_added(const struct files *f, const struct key *k);

/* A descriptor of an object's file, to read or to punch; -ENOENT, -EUCLEAN
 * not a plain file of ours, -errno. */
int files_object(const struct files *f, const struct key *k, bool punch);
/* The same for writing ranges; makes it.  A foreign thing in its place is removed. */
int files_object_write(const struct files *f, const struct key *k);
/* Remove it, then raise `taken`: who has just opened it holds a file that no
 * new bytes will come to.  With the lock held. */
int files_remove(const struct files *f, const struct key *k);

/* A new file in tmp/ for a whole object, and giving it its name.  name has
 * FILES_TMP_NAME bytes. */
#define FILES_TMP_NAME 40
int files_tmp(const struct files *f, char *name);
int files_tmp_name(const struct files *f, const char *name, int fd,
	const struct key *k);
void files_tmp_remove(const struct files *f, const char *name);
/* Remove what killed processes left in tmp/ an hour ago. */
void files_tidy_tmp(const struct files *f);
/* Whether a file is one that files_tmp_name made. */
bool files_is_whole(const struct stat *st);

/* All of data at off; -errno. */
int files_write(int fd, uint64_t off, const void *data, size_t len);
/* len bytes at off, or -errno, -ENODATA when the file ends before. */
int files_read(int fd, uint64_t off, void *buf, size_t len);
/* Give the blocks in [from, to) back that hold nothing of keep.  -EOPNOTSUPP
 * the file system cannot. */
int files_punch(const struct files *f, int fd, uint64_t from, uint64_t to,
	const struct ranges *keep);

/* Call for each object file; fd is borrowed.  -errno of the callback ends it. */
int files_each(const struct files *f,
	int (*each)(void *ctx, const struct key *k, int fd,
		const struct stat *st),
	void *ctx);

#endif
