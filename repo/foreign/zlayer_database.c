/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/foreign/zlayer_database.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>
#include "repo/base/buf.h"
#include "repo/base/clock.h"
#include "repo/foreign/listed.h"

#define READ_MAX (1u << 20)

struct zlayer_database {
	struct database database; /* first */
	struct zlayer_replica z;
	char *snapshot_name;
	char *wal_name; /* or NULL */
	struct unpacked_source snapshot, wal;
	uint64_t snapshot_len;
	struct zlayer_log log; /* no pages without one */
	struct unpacked_last last;
	void (*release)(void *ctx);
	void *ctx;
};

static struct zlayer_database *
of(struct database *d)
{
	return (struct zlayer_database *)d;
}

/* How far from off on one object has the bytes; *at is where, of the log unless
 * `snapshot`. */
static size_t
stretch(const struct zlayer_database *x, uint64_t off, size_t len, uint64_t *at,
	bool *snapshot)
{
	uint32_t size = x->log.header.page_size;
	size_t n = 0;

	*snapshot = true;
	*at = off;
	if (x->log.n_pages == 0)
		return len;
	while (n < len) {
		size_t skip = (size_t)((off + n) % size);
		const struct zlayer_page *p = zlayer_log_find(
			&x->log, (uint32_t)((off + n) / size) + 1);

		if (p && n == 0) {
			*snapshot = false;
			*at = p->off + skip;
			return len < size - skip ? len : size - skip;
		}
		if (p)
			return n;
		n += size - skip;
	}
	return len;
}

int
zlayer_database_read(
	struct database *d, uint64_t off, size_t len, void *to, struct err *e)
{
	struct zlayer_database *x = of(d);
	uint8_t *out = to;

	while (len > 0) {
		bool snapshot;
		uint64_t at;
		size_t n = stretch(x, off, len, &at, &snapshot);
		int r;

		if (snapshot &&
			(at >= x->snapshot_len || n > x->snapshot_len - at))
			return err_set(e, EUCLEAN,
				"%s grows by pages that it does not hold",
				x->wal_name ? x->wal_name : x->snapshot_name);
		r = unpacked_get(
			snapshot ? &x->snapshot : &x->wal, at, n, out, e);
		if (r)
			return r;
		out += n;
		off += n;
		len -= n;
	}
	return 0;
}

static int
read_(struct database *d, uint64_t off, size_t len, struct view_data *data,
	struct err *e)
{
	size_t n = len < READ_MAX ? len : READ_MAX;
	auto_free uint8_t *bytes = xmalloc(n + 1);
	int r = zlayer_database_read(d, off, n, bytes, e);

	if (r || n == 0)
		return r;
	uint8_t *given = steal(bytes);

	listed_give(data, given, given, n);
	return 0;
}

static int
extents(struct database *d, uint64_t from,
	bool (*each)(void *ctx, const struct view_extent *x), void *ctx,
	struct err *e)
{
	struct zlayer_database *x = of(d);
	struct view_extent s = { .off = from,
		.len = d->size - from,
		.object_len = x->snapshot.size };
	struct view_extent w = s;

	(void)e;
	snprintf(s.object, sizeof(s.object), "%s", x->snapshot_name);
	snprintf(w.object, sizeof(w.object), "%s",
		x->wal_name ? x->wal_name : "");
	w.object_len = x->wal.size;
	if (from < d->size && each(ctx, &s) && x->wal_name)
		each(ctx, &w);
	return 0;
}

static ssize_t
xattr_get(struct database *d, const char *name, void *value, size_t size,
	struct err *e)
{
	struct zlayer_database *x = of(d);

	if (!strcmp(name, "user.yore.snapshot"))
		return database_answer(x->snapshot_name, value, size, e);
	if (!strcmp(name, "user.yore.wal") && x->wal_name)
		return database_answer(x->wal_name, value, size, e);
	return err_set(e, ENODATA, "no attribute %s", name);
}

static void
free_(struct database *d)
{
	struct zlayer_database *x = of(d);

	zlayer_log_release(&x->log);
	unpacked_last_release(&x->last);
	zlayer_roll_put(x->z.roll);
	free(x->snapshot_name);
	free(x->wal_name);
	free(d->name);
	if (x->release)
		x->release(x->ctx);
	free(x);
}

static const struct database_ops ops = {
	.read = read_,
	.extents = extents,
	.xattr_get = xattr_get,
	.free = free_,
};

void
zlayer_database_on_free(
	struct database *d, void (*release)(void *ctx), void *ctx)
{
	of(d)->release = release;
	of(d)->ctx = ctx;
}

static int
load(struct zlayer_database *x, size_t i, size_t w, struct err *e)
{
	struct zlayer_roll *r = x->z.roll;
	int rc;

	x->snapshot_name = zlayer_roll_snapshot_name(r, i);
	zlayer_roll_source(&x->snapshot, x->z.store, x->z.kept,
		x->snapshot_name, &r->snapshots[i].o);
	x->snapshot.last = &x->last;
	rc = unpacked_length(&x->snapshot, &x->snapshot_len, e);
	x->database.size = x->snapshot_len;
	if (rc || w == ZLAYER_NONE)
		return rc;
	x->wal_name = zlayer_roll_wal_name(r, w);
	zlayer_roll_source(
		&x->wal, x->z.store, x->z.kept, x->wal_name, &r->wals[w].o);
	rc = zlayer_log_load(&x->wal, &x->log, e);
	if (!rc && x->log.commit_pages > 0) {
		x->database.page_size = x->log.header.page_size;
		x->database.size =
			(uint64_t)x->log.commit_pages * x->log.header.page_size;
	}
	return rc;
}

int
zlayer_database_new(const struct zlayer_replica *z, size_t i, size_t w,
	const char *name, struct database **d, struct err *e)
{
	struct zlayer_database *x = xcalloc(1, sizeof(*x));
	int64_t t_ns = w == ZLAYER_NONE ? z->roll->snapshots[i].time_ns
					: z->roll->wals[w].o.modified_ns;
	int r;

	x->database = (struct database){ .ops = &ops,
		.name = xstrdup(name),
		.mtime = { .tv_sec = t_ns / NS_PER_S,
			.tv_nsec = t_ns % NS_PER_S },
		.mode = 0444,
		.uid = geteuid(),
		.gid = getegid() };
	unpacked_last_init(&x->last);
	x->z = *z;
	zlayer_roll_get(z->roll);
	r = load(x, i, w, e);
	if (r)
		free_(&x->database);
	else
		*d = &x->database;
	return r;
}
