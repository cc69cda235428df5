/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Columns compress better than rows: in a page all ids stand first, then all
 * pack numbers, then all offsets, and so on.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include "repo/base/hex.h"
#include "repo/format/segment.h"

void
segment_page_encode(const struct segment_entry *en, uint32_t n, struct buf *b)
{
	buf_varint(b, n);
	for (uint32_t i = 0; i < n; i++)
		buf_append(b, en[i].id, CHUNK_KEY_LEN);
	for (uint32_t i = 0; i < n; i++)
		buf_varint(b, en[i].pack);
	for (uint32_t i = 0; i < n; i++)
		buf_varint(b, en[i].frame_off);
	for (uint32_t i = 0; i < n; i++)
		buf_varint(b, en[i].frame_len);
	for (uint32_t i = 0; i < n; i++)
		buf_varint(b, en[i].chunk_off);
	for (uint32_t i = 0; i < n; i++)
		buf_varint(b, en[i].chunk_len);
}

int
segment_page_decode(const uint8_t *data, size_t len,
	struct segment_entry **en, uint32_t *n, struct err *e)
{
	struct reader r = reader_of(data, len);
	uint32_t m = (uint32_t)read_bounded(&r, SEGMENT_PAGE_ENTRIES);
	const uint8_t *ids = read_bytes(&r, (size_t)m * CHUNK_KEY_LEN);
	auto_free struct segment_entry *x = NULL;

	if (r.bad || m == 0)
		return err_set(e, EUCLEAN, "index page is too short");
	x = xcalloc(m, sizeof(*x));
	for (uint32_t i = 0; i < m; i++)
		memcpy(x[i].id, ids + (size_t)i * CHUNK_KEY_LEN, CHUNK_KEY_LEN);
	for (uint32_t i = 0; i < m; i++)
		x[i].pack = (uint32_t)read_bounded(&r, SEGMENT_PACKS_MAX);
	for (uint32_t i = 0; i < m; i++)
		x[i].frame_off = read_bounded(&r, 1ULL << 48);
	for (uint32_t i = 0; i < m; i++)
		x[i].frame_len = (uint32_t)read_bounded(&r, 17u << 20);
	for (uint32_t i = 0; i < m; i++)
		x[i].chunk_off = (uint32_t)read_bounded(&r, 16u << 20);
	for (uint32_t i = 0; i < m; i++)
		x[i].chunk_len = (uint32_t)read_bounded(&r,
			(16u << 20) - x[i].chunk_off);
	for (uint32_t i = 1; i < m; i++) {
		if (memcmp(x[i - 1].id, x[i].id, CHUNK_KEY_LEN) >= 0)
			r.bad = true;
	}
	if (r.bad || reader_left(&r))
		return err_set(e, EUCLEAN, "index page contradicts itself");
	*en = steal(x);
	*n = m;
	return 0;
}

void
segment_directory_release(struct segment_directory *d)
{
	free(d->packs);
	free(d->pages);
	free(d->supersedes);
	memset(d, 0, sizeof(*d));
}

void
segment_directory_encode(const struct segment_directory *d, struct buf *b)
{
	buf_varint(b, d->n_entries);
	buf_varint(b, d->n_packs);
	for (uint32_t i = 0; i < d->n_packs; i++) {
		buf_u8(b, d->packs[i].object);
		buf_append(b, d->packs[i].id, OBJECT_ID_LEN);
	}
	buf_varint(b, d->n_pages);
	for (uint32_t i = 0; i < d->n_pages; i++) {
		buf_append(b, d->pages[i].first, CHUNK_KEY_LEN);
		buf_varint(b, d->pages[i].off);
		buf_varint(b, d->pages[i].len);
	}
	buf_varint(b, d->n_supersedes);
	for (uint32_t i = 0; i < d->n_supersedes; i++)
		buf_append(b, d->supersedes[i], OBJECT_ID_LEN);
}

