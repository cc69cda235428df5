/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The reading half; sink_directory.c is the writing one. */
#include "repo/store/directory.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>
#include "repo/base/buf.h"
#include "repo/base/clock.h"
#include "repo/store/beneath.h"
#include "repo/store/direct.h"
#include "repo/store/handles.h"
#include "repo/store/listing.h"
#include "repo/store/objects.h"

struct directory {
	struct store store;
	struct handles *handles;
	int root;
	atomic_ullong gets;
	atomic_ullong lists;
	atomic_ullong bytes;
	atomic_ullong errors;
	struct histogram seconds; /* of gets */
};

static struct directory *
directory_of(struct store *s)
{
	return (struct directory *)s;
}

/* Count an error that is not an answer. */
static int
counted(struct directory *d, int r)
{
	if (r < 0 && r != -ENOENT)
		atomic_fetch_add(&d->errors, 1);
	return r;
}

/* Files of others may be replaced by others of the same name. */
static int
open_handle(
	struct directory *d, const char *name, struct handle **h, struct err *e)
{
	return (d->store.foreign ? handle_open : handle_get)(
		d->handles, name, h, e);
}

/* Read until len bytes or the end of the file. */
static int
read_fully(int fd, const char *name, uint64_t off, void *buf, size_t len,
	size_t *got, struct err *e)
{
	size_t n = 0;

	if (off > INT64_MAX - len)
		return err_set(e, EINVAL, "%s: offset %llu is beyond all files",
			name, (unsigned long long)off);
	while (n < len) {
		ssize_t m =
			pread(fd, (char *)buf + n, len - n, (off_t)(off + n));

		if (m < 0 && errno == EINTR)
			continue;
		if (m < 0)
			return err_sys(e, errno, "cannot read %s", name);
		if (m == 0)
			break;
		n += (size_t)m;
	}
	*got = n;
	return 0;
}

/* Read past the page cache, if that serves; the bytes read, 0 when not. */
static size_t
read_directly(struct directory *d, struct handle *h, uint64_t off, size_t len,
	void *buf)
{
	int fd;

	if (!direct_fits(off, len, buf) || direct_is_cached(h->fd, off, len))
		return 0;
	fd = handle_direct(d->handles, h);
	ssize_t n = fd < 0 ? -1 : direct_pread(fd, off, len, buf);
	return n < 0 ? 0 : (size_t)n;
}

static int
get(struct directory *d, const char *name, uint64_t off, size_t len, void *buf,
	size_t *got, const struct store_call *call, struct err *e)
{
	auto_handle struct handle *h = NULL;
	size_t n = 0, rest = 0;
	int r = open_handle(d, name, &h, e);

	if (r == 0 && call && call->once)
		n = read_directly(d, h, off, len, buf);
	if (r == 0)
		r = read_fully(h->fd, name, off + n, (char *)buf + n, len - n,
			&rest, e);
	if (r < 0)
		return r;
	n += rest;
	atomic_fetch_add(&d->bytes, n);
	if (got)
		*got = n;
	else if (n < len)
		return err_set(e, EBADMSG,
			"%s is cut off: %zu of %zu bytes at %llu", name, n, len,
			(unsigned long long)off);
	return 0;
}

static int
directory_get(struct store *s, const char *name, uint64_t off, size_t len,
	void *buf, size_t *got, const struct store_call *call, struct err *e)
{
	struct directory *d = directory_of(s);

	int64_t began_ns = clock_mono_ns();
	int r;

	/* not cancelled: a disk answers or the kernel waits for it */
	atomic_fetch_add(&d->gets, 1);
	r = get(d, name, off, len, buf, got, call, e);
	histogram_add(&d->seconds, clock_mono_ns() - began_ns);
	return counted(d, r);
}

