/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/foreign/unpack.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/foreign/gzip.h"
#include "repo/foreign/lz4.h"
#include "repo/foreign/zstd.h"

/* Read at once: at first what most objects are, then more. */
#define FIRST_READ (64u << 10)
#define READ_MAX (1u << 20)

struct unpack {
	struct store *store;
	const char *name;
	uint64_t size; /* of the object */
	uint64_t max;
	struct gzip_stream *gzip; /* one of these, or none */
	struct zstd_stream *zstd;
	struct lz4_stream *lz4;
	uint8_t *in; /* room bytes */
	size_t room;
	size_t n_in, at_in;
	uint64_t off_in; /* in the object, behind what is in memory */
	uint64_t off;
	bool filled; /* the last buffer: the decoder may hold more */
	bool ended;
};

struct unpack *
unpack_new(struct store *s, const char *name, uint64_t size,
	enum unpack_kind kind, uint64_t max)
{
	struct unpack *u = xcalloc(1, sizeof(*u));

	u->store = s;
	u->name = name;
	u->size = size;
	u->max = max;
	if (kind == UNPACK_GZIP)
		u->gzip = gzip_stream_new();
	else if (kind == UNPACK_ZSTD)
		u->zstd = zstd_stream_new();
	else if (kind == UNPACK_LZ4)
		u->lz4 = lz4_stream_new();
	else
		u->ended = size == 0;
	return u;
}

void
unpack_free(struct unpack *u)
{
	if (!u)
		return;
	gzip_stream_free(u->gzip);
	zstd_stream_free(u->zstd);
	lz4_stream_free(u->lz4);
	free(u->in);
	free(u);
}

uint64_t
unpack_off(const struct unpack *u)
{
	return u->off;
}

static void
make_room(struct unpack *u, uint64_t left)
{
	size_t want = u->room == 0 ? FIRST_READ : READ_MAX;

	if (want > left)
		want = (size_t)left;
	if (want > u->room) {
		free(u->in);
		u->in = xmalloc(want);
		u->room = want;
	}
}

/* The object's next bytes; all of those before were taken. */
static int
fill(struct unpack *u, struct err *e)
{
	const struct store_call call = { .cancel = cancel_current() };
	uint64_t left = u->size - u->off_in;
	size_t n;
	int r;

	if (left == 0)
		return err_set(e, EBADMSG, "%s is cut off", u->name);
	make_room(u, left);
	n = left < u->room ? (size_t)left : u->room;
	r = store_get_call(
		u->store, u->name, u->off_in, n, u->in, NULL, &call, e);
	if (r)
		return r;
	u->off_in += n;
	u->n_in = n;
	u->at_in = 0;
	return 0;
}

/* As it is: as the decoders do. */
static int
pass(struct unpack *u, const uint8_t *in, size_t *n_in, void *out,
	size_t *n_out)
{
	if (*n_out > *n_in)
		*n_out = *n_in;
	*n_in = *n_out;
	memcpy(out, in, *n_out);
	return u->off + *n_out == u->size;
}

static int
decode_some(struct unpack *u, const uint8_t *in, size_t *n_in, void *out,
	size_t *n_out, struct err *e)
{
	if (u->gzip)
		return gzip_stream_decode(u->gzip, in, n_in, out, n_out, e);
	if (u->zstd)
		return zstd_stream_decode(u->zstd, in, n_in, out, n_out, e);
	if (u->lz4)
		return lz4_stream_decode(u->lz4, in, n_in, out, n_out, e);
	return pass(u, in, n_in, out, n_out);
}

static int
decode(struct unpack *u, void *buf, size_t *len, struct err *e)
{
	size_t n_in = u->n_in - u->at_in;
	const uint8_t *in = u->in + u->at_in;
	int r = decode_some(u, in, &n_in, buf, len, e);

	u->at_in += n_in;
	if (r < 0) {
		if (e)
			err_prefix(e, "%s", u->name);
		return r;
	}
	if (r > 0)
		u->ended = true;
	u->off += *len;
	if (u->off > u->max)
		return err_set(e, EUCLEAN,
			"%s decodes to more than %" PRIu64 " bytes", u->name,
			u->max);
	return 0;
}

/* The end was reached: nothing may follow it. */
static int
check_end(struct unpack *u, struct err *e)
{
	if (u->at_in == u->n_in && u->off_in == u->size)
		return 0;
	return err_set(e, EBADMSG, "%s: bytes follow its end", u->name);
}

ssize_t
unpack_read(struct unpack *u, void *buf, size_t len, struct err *e)
{
	while (len > 0) {
		size_t n = len;
		int r = 0;

		if (u->ended)
			return check_end(u, e);
		if (cancel_raised(cancel_current()))
			return err_set(e, EINTR, "%s: reading was interrupted",
				u->name);
		if (u->at_in == u->n_in && !u->filled)
			r = fill(u, e);
		if (!r)
			r = decode(u, buf, &n, e);
		if (r)
			return r;
		u->filled = n == len;
		if (n > 0)
			return (ssize_t)n;
	}
	return 0;
}
