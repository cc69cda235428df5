/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A snapshot is kept as pieces, and as an object that says that those of one
 * decoding are whole and right: each decoding has a number of its own, so that
 * pieces of one that came to nothing are never taken for another's.  Where
 * nothing can be kept each piece costs decoding all of it: it is picked out as
 * it passes by.
 */
#include "repo/foreign/litestream03/snapshot.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include "repo/base/bytes.h"
#include "repo/crypto/keyring.h"
#include "repo/foreign/unpack.h"

#define KNOWN_LEN 16
#define SYNC_PIECES 128 /* the cache drops what comes faster than its disk */

/* A piece that is wanted of those that pass by; buf NULL: none. */
struct wanted {
	uint64_t piece;
	uint8_t *buf;
	size_t len;
};

void
ls03_snapshot_release(struct ls03_snapshot *s)
{
	free(s->name);
	free(s->kept);
	s->name = s->kept = NULL;
}

static char *
pieces_name(const struct ls03_snapshot *s)
{
	return xasprintf("%s %016" PRIx64, s->kept, s->decoding);
}

static bool
load_known(struct ls03_snapshot *s)
{
	auto_free uint8_t *data = NULL;
	size_t len;

	if (kept_get(s->r->kept, s->kept, KNOWN_LEN, &data, &len) < 0 ||
		len != KNOWN_LEN)
		return false;
	s->size = get_be64(data);
	s->decoding = get_be64(data + 8);
	return true;
}

/* -- Decoding ------------------------------------------------------------- */

/* The next piece of a packed object; *len is 0 at its end. */
static int
next_piece(struct unpack *u, uint8_t *buf, size_t *len, struct err *e)
{
	for (*len = 0; *len < KEPT_PIECE;) {
		ssize_t n = unpack_read(u, buf + *len, KEPT_PIECE - *len, e);

		if (n < 0)
			return (int)n;
		if (n == 0)
			break;
		*len += (size_t)n;
	}
	return 0;
}

static int
decode_pieces(struct ls03_snapshot *s, struct unpack *u, const char *pieces,
	struct wanted *w, struct err *e)
{
	auto_free uint8_t *buf = xmalloc(KEPT_PIECE);
	size_t len = 1;

	for (uint64_t piece = 0; len > 0; piece++) {
		int rc = next_piece(u, buf, &len, e);

		if (rc < 0)
			return rc;
		if (len > 0)
			kept_write(s->r->kept, pieces, piece, buf, len);
		if (w->buf && w->piece == piece) {
			memcpy(w->buf, buf, len);
			w->len = len;
		}
		if (piece % SYNC_PIECES == SYNC_PIECES - 1)
			(void)kept_sync(s->r->kept, NULL);
	}
	return 0;
}

/* To be called by one thread at a time. */
static int
decode(struct ls03_snapshot *s, struct wanted *w, uint64_t *size, struct err *e)
{
	auto_unpack struct unpack *u = unpack_new(s->r->place->store, s->name,
		s->object.size, UNPACK_LZ4, INT64_MAX);
	auto_free char *pieces = NULL;
	uint8_t known[KNOWN_LEN];
	uint64_t decoding;
	int rc;

	random_bytes(&decoding, sizeof(decoding));
	pieces = xasprintf("%s %016" PRIx64, s->kept, decoding);
	rc = decode_pieces(s, u, pieces, w, e);
	if (rc < 0) {
		kept_forget(s->r->kept, pieces);
		return ls03_explain(s->r, s->name, rc, e);
	}
	*size = unpack_off(u);
	put_be64(known, *size);
	put_be64(known + 8, decoding);
	kept_put(s->r->kept, s->kept, known, sizeof(known));
	(void)kept_sync(s->r->kept, NULL); /* it is asked for at once */
	s->decoding = decoding;
	return 0;
}

int
ls03_snapshot_open(struct ls03 *r, const char *generation,
	const struct ls03_object *o, struct ls03_snapshot *s, struct err *e)
{
	auto_ls03_work struct ls03_work work = { .r = NULL };
	struct wanted none = { .buf = NULL };
	int rc;

	*s = (struct ls03_snapshot){ .r = r, .object = *o };
	s->name = ls03_object_name(r, generation, o);
	s->kept = ls03_kept_name("snapshot", s->name, o);
	if (load_known(s))
		return 0;
	rc = ls03_work_begin(r, s->name, &work, e);
	if (rc == 0 && !load_known(s))
		rc = decode(s, &none, &s->size, e);
	ls03_work_end(&work);
	if (rc < 0)
		ls03_snapshot_release(s);
	return rc;
}

/* -- Pieces --------------------------------------------------------------- */

static bool
piece_kept(struct ls03_snapshot *s, uint64_t piece, uint8_t *buf, size_t *len)
{
	auto_free char *pieces = pieces_name(s);
	uint64_t left = s->size - piece * KEPT_PIECE;

	return kept_read(s->r->kept, pieces, piece, buf, len) &&
	       *len == (left < KEPT_PIECE ? left : KEPT_PIECE);
}

/* Not kept: perhaps another thread has decoded it meanwhile. */
static int
piece_again(struct ls03_snapshot *s, struct wanted *w, struct err *e)
{
	auto_ls03_work struct ls03_work work = { .r = NULL };
	uint64_t before = s->decoding, size;
	int rc = ls03_work_begin(s->r, s->name, &work, e);

	if (rc < 0)
		return rc;
	if (s->decoding != before && piece_kept(s, w->piece, w->buf, &w->len))
		return 0;
	rc = decode(s, w, &size, e);
	if (rc == 0 && size != s->size)
		return err_set(e, EBADMSG, "%s has changed", s->name);
	return rc;
}

int
ls03_snapshot_piece(struct ls03_snapshot *s, uint64_t piece, uint8_t *buf,
	size_t *len, struct err *e)
{
	struct wanted w = { .piece = piece, .buf = buf };
	int rc;

	*len = 0;
	if (piece * KEPT_PIECE >= s->size || piece_kept(s, piece, buf, len))
		return 0;
	rc = piece_again(s, &w, e);
	*len = w.len;
	return rc;
}