static int
directory_size(struct store *s, const char *name, uint64_t *size, struct err *e)
{
	struct directory *d = directory_of(s);
	auto_handle struct handle *h = NULL;
	struct stat st;
	int r = open_handle(d, name, &h, e);

	if (r < 0)
		return counted(d, r);
	if (fstat(h->fd, &st) < 0)
		return counted(d, err_sys(e, errno, "cannot stat %s", name));
	*size = (uint64_t)st.st_size;
	return 0;
}

static int
list(struct directory *d, struct listing *l, struct err *e)
{
	l->store = &d->store;
	l->root = d->root;
	atomic_fetch_add(&d->lists, 1);
	return counted(d, listing_run(l, e));
}

static int
directory_list_objects(struct store *s, const struct store_query *q,
	bool (*each)(void *ctx, const struct store_object *o), void *ctx,
	struct err *e)
{
	struct listing l = { .q = *q, .each = each, .ctx = ctx };

	return list(directory_of(s), &l, e);
}

static int
directory_list(struct store *s, const char *prefix, const char *after,
	bool (*each)(void *ctx, const char *name, uint64_t size), void *ctx,
	struct err *e)
{
	struct objects_plain plain = { .each = each, .ctx = ctx };
	struct listing l = { .q = { .prefix = prefix, .after = after },
		.each = objects_tell_plain,
		.ctx = &plain };

	return list(directory_of(s), &l, e);
}

static int
list_names(struct store *s, const struct store_query *q,
	bool (*each)(void *ctx, const char *name, uint64_t size), void *ctx,
	struct err *e)
{
	struct objects_plain plain = { .each = each, .ctx = ctx };
	struct listing l = { .q = *q,
		.names = true,
		.each = objects_tell_plain,
		.ctx = &plain };

	return list(directory_of(s), &l, e);
}

static int
directory_list_names(struct store *s, const char *prefix, const char *after,
	bool (*each)(void *ctx, const char *name, uint64_t size), void *ctx,
	struct err *e)
{
	const struct store_query q = { .prefix = prefix, .after = after };

	return list_names(s, &q, each, ctx, e);
}

static int
directory_list_few(struct store *s, const char *prefix,
	bool (*each)(void *ctx, const char *name, uint64_t size), void *ctx,
	struct err *e)
{
	const struct store_query q = { .prefix = prefix, .after = "",
		.few = true };

	return list_names(s, &q, each, ctx, e);
}

static void
directory_stats(struct store *s, struct store_stats *st)
{
	struct directory *d = directory_of(s);

	st->gets = atomic_load(&d->gets);
	st->lists = atomic_load(&d->lists);
	st->bytes = atomic_load(&d->bytes);
	st->errors = atomic_load(&d->errors);
	st->seconds = histogram_read(&d->seconds);
}

static void
directory_free(struct store *s)
{
	struct directory *d = directory_of(s);

	handles_free(d->handles);
	close(d->root);
	free(s->name);
	free(s->local_path);
	free(d);
}

static const struct store_ops directory_ops = {
	.get = directory_get,
	.size = directory_size,
	.list = directory_list,
	.list_names = directory_list_names,
	.list_few = directory_list_few,
	.list_objects = directory_list_objects,
	.stats = directory_stats,
	.free = directory_free,
};

static int
fail_open(const char *path, int code, struct err *e)
{
	if (code == ENOENT)
		return err_set(e, ENOENT,
			"%s does not exist; `yore init -r %s` makes a "
			"repository there", path, path);
	return err_sys(e, code, "cannot open %s", path);
}

int
store_directory_open(const char *path, struct store **s, struct err *e)
{
	auto_free char *real = realpath(path, NULL);

	if (!real)
		return fail_open(path, errno, e);
	auto_close int root = open(real, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (root < 0)
		return fail_open(path, errno, e);
	struct directory *d = xcalloc(1, sizeof(*d));

	d->handles = handles_new(root);
	d->root = steal_fd(root);
	d->store.ops = &directory_ops;
	d->store.name = xstrdup(path);
	d->store.local_path = steal(real);
	*s = &d->store;
	return 0;
}
