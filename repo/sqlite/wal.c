/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Integers are big-endian everywhere; only the words that sums are over are
 * read in the order that the header's magic number names, which is that of the
 * machine that began the log.
 */
#include <errno.h>
#include <string.h>
#include "repo/base/bytes.h"
#include "repo/sqlite/wal.h"

#define MAGIC 0x377f0682u /* + 1: sums over big-endian words */
#define VERSION 3007000u
#define SUMMED_OF_HEADER 24
#define SUMMED_OF_FRAME 8

void
wal_sum(bool big_endian, const uint8_t *p, size_t len, uint32_t sum[2])
{
	uint32_t a = sum[0], b = sum[1];

	for (const uint8_t *end = p + len; p < end; p += 8) {
		uint32_t w[2];

		memcpy(w, p, 8);
		a += (big_endian ? be32toh(w[0]) : le32toh(w[0])) + b;
		b += (big_endian ? be32toh(w[1]) : le32toh(w[1])) + a;
	}
	sum[0] = a;
	sum[1] = b;
}

static bool
is_page_size(uint32_t n)
{
	return n >= WAL_PAGE_SIZE_MIN && n <= WAL_PAGE_SIZE_MAX &&
	       !(n & (n - 1));
}

int
wal_header_decode(
	const uint8_t in[WAL_HEADER_LEN], struct wal_header *h, struct err *e)
{
	uint32_t magic = get_be32(in), sum[2] = { 0, 0 };

	memset(h, 0, sizeof(*h));
	if ((magic & ~1u) != MAGIC)
		return err_set(e, EUCLEAN, "not a write-ahead log of SQLite");
	if (get_be32(in + 4) != VERSION)
		return err_set(e, EUCLEAN,
			"a write-ahead log of an unknown version, %u",
			get_be32(in + 4));
	h->big_endian_sums = magic & 1;
	h->page_size = get_be32(in + 8);
	h->checkpoint_seq = get_be32(in + 12);
	h->salt[0] = get_be32(in + 16);
	h->salt[1] = get_be32(in + 20);
	h->sum[0] = get_be32(in + 24);
	h->sum[1] = get_be32(in + 28);
	if (!is_page_size(h->page_size))
		return err_set(e, EUCLEAN,
			"a write-ahead log with pages of %u bytes",
			h->page_size);
	wal_sum(h->big_endian_sums, in, SUMMED_OF_HEADER, sum);
	if (memcmp(sum, h->sum, sizeof(sum)))
		return err_set(e, EBADMSG,
			"the header of the write-ahead log does not verify");
	return 0;
}

void
wal_scan_init(struct wal_scan *s, const struct wal_header *h)
{
	*s = (struct wal_scan){
		.header = *h,
		.sum = { h->sum[0], h->sum[1] },
		.off = WAL_HEADER_LEN,
	};
}

void
wal_frame_peek(const uint8_t in[WAL_FRAME_HEADER_LEN], struct wal_frame *f)
{
	*f = (struct wal_frame){
		.pgno = get_be32(in),
		.commit_pages = get_be32(in + 4),
		.salt = { get_be32(in + 8), get_be32(in + 12) },
		.sum = { get_be32(in + 16), get_be32(in + 20) },
	};
}

int
wal_scan_frame(struct wal_scan *s, const uint8_t *frame, struct wal_frame *f,
	struct err *e)
{
	uint32_t sum[2] = { s->sum[0], s->sum[1] };
	bool big = s->header.big_endian_sums;

	wal_frame_peek(frame, f);
	if (memcmp(f->salt, s->header.salt, sizeof(f->salt)))
		return err_set(e, EAGAIN,
			"the frame at %llu is not of this write-ahead log",
			(unsigned long long)s->off);
	wal_sum(big, frame, SUMMED_OF_FRAME, sum);
	wal_sum(big, frame + WAL_FRAME_HEADER_LEN, s->header.page_size, sum);
	if (!f->pgno || memcmp(sum, f->sum, sizeof(sum)))
		return err_set(e, EBADMSG,
			"the frame at %llu of the write-ahead log does not "
			"verify",
			(unsigned long long)s->off);
	memcpy(s->sum, sum, sizeof(sum));
	s->off += wal_frame_len(&s->header);
	return 0;
}
