/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/upkeep/pack_reader.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "repo/base/auto.h"
#include "repo/base/buf.h"

#define WINDOW_LEN (4u << 20)
#define TAIL_LEN (64u << 10)
#define TOC_LEN_MAX (16u << 20)

void
pack_reader_release(struct pack_reader *pr)
{
	toc_release(&pr->toc);
	buf_release(&pr->window);
	secret_wipe(&pr->key, sizeof(pr->key));
}

/* -- Bytes
 * ------------------------------------------------------------------------- */

/* The len bytes at off, which lie in the pack; borrowed until the next call.
 * -EBADMSG: the store has fewer than it listed. */
static int
need(struct pack_reader *pr, uint64_t off, size_t len, const uint8_t **p,
	struct err *e)
{
	const struct store_call call = { .once = pr->type == OBJECT_DATA };
	uint64_t left = pr->size - off;
	size_t want = len > WINDOW_LEN ? len : WINDOW_LEN, got = 0;
	int r;

	if (off < pr->window_off ||
		off + len > pr->window_off + pr->window.len) {
		want = want < left ? want : (size_t)left;
		pr->window.len = 0;
		buf_reserve(&pr->window, want + STORE_ALIGN);
		r = store_get_call(pr->store, pr->name, off, want,
			pr->window.data, &got, &call, e);
		if (r)
			return r;
		pr->window.len = got;
		pr->window_off = off;
		if (got < len)
			return err_set(e, EBADMSG, "cut off");
	}
	*p = pr->window.data + (off - pr->window_off);
	return 0;
}

/* Unseal a copy: what fails is looked at again byte by byte. */
static int
unseal(struct pack_reader *pr, uint64_t off, uint32_t len,
	struct frame_prefix *fp, uint8_t **plain, struct err *e)
{
	auto_free uint8_t *copy = NULL;
	const uint8_t *sealed;
	int r = need(pr, off, len, &sealed, e);

	if (r)
		return r;
	copy = xmemdup(sealed, len);
	return frame_unseal(&pr->key, off, copy, len, fp, plain, e);
}

/* -- Both ends
 * ---------------------------------------------------------------------------
 */

static void
check_head(struct pack_reader *pr, const uint8_t *head)
{
	struct object_header h;

	if (object_header_decode(head, &h, &pr->head))
		return;
	if (h.type != pr->type || memcmp(h.id, pr->id, OBJECT_ID_LEN) ||
		memcmp(h.repository_id, pr->keys->repository_id,
			REPOSITORY_ID_LEN))
		err_set(&pr->head, EBADMSG, "not the pack its name says");
}

static int
read_table(
	struct pack_reader *pr, const struct object_trailer *t, struct err *e)
{
	auto_free uint8_t *plain = NULL;
	struct frame_prefix fp;
	int r;

	pr->table_off = t->toc_off;
	if (t->toc_len > TOC_LEN_MAX || t->toc_len < FRAME_OVERHEAD ||
		t->toc_off < OBJECT_HEADER_LEN || t->toc_off > pr->size ||
		pr->size - t->toc_off != t->toc_len + OBJECT_TRAILER_LEN)
		return err_set(e, EBADMSG,
			"its table of contents is not where its end says");
	r = unseal(pr, t->toc_off, t->toc_len, &fp, &plain, e);
	if (!r && fp.type != FRAME_TOC)
		r = err_set(e, EUCLEAN, "its table of contents is none");
	if (!r)
		r = toc_decode(plain, fp.plain_len, &pr->toc, e);
	if (!r)
		pr->end = t->toc_off;
	return r;
}

/* The last bytes, and what they lead to. */
static int
read_tail(struct pack_reader *pr, struct err *e)
{
	uint64_t off = pr->size > TAIL_LEN ? pr->size - TAIL_LEN : 0;
	size_t len = (size_t)(pr->size - off), got = 0;
	struct object_trailer t;
	int r;

	buf_reserve(&pr->window, len);
	r = store_get(pr->store, pr->name, off, len, pr->window.data, &got, e);
	if (r)
		return r;
	if (got < len)
		return err_set(e, EBADMSG, "cut off");
	pr->window.len = len;
	pr->window_off = off;
	r = object_trailer_decode(
		pr->window.data + len - OBJECT_TRAILER_LEN, &t, e);
	return r ? r : read_table(pr, &t, e);
}

