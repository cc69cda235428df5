/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/s3/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "repo/base/buf.h"
#include "tests/s3/server.h"

static struct {
	pthread_mutex_t lock;
	struct object *object; /* sorted by key */
	size_t n, size;
} table = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* Where the first key is that is not before this one. */
static size_t
find(const char *key)
{
	size_t low = 0, high = table.n;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (strcmp(table.object[middle].key, key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct object *
lookup(const char *key)
{
	size_t i = find(key);

	return i < table.n && !strcmp(table.object[i].key, key)
		       ? &table.object[i]
		       : NULL;
}

static struct object *
insert(const char *key)
{
	size_t i = find(key);
	struct object *o;

	if (table.n == table.size) {
		table.size = table.size ? 2 * table.size : 1024;
		table.object = xrealloc(
			table.object, table.size * sizeof(*table.object));
	}
	o = &table.object[i];
	memmove(o + 1, o, (table.n++ - i) * sizeof(*o));
	*o = (struct object){ .key = xstrdup(key) };
	return o;
}

static void
drop(struct object *o)
{
	free(o->key);
	table.n--;
	memmove(o, o + 1, (table.n - (size_t)(o - table.object)) * sizeof(*o));
}

static void
describe(struct object *o, const void *data, size_t len)
{
	o->size = len;
	o->modified = server_time();
	o->stored = net_now();
	sign_hex_md5(data, len, o->etag);
}

static void
load_file(int fd, const char *key, time_t modified)
{
	struct object *o = insert(key);
	auto_buf struct buf b = BUF_INIT;
	ssize_t n;

	while ((n = read(fd, buf_reserve(&b, 1 << 16), 1 << 16)) > 0)
		b.len += (size_t)n;
	describe(o, b.data, b.len);
	o->modified = modified;
}

static void
load_directory(int fd, const char *prefix)
{
	auto_closedir DIR *d = fdopendir(fd);
	struct dirent *e;

	while (d && (e = readdir(d))) {
		auto_free char *key = xasprintf("%s%s", prefix, e->d_name);
		auto_free char *below = xasprintf("%s/", key);
		int file;
		struct stat st;

		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		file = openat(dirfd(d), e->d_name, O_RDONLY | O_CLOEXEC);
		if (file < 0 || fstat(file, &st))
			continue;
		if (S_ISDIR(st.st_mode)) {
			load_directory(file, below);
			continue;
		}
		load_file(file, key, st.st_mtime);
		close(file);
	}
}

void
keys_load(int directory)
{
	auto_lock(&table.lock);

	load_directory(dup(directory), "");
}

static bool
storable(const char *key)
{
	while (*key) {
		size_t n = strcspn(key, "/");

		if (!n || n > 255 || (n == 1 && key[0] == '.') ||
			(n == 2 && key[0] == '.' && key[1] == '.'))
			return false;
		key += n;
		if (*key && !*++key)
			return false;
	}
	return true;
}

static void
make_parents(const char *key)
{
	auto_free char *path = xstrdup(key);

	for (char *p = path; (p = strchr(p, '/')); p++) {
		*p = 0;
		mkdirat(server.directory, path, 0755);
		*p = '/';
	}
}

static int
write_file(const char *key, const char *data, size_t len)
{
	auto_close int fd = -1;

	make_parents(key);
	unlinkat(server.directory, key, 0);
	fd = openat(server.directory, key,
		O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return errno == ENOTDIR || errno == EEXIST || errno == EISDIR
			       ? -EINVAL
			       : -errno;
	while (len) {
		ssize_t n = write(fd, data, len);

		if (n < 0)
			return -errno;
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

int
keys_put(const char *key, const void *data, size_t len, bool exclusive)
{
	auto_lock(&table.lock);
	struct object *o = lookup(key);
	int ret;

	if (!storable(key))
		return -EINVAL;
	if (o && exclusive)
		return -EEXIST;
	ret = write_file(key, data, len);
	if (ret)
		return ret;
	describe(o ? o : insert(key), data, len);
	return 0;
}

int
keys_open(const char *key, struct object *out)
{
	auto_lock(&table.lock);
	struct object *o = lookup(key);
	int fd;

	if (!o)
		return -ENOENT;
	*out = *o;
	out->key = NULL;
	fd = openat(server.directory, key, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

void
keys_remove(const char *key)
{
	auto_lock(&table.lock);
	struct object *o = lookup(key);

	if (!o)
		return;
	unlinkat(server.directory, key, 0);
	drop(o);
}

void
keys_each(const char *prefix, const char *after,
	bool (*each)(void *ctx, const struct object *o), void *ctx)
{
	auto_lock(&table.lock);
	size_t i = find(strcmp(after, prefix) > 0 ? after : prefix);

	for (; i < table.n; i++) {
		const struct object *o = &table.object[i];

		if (strncmp(o->key, prefix, strlen(prefix)))
			return;
		if (strcmp(o->key, after) > 0 && !each(ctx, o))
			return;
	}
}
