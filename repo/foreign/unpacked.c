/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/foreign/unpacked.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include "repo/base/bytes.h"

struct unpacked {
	const struct unpacked_source *src;
	char *name;	       /* of what is kept */
	struct unpack *unpack; /* NULL: all is kept, of len bytes */
	uint64_t len;
	uint64_t off;	/* given so far */
	uint8_t *piece; /* KEPT_PIECE of room */
	size_t n;	/* bytes in it that are to be kept */
	uint64_t number;
};

static char *
kept_name(const struct unpacked_source *src)
{
	return xasprintf("unpacked-%s-%" PRIu64 "-%" PRId64, src->object,
		src->size, src->modified_ns);
}

/* Says how long it is, and that all pieces were verified. */
static char *
mark_name(const char *name)
{
	return xasprintf("%s.length", name);
}

/* The length, once everything was verified. */
static bool
known_length(const struct unpacked_source *src, const char *name, uint64_t *len)
{
	auto_free char *mark = mark_name(name);
	auto_free uint8_t *text = NULL;
	size_t n;

	if (kept_get(src->kept, mark, 8, &text, &n) || n != 8)
		return false;
	*len = get_be64(text);
	return true;
}

static void
ask_store(struct unpacked *u)
{
	const struct unpacked_source *src = u->src;

	u->off = 0;
	u->unpack = unpack_new(
		src->store, src->object, src->size, src->kind, src->max);
}

struct unpacked *
unpacked_new(const struct unpacked_source *src)
{
	struct unpacked *u = xcalloc(1, sizeof(*u));

	u->src = src;
	u->name = kept_name(src);
	u->piece = xmalloc(KEPT_PIECE);
	if (!known_length(src, u->name, &u->len))
		ask_store(u);
	return u;
}

void
unpacked_free(struct unpacked *u)
{
	if (!u)
		return;
	unpack_free(u->unpack);
	free(u->piece);
	free(u->name);
	free(u);
}

static void
keep_piece(struct unpacked *u)
{
	if (u->n > 0)
		kept_write(u->src->kept, u->name, u->number++, u->piece, u->n);
	u->n = 0;
}

static void
keep(struct unpacked *u, const uint8_t *p, size_t len)
{
	while (len > 0) {
		size_t n = KEPT_PIECE - u->n;

		n = n < len ? n : len;
		memcpy(u->piece + u->n, p, n);
		u->n += n;
		p += n;
		len -= n;
		if (u->n == KEPT_PIECE)
			keep_piece(u);
	}
}

/* From the store. */
static ssize_t
next_decoded(struct unpacked *u, void *buf, size_t len, struct err *e)
{
	ssize_t got = unpack_read(u->unpack, buf, len, e);

	if (got > 0) {
		keep(u, buf, (size_t)got);
		u->off += (size_t)got;
	} else if (got == 0) {
		auto_free char *mark = mark_name(u->name);
		uint8_t text[8];

		keep_piece(u);
		put_be64(text, u->off);
		kept_put(u->src->kept, mark, text, sizeof(text));
	}
	return got;
}

/* From what is kept: false, it is not any more. */
static bool
next_kept(struct unpacked *u, void *buf, size_t *len)
{
	size_t skip = (size_t)(u->off % KEPT_PIECE), n;

	if (!kept_read(
		    u->src->kept, u->name, u->off / KEPT_PIECE, u->piece, &n) ||
		n <= skip)
		return false;
	*len = n - skip < *len ? n - skip : *len;
	memcpy(buf, u->piece + skip, *len);
	u->off += *len;
	return true;
}

/* Go on with the store, behind what was given. */
static int
change_over(struct unpacked *u, struct err *e)
{
	auto_free uint8_t *passed = xmalloc(KEPT_PIECE);
	uint64_t given = u->off;

	ask_store(u);
	while (u->off < given) {
		uint64_t left = given - u->off;
		ssize_t got = next_decoded(u, passed,
			left < KEPT_PIECE ? (size_t)left : KEPT_PIECE, e);

		if (got < 0)
			return (int)got;
		if (got == 0)
			return err_set(e, EBADMSG, "%s is not what it was",
				u->src->object);
	}
	return 0;
}

