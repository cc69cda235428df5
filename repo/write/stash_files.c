/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/write/stash_private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include "repo/base/hex.h"
#include "repo/base/log.h"
#include "repo/base/state_dir.h"
#include "repo/format/object.h"
#include "repo/native/state.h"

/* Chunks that older segments name may have been pruned, and who cannot read is
 * not told (DESIGN, I27). */
#define SEGMENT_AGE_MAX_S (60 * 24 * 3600)

static bool
starts(const char *name, const char *prefix)
{
	return strncmp(name, prefix, strlen(prefix)) == 0;
}

char *
stash_path(const struct stash *k, const char *name)
{
	const char *base = strrchr(name, '/');

	if (!k->dir[0])
		return NULL;
	if (strcmp(name, "format") == 0 || starts(name, "keys/") ||
		starts(name, "snap/") || starts(name, "idx/"))
		return xasprintf("%s/%s", k->dir, name);
	if (k->source && base &&
		(starts(name, "data/") || starts(name, "meta/")))
		return xasprintf("%s/ends/%.4s-%s", k->source, name, base + 1);
	return NULL;
}

/* -- Reading --------------------------------------------------------------- */

size_t
stash_present(int fd, uint64_t off, size_t len)
{
	off_t data = lseek(fd, (off_t)off, SEEK_DATA);
	off_t hole = lseek(fd, (off_t)off, SEEK_HOLE);
	struct stat st;

	if (data != (off_t)off || hole < 0 || fstat(fd, &st))
		return 0;
	if (hole > st.st_size)
		hole = st.st_size;
	return (uint64_t)hole - off < len ? (size_t)((uint64_t)hole - off)
					  : len;
}

int
stash_read(const char *path, bool sparse, uint64_t off, size_t len, void *buf,
	size_t *got, size_t enough)
{
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t n;

	if (fd < 0)
		return -ENOENT;
	if (sparse) {
		size_t there = stash_present(fd, off, len);

		if (there < (enough ? enough : len))
			return -ENOENT;
		len = there;
	}
	for (*got = 0; *got < len; *got += (size_t)n) {
		n = pread(fd, (char *)buf + *got, len - *got,
			(off_t)(off + *got));
		if (n < 0)
			return -ENOENT;
		if (n == 0)
			break;
	}
	return sparse && *got < len ? -ENOENT : 0;
}

/* -- Writing --------------------------------------------------------------- */

static int
complain(const char *path)
{
	int code = errno;

	log_warn("%s: not kept (%s): keys that only write may not suffice "
		 "next time",
		path, strerror(code));
	return -code;
}

int
stash_patch(const char *path, uint64_t off, const void *data, size_t len)
{
	auto_close int fd = -1;
	ssize_t n = 0;

	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 && errno == ENOENT) {
		state_dir_make(path);
		fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
			0600);
	}
	if (fd < 0)
		return complain(path);
	for (size_t at = 0; at < len; at += (size_t)n) {
		n = pwrite(fd, (const char *)data + at, len - at,
			(off_t)(off + at));
		if (n <= 0)
			return complain(path);
	}
	return 0;
}

int
stash_replace(const char *path, const void *data, size_t len)
{
	const struct buf b = { .data = (uint8_t *)(uintptr_t)data, .len = len };
	int r = state_write(path, &b);

	if (r == 0)
		return 0;
	errno = -r;
	return complain(path);
}

void
stash_clear(const char *dir, const char *except)
{
	auto_closedir DIR *d = opendir(dir);
	struct dirent *de;

	while (d && (de = readdir(d))) {
		if (de->d_name[0] != '.' &&
			(!except || strcmp(de->d_name, except) != 0))
			unlinkat(dirfd(d), de->d_name, 0);
	}
}

/* -- Listing --------------------------------------------------------------- */

struct stash_names {
	struct name {
		char text[STORE_NAME_MAX + 1];
		uint64_t size;
	} *name;
	size_t n, cap;
};

static int
by_name(const void *a, const void *b)
{
	return strcmp(((const struct name *)a)->text,
		((const struct name *)b)->text);
}

/* An object by the name of its file, below a prefix. */
static bool
name_of(char *out, const char *prefix, const char *file)
{
	uint8_t id[OBJECT_ID_LEN];
	int n;

	if (strcmp(prefix, "data/") != 0 && strcmp(prefix, "meta/") != 0)
		n = snprintf(out, STORE_NAME_MAX + 1, "%s%s", prefix, file);
	else if (strncmp(file, prefix, 4) == 0 && file[4] == '-' &&
		 hex_decode(id, sizeof(id), file + 5) == 0)
		n = snprintf(out, STORE_NAME_MAX + 1, "%s%.2s/%s", prefix,
			file + 5, file + 5);
	else
		return false;
	return n <= STORE_NAME_MAX && store_name_ok(out);
}

static bool
is_old(const char *prefix, const struct stat *st)
{
	return (strcmp(prefix, "idx/") == 0 || strcmp(prefix, "data/") == 0 ||
		       strcmp(prefix, "meta/") == 0) &&
	       time(NULL) - st->st_mtime > SEGMENT_AGE_MAX_S;
}

static void
gather(const char *path, const char *prefix, struct stash_names *all)
{
	auto_closedir DIR *d = opendir(path);
	struct dirent *de;
	struct stat st;

	while (d && (de = readdir(d))) {
		if (de->d_name[0] == '.' ||
			fstatat(dirfd(d), de->d_name, &st,
				AT_SYMLINK_NOFOLLOW) ||
			!S_ISREG(st.st_mode))
			continue;
		if (is_old(prefix, &st)) {
			unlinkat(dirfd(d), de->d_name, 0);
			continue;
		}
		if (all->n == all->cap) {
			all->cap = all->cap ? all->cap * 2 : 64;
			all->name = xrealloc(
				all->name, all->cap * sizeof(*all->name));
		}
		if (name_of(all->name[all->n].text, prefix, de->d_name))
			all->name[all->n++].size = (uint64_t)st.st_size;
	}
}

int
stash_list(const struct stash *k, const char *prefix, const char *after,
	bool (*each)(void *ctx, const char *name, uint64_t size), void *ctx)
{
	struct stash_names all = { .n = 0 };
	auto_free char *path = NULL;
	bool more = true;

	if (starts(prefix, "data/") || starts(prefix, "meta/"))
		path = xasprintf("%s/ends", k->source ? k->source : k->dir);
	else if (strcmp(prefix, "keys/") == 0 || strcmp(prefix, "idx/") == 0 ||
		 starts(prefix, "snap/"))
		path = xasprintf("%s/%s", k->dir, prefix);
	if (path)
		gather(path, prefix, &all);
	if (all.n)
		qsort(all.name, all.n, sizeof(*all.name), by_name);
	for (size_t i = 0; i < all.n && more; i++) {
		if (strcmp(all.name[i].text, after) > 0)
			more = each(ctx, all.name[i].text, all.name[i].size);
	}
	free(all.name);
	return 0;
}
