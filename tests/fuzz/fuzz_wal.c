/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whatever verifies as frames of a log lies inside it, and encodes to the same
 * sums: the log as far as it was taken, summed in one go, ends in the sum of
 * its last frame.  A log never verifies with a salt or a sum changed.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/sqlite/header.h"
#include "repo/sqlite/wal.h"

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len);

static void
refuses_another(const struct wal_scan *at, const uint8_t *frame)
{
	size_t n = wal_frame_len(&at->header);
	auto_free uint8_t *copy = xmemdup(frame, n);
	struct wal_scan s = *at;
	struct wal_frame f;

	copy[8] ^= 1;
	assert(wal_scan_frame(&s, copy, &f, NULL) == -EAGAIN);
	copy[8] ^= 1;
	copy[n - 1] ^= 1;
	assert(wal_scan_frame(&s, copy, &f, NULL) == -EBADMSG);
	assert(s.off == at->off && !memcmp(s.sum, at->sum, sizeof(s.sum)));
}

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	struct sqlite_header dh;
	struct wal_header h;
	struct wal_scan s;
	struct wal_frame f;
	uint32_t sum[2] = { 0, 0 };

	if (len >= SQLITE_HEADER_LEN && !sqlite_header_decode(in, &dh, NULL))
		assert(dh.page_size >= 512 && dh.page_size <= 65536);
	if (len < WAL_HEADER_LEN || wal_header_decode(in, &h, NULL))
		return 0;
	assert(h.page_size >= WAL_PAGE_SIZE_MIN &&
		h.page_size <= WAL_PAGE_SIZE_MAX);
	wal_scan_init(&s, &h);
	wal_sum(h.big_endian_sums, in, 24, sum);
	while (len - s.off >= wal_frame_len(&h)) {
		struct wal_scan before = s;
		const uint8_t *frame = in + s.off;
		int r = wal_scan_frame(&s, frame, &f, NULL);

		if (r) {
			assert(r == -EAGAIN || r == -EBADMSG);
			break;
		}
		assert(f.pgno && s.off == before.off + wal_frame_len(&h));
		wal_sum(h.big_endian_sums, frame, 8, sum);
		wal_sum(h.big_endian_sums, frame + 24, h.page_size, sum);
		assert(!memcmp(sum, f.sum, sizeof(sum)));
		refuses_another(&before, frame);
	}
	return 0;
}