static bool
is_fault(int r)
{
	return r == -EBADMSG || r == -EUCLEAN || r == -EPROTONOSUPPORT;
}

static void
begin(struct pack_reader *pr, struct store *s, const struct keyring *keys,
	enum object_type type, const uint8_t id[OBJECT_ID_LEN], uint64_t size)
{
	*pr = (struct pack_reader){ .store = s,
		.keys = keys,
		.type = type,
		.size = size,
		.end = size };
	memcpy(pr->id, id, OBJECT_ID_LEN);
	object_key_init(&pr->key, keys, type, id);
}

/* The header; what is wrong with it is in pr->head. */
static int
read_head(struct pack_reader *pr, struct err *e)
{
	const uint8_t *head;
	int r = need(pr, 0, OBJECT_HEADER_LEN, &head, &pr->head);

	if (!r)
		check_head(pr, head);
	if (!r || is_fault(r))
		return 0;
	*e = pr->head;
	return r;
}

int
pack_reader_open(struct pack_reader *pr, struct store *s,
	const struct keyring *keys, enum object_type type,
	const uint8_t id[OBJECT_ID_LEN], uint64_t size, struct err *e)
{
	int r;

	begin(pr, s, keys, type, id, size);
	object_pack_name(pr->name, type, id);
	if (size < OBJECT_HEADER_LEN + OBJECT_TRAILER_LEN) {
		err_set(&pr->table, EBADMSG, "cut off");
		pr->head = pr->table;
		return 0;
	}
	r = read_tail(pr, &pr->table);
	if (is_fault(r)) {
		toc_release(&pr->toc);
		pr->toc = (struct toc)TOC_INIT;
		r = 0;
	}
	if (r) {
		*e = pr->table;
		return r;
	}
	return read_head(pr, e);
}

int
pack_reader_delta(struct pack_reader *pr, struct store *s,
	const struct keyring *keys, const char *name,
	const uint8_t id[OBJECT_ID_LEN], uint64_t end, struct err *e)
{
	begin(pr, s, keys, OBJECT_DELTA, id, end);
	snprintf(pr->name, sizeof(pr->name), "%s", name);
	err_set(&pr->table, EBADMSG, "a delta has none");
	return read_head(pr, e);
}

/* -- Frames
 * -------------------------------------------------------------------------------
 */

struct telling {
	struct pack_reader *pr;
	int (*each)(void *ctx, const struct pack_frame *f);
	void *ctx;
};

static int
tell_bad(const struct telling *t, uint64_t off, uint64_t len, int bad,
	const char *why, const struct toc_frame *listed)
{
	const struct pack_frame f = {
		.off = off, .len = len, .bad = bad, .why = why, .listed = listed
	};

	return t->each(t->ctx, &f);
}

static int
tell_good(const struct telling *t, uint64_t off, uint64_t len,
	const struct frame_prefix *fp, const uint8_t *plain,
	const struct toc_frame *listed)
{
	struct pack_frame f = { .off = off,
		.len = len,
		.type = fp->type,
		.flags = fp->flags,
		.plain = plain,
		.plain_len = fp->plain_len,
		.n_chunks = 1,
		.listed = listed };
	struct err why = ERR_INIT;
	int r = 0;

	if (fp->flags & FRAME_SOLID)
		r = solid_table_decode(
			plain, fp->plain_len, &f.lens, &f.n_chunks, &why);
	if (r)
		return tell_bad(t, off, len, r, why.text, listed);
	return t->each(t->ctx, &f);
}

/* The frame that is at off; 0 or what was returned, -errno of the store.  *bad:
 * it is none, and nobody was told. */
