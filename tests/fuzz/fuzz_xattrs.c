/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stepping through extended attributes comes to an end, stays inside, and the
 * pairs encode to the bytes they came from. */
#include <assert.h>
#include "repo/format/entry.h"

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	auto_buf struct buf b = BUF_INIT;
	const uint8_t *name, *value;
	size_t pos = 0, name_len, value_len;
	int r;

	for (;;) {
		size_t before = pos;
		char text[256] = { 0 };
		const char *const names[] = { text };
		const void *values[1];

		r = xattrs_next(
			in, len, &pos, &name, &name_len, &value, &value_len);
		if (r <= 0)
			break;
		assert(pos > before && pos <= len);
		assert(name >= in && name + name_len <= value);
		assert(value + value_len == in + pos);
		assert(name_len >= 1 && name_len <= 255);
		memcpy(text, name, name_len);
		values[0] = value;
		xattrs_encode(&b, names, values, &value_len, 1);
		assert(b.len == pos && !memcmp(b.data, in, pos));
	}
	assert(r < 0 || b.len == len);
	return 0;
}
