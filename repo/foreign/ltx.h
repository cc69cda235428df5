/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * LTX files, version 3, as Litestream 0.5 writes them (ltx 0.5): the pages that
 * changed between two transaction ids, decoded from memory.  No I/O, any
 * bytes.
 *
 *	header 100 | page frames | 6 zeros | index | u64 its length | trailer 16
 *
 * A page frame is u32 page number, u16 flags, then with flag 1 a u32 length
 * and an LZ4 block of that many bytes, else one LZ4 frame.  The index has
 * page number, offset and length of each frame as varints, by page number, and
 * ends with a 0.  The trailer is the database's sum (which Litestream never
 * fills in) and the file's: CRC-64/GO-ISO of everything before it, with pages
 * as they are when decompressed, and bit 63 set.
 *
 * Versions 1 and 2 begin with the same four letters and say nothing of
 * themselves; they have shorter page headers, and fail here.
 */
#ifndef YORE_FOREIGN_LTX_H
#define YORE_FOREIGN_LTX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "repo/base/err.h"

#define LTX_HEADER_LEN 100u
#define LTX_TRAILER_LEN 16u
#define LTX_PAGE_HEADER_LEN 6u
/* Behind the index's varints: its length, and the trailer. */
#define LTX_END_LEN (8u + LTX_TRAILER_LEN)
/* The shortest file: no page, an index of one byte. */
#define LTX_LEN_MIN (LTX_HEADER_LEN + LTX_PAGE_HEADER_LEN + 1 + LTX_END_LEN)
#define LTX_PAGE_SIZE_MIN 512u
#define LTX_PAGE_SIZE_MAX 65536u
#define LTX_ENTRY_MAX 25u /* bytes of an entry of the index */

struct ltx_header {
	uint32_t page_size;
	uint32_t commit;   /* pages of the database afterwards */
	uint64_t min, max; /* transaction ids, 1 <= min <= max */
	int64_t time_ms;
};

/* -EUCLEAN: not the header of an LTX file, or of none that this knows. */
int ltx_header_decode(
	const uint8_t in[LTX_HEADER_LEN], struct ltx_header *h, struct err *e);

/* Where a file's index lies. */
struct ltx_index_place {
	uint64_t off; /* in the file, of its first varint */
	uint64_t len; /* of the entries, without the 0 behind them */
};

/* From a file's last LTX_END_LEN bytes and its size.  -EUCLEAN. */
int ltx_index_place_decode(const uint8_t end[LTX_END_LEN], uint64_t size,
	struct ltx_index_place *x, struct err *e);

struct ltx_entry {
	uint32_t pgno; /* never 0 */
	uint64_t off;  /* of its frame in the file */
	uint64_t len;
};

/* The entry at p; returns its length, 0 when it is not all there or no
 * entry. */
size_t ltx_entry_decode(
	const uint8_t *p, const uint8_t *end, struct ltx_entry *x);

/*
 * Decode the page frame that begins at `in` into out (page_size bytes).  *used
 * is its length; with NULL it must be in_len.  -EBADMSG: cut off, not the page
 * `pgno` (0: whichever), or does not decompress to a page.  Returns the length
 * of what the file's sum covers before the page in *head, unless that is NULL.
 */
int ltx_page_decode(const uint8_t *in, size_t in_len, uint32_t page_size,
	uint32_t pgno, uint8_t *out, size_t *used, size_t *head, struct err *e);

/* The lock page is never in a file, and reads as zeros. */
static inline uint32_t
ltx_lock_page(uint32_t page_size)
{
	return 0x40000000u / page_size + 1;
}

/* CRC-64/GO-ISO, begun with 0, of one part after the other. */
uint64_t ltx_crc(uint64_t crc, const void *data, size_t len);
#define LTX_SUM_FLAG (1ULL << 63)

#endif
