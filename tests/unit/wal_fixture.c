/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sums are computed by code of its own, from the format's description. */
#include <string.h>
#include "repo/base/bytes.h"
#include "tests/unit/wal_fixture.h"

static uint32_t
word(const uint8_t *p, bool big)
{
	return big ? (uint32_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3]
		   : (uint32_t)p[3] << 24 | p[2] << 16 | p[1] << 8 | p[0];
}

static void
add(uint32_t sum[2], const uint8_t *p, size_t len, bool big)
{
	for (size_t i = 0; i < len; i += 8) {
		sum[0] += word(p + i, big) + sum[1];
		sum[1] += word(p + i + 4, big) + sum[0];
	}
}

static void
seal_header(uint8_t *h, bool big, uint32_t sum[2])
{
	put_be32(h, 0x377f0682 + big);
	sum[0] = sum[1] = 0;
	add(sum, h, 24, big);
	put_be32(h + 24, sum[0]);
	put_be32(h + 28, sum[1]);
}

static void
seal_frame(uint8_t *f, uint32_t page_size, bool big, uint32_t sum[2])
{
	add(sum, f, 8, big);
	add(sum, f + 24, page_size, big);
	put_be32(f + 16, sum[0]);
	put_be32(f + 20, sum[1]);
}

void
wal_made_begin(
	struct wal_made *w, uint32_t page_size, bool big_endian, uint32_t salt)
{
	uint8_t *h = buf_zeros(&w->bytes, 32);

	w->page_size = page_size;
	w->salt[0] = salt;
	w->salt[1] = ~salt;
	w->big_endian = big_endian;
	put_be32(h + 4, 3007000);
	put_be32(h + 8, page_size);
	put_be32(h + 12, 7);
	put_be32(h + 16, w->salt[0]);
	put_be32(h + 20, w->salt[1]);
	seal_header(h, big_endian, w->sum);
}

void
wal_made_frame(
	struct wal_made *w, uint32_t pgno, uint32_t commit_pages, uint8_t fill)
{
	uint8_t *f = buf_zeros(&w->bytes, 24 + w->page_size);

	put_be32(f, pgno);
	put_be32(f + 4, commit_pages);
	put_be32(f + 8, w->salt[0]);
	put_be32(f + 12, w->salt[1]);
	memset(f + 24, fill, w->page_size);
	seal_frame(f, w->page_size, w->big_endian, w->sum);
}

void
wal_convert(uint8_t *log, size_t len, bool big_endian)
{
	uint32_t sum[2], page_size;

	if (len < 32)
		return;
	page_size = get_be32(log + 8);
	seal_header(log, big_endian, sum);
	for (size_t at = 32; at + 24 + page_size <= len; at += 24 + page_size) {
		if (memcmp(log + at + 8, log + 16, 8))
			return;
		seal_frame(log + at, page_size, big_endian, sum);
	}
}