static void
take_packs(struct reader *r, struct segment_directory *d)
{
	d->n_packs = (uint32_t)read_bounded(r, SEGMENT_PACKS_MAX);
	if (d->n_packs > reader_left(r) / (OBJECT_ID_LEN + 1)) {
		r->bad = true;
		return;
	}
	d->packs = xcalloc(d->n_packs, sizeof(*d->packs));
	for (uint32_t i = 0; i < d->n_packs && !r->bad; i++) {
		d->packs[i].object = read_u8(r);
		memcpy(d->packs[i].id, read_bytes(r, OBJECT_ID_LEN),
			OBJECT_ID_LEN);
		if (d->packs[i].object != OBJECT_DATA &&
			d->packs[i].object != OBJECT_META)
			r->bad = true;
	}
}

static void
take_pages(struct reader *r, struct segment_directory *d)
{
	d->n_pages = (uint32_t)read_bounded(r, UINT32_MAX);
	if (d->n_pages > reader_left(r) / (CHUNK_KEY_LEN + 2)) {
		r->bad = true;
		return;
	}
	d->pages = xcalloc(d->n_pages, sizeof(*d->pages));
	for (uint32_t i = 0; i < d->n_pages && !r->bad; i++) {
		const uint8_t *id = read_bytes(r, CHUNK_KEY_LEN);

		if (id)
			memcpy(d->pages[i].first, id, CHUNK_KEY_LEN);
		d->pages[i].off = read_bounded(r, 1ULL << 48);
		d->pages[i].len = (uint32_t)read_bounded(r, SEGMENT_PAGE_MAX);
		if (id && i && memcmp(id, d->pages[i - 1].first, CHUNK_KEY_LEN) <= 0)
			r->bad = true;
	}
	if (d->n_entries < d->n_pages ||
		d->n_entries > (uint64_t)d->n_pages * SEGMENT_PAGE_ENTRIES)
		r->bad = true;
}

int
segment_directory_decode(const uint8_t *data, size_t len,
	struct segment_directory *d, struct err *e)
{
	struct reader r = reader_of(data, len);

	memset(d, 0, sizeof(*d));
	d->n_entries = read_varint(&r);
	take_packs(&r, d);
	if (!r.bad)
		take_pages(&r, d);
	d->n_supersedes = (uint32_t)read_bounded(&r, UINT32_MAX);
	if (!r.bad && reader_left(&r) == (size_t)d->n_supersedes * OBJECT_ID_LEN) {
		d->supersedes = xcalloc(d->n_supersedes + 1, OBJECT_ID_LEN);
		if (d->n_supersedes)
			memcpy(d->supersedes, r.p, reader_left(&r));
		return 0;
	}
	segment_directory_release(d);
	return err_set(e, EUCLEAN, "index directory contradicts itself");
}

void
segment_name(char out[96], unsigned level, uint64_t n,
	const uint8_t id[OBJECT_ID_LEN])
{
	char hex[OBJECT_ID_LEN * 2 + 1];

	snprintf(out, 96, "idx/%u-%012" PRIu64 "-%s", level, n,
		hex_encode(hex, id, OBJECT_ID_LEN));
}

int
segment_name_parse(const char *name, unsigned *level,
	uint8_t id[OBJECT_ID_LEN])
{
	const char *last = strrchr(name, '-');
	const char *end;

	if (strncmp(name, "idx/", 4) || !last)
		return -EINVAL;
	end = name + 4 + strspn(name + 4, "0123456789");
	*level = (unsigned)strtoul(name + 4, NULL, 10);
	if (end == name + 4 || end - name > 8 || *end != '-' || end == last ||
		end + 1 + strspn(end + 1, "0123456789") != last ||
		strlen(last + 1) != OBJECT_ID_LEN * 2)
		return -EINVAL;
	return hex_decode(id, OBJECT_ID_LEN, last + 1);
}