ssize_t
unpacked_next(struct unpacked *u, void *buf, size_t len, struct err *e)
{
	if (!u->unpack && u->off == u->len)
		return 0;
	if (!u->unpack && next_kept(u, buf, &len))
		return (ssize_t)len;
	if (!u->unpack) {
		int r = change_over(u, e);

		if (r)
			return r;
	}
	return next_decoded(u, buf, len, e);
}

/* All of the object, to its end: before that nothing of it is verified.  Of its
 * content [off, off + n) goes to `to`; *len is how long it is. */
static int
decode(const struct unpacked_source *src, uint64_t off, size_t n, uint8_t *to,
	uint64_t *len, struct err *e)
{
	auto_unpacked struct unpacked *u = unpacked_new(src);
	auto_free uint8_t *bytes = xmalloc(KEPT_PIECE);
	ssize_t got;

	*len = 0;
	while ((got = unpacked_next(u, bytes, KEPT_PIECE, e)) > 0) {
		uint64_t from = *len > off ? *len : off;
		uint64_t until = *len + (uint64_t)got;

		until = until < off + n ? until : off + n;
		if (from < until)
			memcpy(to + (from - off), bytes + (from - *len),
				until - from);
		*len += (uint64_t)got;
	}
	if (got == -ENOENT)
		return err_set(e, EIO, "%s has been removed", src->object);
	return (int)got;
}

int
unpacked_length(const struct unpacked_source *src, uint64_t *len, struct err *e)
{
	auto_free char *name = kept_name(src);

	if (known_length(src, name, len))
		return 0;
	return decode(src, 0, 0, NULL, len, e);
}

/* -- The last piece -----------------------------------------------------------
 */

void
unpacked_last_init(struct unpacked_last *l)
{
	*l = (struct unpacked_last){ .name = NULL };
	pthread_mutex_init(&l->lock, NULL);
}

void
unpacked_last_release(struct unpacked_last *l)
{
	pthread_mutex_destroy(&l->lock);
	free(l->name);
	free(l->bytes);
}

/* Whether [off, off + len) lies in the last piece, which was verified. */
static bool
take_last(struct unpacked_last *l, const char *name, uint64_t off, size_t len,
	uint8_t *to)
{
	size_t skip = (size_t)(off % KEPT_PIECE);

	if (!l)
		return false;
	auto_lock(&l->lock);

	if (!l->name || l->number != off / KEPT_PIECE || skip > l->len ||
		len > l->len - skip || strcmp(l->name, name) != 0)
		return false;
	memcpy(to, l->bytes + skip, len);
	return true;
}

static void
keep_last(struct unpacked_last *l, const char *name, uint64_t number,
	const uint8_t *bytes, size_t len)
{
	if (!l)
		return;
	auto_lock(&l->lock);

	if (!l->bytes)
		l->bytes = xmalloc(KEPT_PIECE);
	if (!l->name || strcmp(l->name, name) != 0) {
		free(l->name);
		l->name = xstrdup(name);
	}
	l->number = number;
	l->len = len;
	memcpy(l->bytes, bytes, len);
}

/* All of it from what is kept. */
static bool
get_kept(const struct unpacked_source *src, uint64_t off, size_t len,
	uint8_t *to)
{
	auto_free char *name = kept_name(src);
	auto_free uint8_t *piece = NULL;
	uint64_t all;
	size_t n;

	if (take_last(src->last, name, off, len, to))
		return true;
	if (!known_length(src, name, &all))
		return false;
	piece = xmalloc(KEPT_PIECE);
	while (len > 0) {
		size_t skip = (size_t)(off % KEPT_PIECE);

		if (!kept_read(src->kept, name, off / KEPT_PIECE, piece, &n) ||
			n <= skip)
			return false;
		keep_last(src->last, name, off / KEPT_PIECE, piece, n);
		n = n - skip < len ? n - skip : len;
		memcpy(to, piece + skip, n);
		to += n;
		off += n;
		len -= n;
	}
	return true;
}

int
unpacked_get(const struct unpacked_source *src, uint64_t off, size_t len,
	void *to, struct err *e)
{
	uint64_t all;
	int r;

	if (len == 0 || get_kept(src, off, len, to))
		return 0;
	r = decode(src, off, len, to, &all, e);
	if (!r && all < off + len)
		return err_set(
			e, EBADMSG, "%s is not what it was", src->object);
	return r;
}
