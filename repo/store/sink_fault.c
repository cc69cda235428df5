/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The writing half of the fault store. */
#include "repo/store/fault.h"

#include "repo/base/buf.h"
#include "repo/store/fault_plan.h"

struct faulty_sink {
	struct sink sink;
	struct sink *inner;
	struct fault *fault;
};

struct faulty_upload {
	struct upload upload;
	struct upload *inner;
	struct fault *fault;
	char *name;
};

static const struct sink_ops faulty_sink_ops;

static struct faulty_sink *
faulty_of(struct sink *s)
{
	return (struct faulty_sink *)s;
}

static struct faulty_upload *
upload_of(struct upload *u)
{
	return (struct faulty_upload *)u;
}

/* What is kept instead of data: half of it, or all with a bit flipped. */
static uint8_t *
spoil(enum fault_kind kind, const void *data, size_t *len)
{
	uint8_t *copy = xmemdup(data, *len);

	if (kind == FAULT_SHORT)
		*len /= 2;
	else
		copy[*len / 2] ^= 0x10;
	return copy;
}

static int
faulty_put(struct sink *s, const char *name, const void *data, size_t len,
	struct err *e)
{
	struct faulty_sink *fs = faulty_of(s);
	enum fault_kind kind = fault_next(fs->fault);

	if (kind == FAULT_NONE)
		return sink_put(fs->inner, name, data, len, e);
	if (fault_fails(kind) || len == 0)
		return fault_error(kind, name, e);
	auto_free uint8_t *spoilt = spoil(kind, data, &len);

	return sink_put(fs->inner, name, spoilt, len, e);
}

static int
faulty_begin(
	struct sink *s, const char *name, struct upload **up, struct err *e)
{
	struct faulty_sink *fs = faulty_of(s);
	enum fault_kind kind = fault_next(fs->fault);
	struct upload *inner = NULL;

	if (kind != FAULT_NONE)
		return fault_error(kind, name, e);
	int r = sink_begin(fs->inner, name, &inner, e);

	if (r < 0)
		return r;
	struct faulty_upload *u = xcalloc(1, sizeof(*u));

	u->upload.ops = &faulty_sink_ops;
	u->inner = inner;
	u->fault = fs->fault;
	u->name = xstrdup(name);
	*up = &u->upload;
	return 0;
}

static int
faulty_append(struct upload *up, const void *data, size_t len, struct err *e)
{
	struct faulty_upload *u = upload_of(up);
	enum fault_kind kind = fault_next(u->fault);

	if (kind == FAULT_NONE)
		return upload_append(u->inner, data, len, e);
	if (fault_fails(kind) || len == 0)
		return fault_error(kind, u->name, e);
	auto_free uint8_t *spoilt = spoil(kind, data, &len);

	return upload_append(u->inner, spoilt, len, e);
}

static void
upload_free(struct faulty_upload *u)
{
	free(u->name);
	free(u);
}

static void
faulty_abort(struct upload *up)
{
	upload_abort(upload_of(up)->inner);
	upload_free(upload_of(up));
}

static int
faulty_commit(struct upload *up, struct err *e)
{
	struct faulty_upload *u = upload_of(up);
	enum fault_kind kind = fault_next(u->fault);
	int r;

	if (kind == FAULT_NONE) {
		r = upload_commit(u->inner, e);
		upload_free(u);
		return r;
	}
	r = fault_error(kind, u->name, e);
	faulty_abort(up);
	return r;
}

static int
faulty_remove(struct sink *s, const char *name, struct err *e)
{
	struct faulty_sink *fs = faulty_of(s);
	enum fault_kind kind = fault_next(fs->fault);

	return kind == FAULT_NONE ? sink_remove(fs->inner, name, e)
				  : fault_error(kind, name, e);
}

static int
faulty_remove_many(
	struct sink *s, const char *const *names, size_t n, struct err *e)
{
	struct faulty_sink *fs = faulty_of(s);
	enum fault_kind kind = fault_next(fs->fault);

	return kind == FAULT_NONE
		       ? sink_remove_many(fs->inner, names, n, e)
		       : fault_error(kind, n > 0 ? names[0] : "nothing", e);
}

static void
faulty_sink_stats(struct sink *s, struct store_stats *st)
{
	sink_stats(faulty_of(s)->inner, st);
}

static void
faulty_sink_free(struct sink *s)
{
	sink_free(faulty_of(s)->inner);
	free(s);
}

static const struct sink_ops faulty_sink_ops = {
	.put = faulty_put,
	.begin = faulty_begin,
	.append = faulty_append,
	.commit = faulty_commit,
	.abort = faulty_abort,
	.remove = faulty_remove,
	.remove_many = faulty_remove_many,
	.stats = faulty_sink_stats,
	.free = faulty_sink_free,
};

struct sink *
fault_sink(struct fault *f, struct sink *inner)
{
	struct faulty_sink *fs = xcalloc(1, sizeof(*fs));

	fs->sink.ops = &faulty_sink_ops;
	fs->inner = inner;
	fs->fault = f;
	return &fs->sink;
}
