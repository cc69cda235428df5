/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/foreign/ltx_verify.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/base/bytes.h"

/* Bytes read at a time; more than any frame of a page has. */
#define STRIDE (1u << 20)
#define FRAME_MAX (256u << 10)

struct verify {
	const struct ltx_input *in;
	struct ltx_header *h;
	bool (*each)(void *ctx, const struct ltx_entry *x, uint32_t sum);
	void *ctx;
	uint8_t *buf; /* bytes [at, at + len) of the file */
	uint64_t at;
	size_t len;
	uint8_t *page;
	uint64_t crc;
	uint32_t last;	 /* page before */
	uint32_t n;	 /* pages */
	uint64_t listed; /* sum over what pages are where; pages */
	uint64_t index;	 /* and the same of the index */
};

/* Make at least n bytes from off on available, or as many as there are. */
static int
fill(struct verify *v, uint64_t off, size_t n, struct err *e)
{
	uint64_t left = v->in->size - off;
	size_t have, want = left < STRIDE ? (size_t)left : STRIDE;

	if (off >= v->at && off + (n < want ? n : want) <= v->at + v->len)
		return 0;
	have = off >= v->at && off < v->at + v->len
		       ? (size_t)(v->at + v->len - off)
		       : 0;
	memmove(v->buf, v->buf + v->len - have, have);
	v->at = off;
	v->len = want;
	return v->in->read(
		v->in->ctx, off + have, want - have, v->buf + have, e);
}

static const uint8_t *
bytes_at(const struct verify *v, uint64_t off)
{
	return v->buf + (off - v->at);
}

static size_t
left_at(const struct verify *v, uint64_t off)
{
	return v->len - (size_t)(off - v->at);
}

static uint64_t
add_entry(uint64_t sum, const struct ltx_entry *x)
{
	uint8_t line[20];

	put_be32(line, x->pgno);
	put_be64(line + 4, x->off);
	put_be64(line + 12, x->len);
	return ltx_crc(sum, line, sizeof(line));
}

static int
check_number(struct verify *v, uint32_t pgno, struct err *e)
{
	uint32_t lock = ltx_lock_page(v->h->page_size);
	uint32_t next = v->last + 1 + (v->last + 1 == lock);

	if (pgno <= v->last || pgno > v->h->commit || pgno == lock)
		return err_set(e, EUCLEAN,
			"page %" PRIu32 " follows page %" PRIu32, pgno,
			v->last);
	if (v->h->min == 1 && pgno != next)
		return err_set(e, EUCLEAN,
			"page %" PRIu32 " is missing in a "
			"file that should have all",
			next);
	v->last = pgno;
	return 0;
}

/* One page frame; 1, or 0 at the end of them.  *off moves behind it. */
static int
take_page(struct verify *v, uint64_t *off, struct err *e)
{
	struct ltx_entry x = { .off = *off };
	size_t used, head;
	int r = fill(v, *off, FRAME_MAX, e);

	if (r < 0)
		return r;
	if (left_at(v, *off) < LTX_PAGE_HEADER_LEN)
		return err_set(e, EBADMSG, "cut off");
	x.pgno = get_be32(bytes_at(v, *off));
	if (x.pgno == 0)
		return 0;
	r = check_number(v, x.pgno, e);
	if (r == 0)
		r = ltx_page_decode(bytes_at(v, *off), left_at(v, *off),
			v->h->page_size, x.pgno, v->page, &used, &head, e);
	if (r < 0)
		return r;
	v->crc = ltx_crc(v->crc, bytes_at(v, *off), head);
	v->crc = ltx_crc(v->crc, v->page, v->h->page_size);
	x.len = used;
	v->listed = add_entry(v->listed, &x);
	v->n++;
	*off += used;
	if (v->each &&
		!v->each(v->ctx, &x, LTX_PAGE_SUM(v->page, v->h->page_size)))
		return err_set(e, ECANCELED, "cancelled");
	return 1;
}

