/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whatever decodes as a catalog encodes to one that decodes, with as many
 * records, and encodes to the same bytes. */
#include <assert.h>
#include "repo/format/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	auto_buf struct buf b = BUF_INIT, again = BUF_INIT;
	struct catalog c, back;

	if (catalog_decode(in, len, &c, NULL))
		return 0;
	assert(c.n <= len / (OBJECT_ID_LEN + HASH_LEN));
	catalog_encode(&c, &b);
	assert(catalog_decode(b.data, b.len, &back, NULL) == 0);
	assert(back.n == c.n);
	for (size_t i = 0; i < c.n; i++) {
		assert(!memcmp(c.hashes[i], back.hashes[i], HASH_LEN));
		assert(!memcmp(
			c.records[i].id, back.records[i].id, OBJECT_ID_LEN));
	}
	catalog_encode(&back, &again);
	assert(b.len == again.len && !memcmp(b.data, again.data, b.len));
	catalog_release(&back);
	catalog_release(&c);
	return 0;
}
