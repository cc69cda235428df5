/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/foreign/ltx.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <string.h>
#include "repo/base/bytes.h"
#include "repo/foreign/lz4.h"

#define MAGIC "LTX1"
#define NO_CHECKSUM 2u /* the only flag of a header */
#define SIZED 1u       /* of a page: its LZ4 block's length goes before it */
#define RESERVED_AT 80

/* -- CRC ------------------------------------------------------------------- */

/* x^64 + x^4 + x^3 + x + 1, bits reflected; eight bytes at a time. */
#define POLYNOMIAL 0xD800000000000000u

static uint64_t table[8][256];
static pthread_once_t table_made = PTHREAD_ONCE_INIT;

static void
make_table(void)
{
	for (unsigned i = 0; i < 256; i++) {
		uint64_t crc = i;

		for (int bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ POLYNOMIAL : crc >> 1;
		table[0][i] = crc;
	}
	for (unsigned i = 0; i < 256; i++) {
		for (unsigned k = 1; k < 8; k++) {
			uint64_t crc = table[k - 1][i];

			table[k][i] = crc >> 8 ^ table[0][crc & 0xff];
		}
	}
}

static uint64_t
eight_bytes(uint64_t crc, const uint8_t *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof(word));
	crc ^= le64toh(word);
	return table[7][crc & 0xff] ^ table[6][crc >> 8 & 0xff] ^
	       table[5][crc >> 16 & 0xff] ^ table[4][crc >> 24 & 0xff] ^
	       table[3][crc >> 32 & 0xff] ^ table[2][crc >> 40 & 0xff] ^
	       table[1][crc >> 48 & 0xff] ^ table[0][crc >> 56];
}

uint64_t
ltx_crc(uint64_t crc, const void *data, size_t len)
{
	const uint8_t *p = data;

	pthread_once(&table_made, make_table);
	crc = ~crc;
	for (; len >= 8; len -= 8, p += 8)
		crc = eight_bytes(crc, p);
	for (; len > 0; len--, p++)
		crc = crc >> 8 ^ table[0][(crc ^ *p) & 0xff];
	return ~crc;
}

/* -- Header, trailer ------------------------------------------------------- */

static bool
is_page_size(uint32_t n)
{
	return n >= LTX_PAGE_SIZE_MIN && n <= LTX_PAGE_SIZE_MAX &&
	       (n & (n - 1)) == 0;
}

int
ltx_header_decode(
	const uint8_t in[LTX_HEADER_LEN], struct ltx_header *h, struct err *e)
{
	static const uint8_t zeros[LTX_HEADER_LEN - RESERVED_AT];
	uint32_t flags = get_be32(in + 4);

	*h = (struct ltx_header){ .page_size = get_be32(in + 8),
		.commit = get_be32(in + 12),
		.min = get_be64(in + 16),
		.max = get_be64(in + 24),
		.time_ms = (int64_t)get_be64(in + 32) };
	if (memcmp(in, MAGIC, 4) != 0)
		return err_set(e, EUCLEAN, "not an LTX file");
	if (flags & 1)
		return err_set(e, EUCLEAN,
			"an LTX file of version 1, which is not supported");
	if (flags & ~NO_CHECKSUM)
		return err_set(e, EUCLEAN,
			"an LTX file with flags %#" PRIx32
			", which is not supported",
			flags);
	if (!is_page_size(h->page_size))
		return err_set(e, EUCLEAN,
			"an LTX file with pages of %" PRIu32 " bytes",
			h->page_size);
	if (h->min == 0 || h->min > h->max)
		return err_set(e, EUCLEAN,
			"an LTX file from TXID %016" PRIx64 " to %016" PRIx64,
			h->min, h->max);
	if (memcmp(in + RESERVED_AT, zeros, sizeof(zeros)) != 0)
		return err_set(e, EUCLEAN,
			"an LTX file whose header is not "
			"that of version 3");
	return 0;
}

int
ltx_index_place_decode(const uint8_t end[LTX_END_LEN], uint64_t size,
	struct ltx_index_place *x, struct err *e)
{
	uint64_t len = get_be64(end);

	if (size < LTX_LEN_MIN)
		return err_set(e, EUCLEAN, "too short for an LTX file");
	if (len == 0 ||
		len > size - LTX_END_LEN - LTX_HEADER_LEN - LTX_PAGE_HEADER_LEN)
		return err_set(e, EUCLEAN,
			"no LTX file of version 3: its page "
			"index does not lie in it");
	x->len = len - 1;
	x->off = size - LTX_END_LEN - len;
	return 0;
}

/* -- Entries, pages -------------------------------------------------------- */

size_t
ltx_entry_decode(const uint8_t *p, const uint8_t *end, struct ltx_entry *x)
{
	struct reader r = reader_of(p, (size_t)(end - p));
	uint64_t pgno = read_bounded(&r, UINT32_MAX);

	x->pgno = (uint32_t)pgno;
	x->off = read_varint(&r);
	x->len = read_varint(&r);
	return r.bad || pgno == 0 ? 0 : (size_t)(r.p - p);
}

static int
bad_page(uint32_t pgno, const char *why, struct err *e)
{
	return err_set(e, EBADMSG, "page %" PRIu32 " %s", pgno, why);
}

static int
decode_block(const uint8_t *in, size_t in_len, uint32_t page_size,
	uint32_t pgno, uint8_t *out, size_t *used, struct err *e)
{
	size_t len = in_len < 4 ? 0 : get_be32(in);

	if (in_len < 4 || len > in_len - 4)
		return bad_page(pgno, "is cut off", e);
	if (lz4_block(in + 4, len, out, page_size, NULL) < 0)
		return bad_page(pgno, "does not decompress to a page", e);
	*used = 4 + len;
	return 0;
}

int
ltx_page_decode(const uint8_t *in, size_t in_len, uint32_t page_size,
	uint32_t pgno, uint8_t *out, size_t *used, size_t *head, struct err *e)
{
	uint32_t found = in_len < LTX_PAGE_HEADER_LEN ? 0 : get_be32(in);
	uint32_t flags = in_len < LTX_PAGE_HEADER_LEN ? 0 : get_be16(in + 4);
	const uint8_t *body = in + LTX_PAGE_HEADER_LEN;
	size_t left = in_len - LTX_PAGE_HEADER_LEN, n = 0;
	int r;

	if (found == 0)
		return bad_page(pgno, "is cut off", e);
	if (pgno && found != pgno)
		return bad_page(pgno, "is not where the index says", e);
	if (flags & ~SIZED)
		return bad_page(found, "has flags that are not known", e);
	if (flags & SIZED)
		r = decode_block(body, left, page_size, found, out, &n, e);
	else if (lz4_frame(body, left, out, page_size, &n, NULL) < 0)
		r = bad_page(found, "does not decompress to a page", e);
	else
		r = 0;
	n += LTX_PAGE_HEADER_LEN;
	if (r == 0 && !used && n != in_len)
		return bad_page(found, "is not as long as the index says", e);
	if (used)
		*used = n;
	if (head)
		*head = LTX_PAGE_HEADER_LEN + (flags & SIZED ? 4 : 0);
	return r;
}