/* The entries of the index, which is to say what the pages said. */
static int
take_index(struct verify *v, uint64_t off, uint64_t end, struct err *e)
{
	uint32_t n = 0;

	while (off < end) {
		struct ltx_entry x;
		int r = fill(v, off, LTX_ENTRY_MAX, e);
		size_t len, left;

		if (r < 0)
			return r;
		left = left_at(v, off);
		if (left > end - off)
			left = (size_t)(end - off);
		len = ltx_entry_decode(
			bytes_at(v, off), bytes_at(v, off) + left, &x);
		if (len == 0)
			break;
		v->index = add_entry(v->index, &x);
		v->crc = ltx_crc(v->crc, bytes_at(v, off), len);
		off += len;
		n++;
	}
	if (off != end || n != v->n || v->index != v->listed)
		return err_set(
			e, EBADMSG, "its page index is not of its pages");
	return 0;
}

/* From the 6 zeros on, which end the pages. */
static int
take_end(struct verify *v, uint64_t off, struct err *e)
{
	static const uint8_t zeros[LTX_PAGE_HEADER_LEN];
	uint64_t end = v->in->size - LTX_END_LEN, sum;
	struct ltx_index_place place;
	const uint8_t *p;
	int r;

	if (off + LTX_PAGE_HEADER_LEN + 1 > end ||
		memcmp(bytes_at(v, off), zeros, sizeof(zeros)) != 0)
		return err_set(e, EBADMSG, "its pages do not end");
	if (v->h->min == 1 && v->last != v->h->commit &&
		(v->last + 1 != v->h->commit ||
			v->h->commit != ltx_lock_page(v->h->page_size)))
		return err_set(e, EUCLEAN,
			"pages are missing in a file that "
			"should have all");
	v->crc = ltx_crc(v->crc, zeros, sizeof(zeros));
	off += LTX_PAGE_HEADER_LEN;
	r = take_index(v, off, end - 1, e);
	if (r == 0)
		r = fill(v, end - 1, LTX_END_LEN + 1, e);
	if (r == 0)
		r = ltx_index_place_decode(
			bytes_at(v, end), v->in->size, &place, e);
	if (r < 0)
		return r;
	p = bytes_at(v, end - 1);
	if (*p != 0 || place.off != off)
		return err_set(e, EBADMSG,
			"its page index is not where it "
			"should be");
	sum = ltx_crc(v->crc, p, 1 + LTX_END_LEN - 8) | LTX_SUM_FLAG;
	if (sum != get_be64(p + 1 + LTX_END_LEN - 8))
		return err_set(e, EBADMSG, "its sum does not verify");
	return 0;
}

static int
take_header(struct verify *v, struct err *e)
{
	int r;

	if (v->in->size < LTX_LEN_MIN)
		return err_set(e, EBADMSG, "too short for an LTX file");
	r = fill(v, 0, LTX_HEADER_LEN, e);
	if (r == 0)
		r = ltx_header_decode(v->buf, v->h, e);
	if (r == 0)
		v->crc = ltx_crc(0, v->buf, LTX_HEADER_LEN);
	return r;
}

int
ltx_verify(const struct ltx_input *in, struct ltx_header *h,
	bool (*each)(void *ctx, const struct ltx_entry *x, uint32_t sum),
	void *ctx, struct err *e)
{
	auto_free uint8_t *buf = xmalloc(STRIDE);
	auto_free uint8_t *page = xmalloc(LTX_PAGE_SIZE_MAX);
	struct verify v = { .in = in,
		.h = h,
		.each = each,
		.ctx = ctx,
		.buf = buf,
		.page = page };
	uint64_t off = LTX_HEADER_LEN;
	int r = take_header(&v, e);

	if (r == 0)
		do
			r = take_page(&v, &off, e);
		while (r > 0);
	return r < 0 ? r : take_end(&v, off, e);
}
