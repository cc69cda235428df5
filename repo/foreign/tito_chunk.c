/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/foreign/tito_chunk.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include "repo/foreign/json.h"
#include "repo/foreign/tito_path.h"
#include "repo/foreign/unpack.h"

/* -- Decoding, and keeping what comes of it ----------------------------------
 */

struct decoding {
	struct unpack *u;
	struct kept *kept;
	char *name;	/* of what is kept */
	uint8_t *piece; /* KEPT_PIECE of room */
	size_t n;
	uint64_t number;
};

static char *
kept_name(const struct tito_source *src)
{
	return xasprintf("tito-chunk-%s-%" PRIu64 "-%" PRId64, src->object,
		src->size, src->modified_ns);
}

/* Says that all pieces were verified. */
static char *
verified_name(const char *name)
{
	return xasprintf("%s.verified", name);
}

static void
begin(struct decoding *d, const struct tito_source *src)
{
	*d = (struct decoding){ .kept = src->kept, .name = kept_name(src) };
	d->u = unpack_new(src->store, src->object, src->size, UNPACK_GZIP,
		TITO_CHUNK_MAX);
	d->piece = xmalloc(KEPT_PIECE);
}

static void
end(struct decoding *d)
{
	unpack_free(d->u);
	free(d->piece);
	free(d->name);
}

#define auto_decoding AUTO(end)

static void
keep_piece(struct decoding *d)
{
	if (d->n == 0)
		return;
	kept_write(d->kept, d->name, d->number++, d->piece, d->n);
	d->n = 0;
}

/* As read(2); what is read is kept. */
static ssize_t
decode(void *ctx, void *to, size_t len, struct err *e)
{
	struct decoding *d = ctx;
	const uint8_t *p = to;
	ssize_t got = unpack_read(d->u, to, len, e);

	for (size_t left = got > 0 ? (size_t)got : 0; left > 0;) {
		size_t n = KEPT_PIECE - d->n;

		n = n < left ? n : left;
		memcpy(d->piece + d->n, p, n);
		d->n += n;
		p += n;
		left -= n;
		if (d->n == KEPT_PIECE)
			keep_piece(d);
	}
	if (got == 0) {
		auto_free char *verified = verified_name(d->name);

		keep_piece(d);
		kept_put(d->kept, verified, "1", 1);
	}
	return got;
}

/* -- Entries ----------------------------------------------------------------
 */

struct telling {
	const struct tito_source *src;
	int (*each)(void *ctx, const struct tito_entry *en, struct err *e);
	void *ctx;
	struct buf key;
};

struct members {
	struct json op, key, data;
};

static int
twice(const char *name, struct err *e)
{
	return err_set(e, EUCLEAN, "an entry has \"%s\" twice", name);
}

static int
take_members(struct json object, struct members *m, struct err *e)
{
	struct json name, v;
	size_t at = 0;

	if (json_kind(object) != JSON_OBJECT)
		return err_set(e, EUCLEAN, "an entry is no object");
	while (json_next(object, &at, &name, &v)) {
		struct json *to = json_is_text(name, "op")     ? &m->op
				  : json_is_text(name, "key")  ? &m->key
				  : json_is_text(name, "data") ? &m->data
							       : NULL;

		if (to && to->p)
			return twice(to == &m->op    ? "op"
				     : to == &m->key ? "key"
						     : "data",
				e);
		if (to)
			*to = v;
	}
	if (!m->op.p || json_kind(m->op) != JSON_STRING || !m->key.p ||
		json_kind(m->key) != JSON_STRING)
		return err_set(e, EUCLEAN, "an entry lacks its op or its key");
	return 0;
}

static int
tell(void *ctx, struct json el, uint64_t off, struct err *e)
{
	struct telling *t = ctx;
	struct members m = { .op = { .p = NULL } };
	int r = take_members(el, &m, e);

	if (r)
		return r;
	bool put = json_is_text(m.op, "put");

	if (put && (!m.data.p || json_kind(m.data) == JSON_NULL))
		return 0;
	if (!put && !json_is_text(m.op, "delete"))
		return 0;
	t->key.len = 0;
	json_bytes_of(m.key, &t->key);
	buf_reserve(&t->key, 1); /* so that it points somewhere */
	if (t->key.len > TITO_KEY_MAX)
		return err_set(e, EUCLEAN, "a key has more than %d bytes",
			TITO_KEY_MAX);
	const struct tito_entry en = { .key = (char *)t->key.data,
		.key_len = t->key.len,
		.put = put,
		.off = put ? off + (uint64_t)(m.data.p - el.p) : 0,
		.len = put ? m.data.len : 0 };

	return t->each(t->ctx, &en, e);
}

int
tito_chunk_entries(const struct tito_source *src,
	int (*each)(void *ctx, const struct tito_entry *en, struct err *e),
	void *ctx, struct err *e)
{
	auto_decoding struct decoding d;
	struct telling t = { .src = src, .each = each, .ctx = ctx };
	struct json_source js = { .read = decode, .ctx = &d };
	int r;

	begin(&d, src);
	r = json_elements(&js, TITO_ENTRY_MAX, tell, &t, e);
	buf_release(&t.key);
	if (r == -EUCLEAN && e &&
		strncmp(e->text, src->object, strlen(src->object)) != 0)
		err_prefix(e, "%s", src->object);
	return r;
}

/* -- Values -----------------------------------------------------------------
 */

/* All of it from what is kept. */
static bool
read_kept(const struct tito_source *src, uint64_t off, size_t len, uint8_t *to)
{
	auto_free char *name = kept_name(src);
	auto_free char *verified = verified_name(name);
	auto_free uint8_t *mark = NULL;
	auto_free uint8_t *piece = xmalloc(KEPT_PIECE);
	size_t n;

	if (kept_get(src->kept, verified, 1, &mark, &n))
		return false;
	while (len > 0) {
		size_t skip = (size_t)(off % KEPT_PIECE);

		if (!kept_read(src->kept, name, off / KEPT_PIECE, piece, &n) ||
			n <= skip)
			return false;
		n = n - skip < len ? n - skip : len;
		memcpy(to, piece + skip, n);
		to += n;
		off += n;
		len -= n;
	}
	return true;
}

/* All of the chunk, to its end: before that nothing of it is verified. */
static int
read_again(const struct tito_source *src, uint64_t off, size_t len, uint8_t *to,
	struct err *e)
{
	auto_decoding struct decoding d;
	auto_free uint8_t *bytes = xmalloc(KEPT_PIECE);
	uint64_t at = 0, end_off = off + len;
	ssize_t n;

	begin(&d, src);
	while ((n = decode(&d, bytes, KEPT_PIECE, e)) > 0) {
		uint64_t from = at > off ? at : off;
		uint64_t until = at + (uint64_t)n;

		until = until < end_off ? until : end_off;
		if (from < until)
			memcpy(to + (from - off), bytes + (from - at),
				until - from);
		at += (uint64_t)n;
	}
	if (n < 0)
		return (int)n;
	if (at < end_off)
		return err_set(
			e, EBADMSG, "%s is not what it was", src->object);
	return 0;
}

int
tito_chunk_read(const struct tito_source *src, uint64_t off, size_t len,
	void *to, struct err *e)
{
	if (len == 0 || read_kept(src, off, len, to))
		return 0;
	return read_again(src, off, len, to, e);
}