static int
tell_frame(const struct telling *t, uint64_t off, uint32_t len,
	const struct toc_frame *listed, struct err *bad, struct err *e)
{
	auto_free uint8_t *plain = NULL;
	struct frame_prefix fp;
	int r = unseal(t->pr, off, len, &fp, &plain, bad);

	if (r && !is_fault(r)) {
		*e = *bad;
		return r;
	}
	return r ? 0 : tell_good(t, off, len, &fp, plain, listed);
}

static int
by_table(const struct telling *t, struct err *e)
{
	struct pack_reader *pr = t->pr;
	int r = 0;

	for (uint32_t i = 0; i < pr->toc.n_frames && !r; i++) {
		const struct toc_frame *f = &pr->toc.frames[i];
		struct err bad = ERR_INIT;

		if (f->off + f->len > pr->end || f->len < FRAME_OVERHEAD)
			return tell_bad(t, f->off, f->len, -EUCLEAN,
				"the table of contents leaves the pack", f);
		r = tell_frame(t, f->off, f->len, f, &bad, e);
		if (!r && bad.code)
			r = tell_bad(t, f->off, f->len, -bad.code, bad.text, f);
	}
	return r;
}

/* -- Without a table
 * ------------------------------------------------------------------------ */

/* What may be a frame at off: its length, or 0. */
static uint32_t
frame_at(struct pack_reader *pr, uint64_t off, struct err *e)
{
	struct frame_prefix fp;
	const uint8_t *p;

	if (off + FRAME_OVERHEAD > pr->size ||
		need(pr, off, FRAME_PREFIX_LEN, &p, e) ||
		frame_prefix_decode(p, &fp, e) ||
		fp.body_len > pr->size - off - FRAME_PREFIX_LEN)
		return 0;
	return FRAME_PREFIX_LEN + fp.body_len;
}

/* Whether a frame unseals at off. */
static bool
is_frame(struct pack_reader *pr, uint64_t off, uint32_t len)
{
	auto_free uint8_t *plain = NULL;
	struct frame_prefix fp;

	return len && unseal(pr, off, len, &fp, &plain, NULL) == 0;
}

/* The next place from off on where a frame unseals, or the pack's end.  A
 * prefix is hardly ever met by chance: little is unsealed in vain. */
static int
find_frame(struct pack_reader *pr, uint64_t off, uint64_t *found, struct err *e)
{
	for (; off + FRAME_OVERHEAD <= pr->size; off++) {
		const uint8_t *p;
		int r = need(pr, off, FRAME_PREFIX_LEN, &p, e);

		if (r && !is_fault(r))
			return r;
		if (r)
			break;
		if (p[3] == 0xf5 &&
			is_frame(pr, off, frame_at(pr, off, NULL))) {
			*found = off;
			return 0;
		}
	}
	*found = pr->size;
	return 0;
}

static int
by_prefixes(const struct telling *t, struct err *e)
{
	struct pack_reader *pr = t->pr;
	uint64_t off = OBJECT_HEADER_LEN, next;
	int r = 0;

	while (!r && off + FRAME_OVERHEAD <= pr->size) {
		struct err bad = ERR_INIT;
		uint32_t len = frame_at(pr, off, &bad);

		if (len)
			r = tell_frame(t, off, len, NULL, &bad, e);
		if (r)
			return r;
		if (!bad.code && len) {
			off += len;
			continue;
		}
		if (!bad.code)
			err_set(&bad, EBADMSG, "no frame begins there");
		/* where its own length leads, else wherever there is one */
		if (len &&
			is_frame(pr, off + len, frame_at(pr, off + len, NULL)))
			next = off + len;
		else
			r = find_frame(pr, off + 1, &next, e);
		/* the trailer, or what is left of it, is none either */
		if (!r && next - off > OBJECT_TRAILER_LEN)
			r = tell_bad(
				t, off, next - off, -bad.code, bad.text, NULL);
		off = next;
	}
	return r;
}

int
pack_reader_frames(struct pack_reader *pr,
	int (*each)(void *ctx, const struct pack_frame *f), void *ctx,
	struct err *e)
{
	const struct telling t = { .pr = pr, .each = each, .ctx = ctx };

	return pr->table.code ? by_prefixes(&t, e) : by_table(&t, e);
}
