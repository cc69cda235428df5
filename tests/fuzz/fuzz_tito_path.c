/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keys to paths and back, and paths to keys and back: one to one. */
#include <assert.h>
#include <string.h>
#include "repo/foreign/tito_path.h"

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len);

static void
check_key(const char *key, size_t len)
{
	auto_buf struct buf path = BUF_INIT, back = BUF_INIT;

	tito_path(key, len, &path);
	assert(!memchr(path.data, '/', path.len));
	assert(!memchr(path.data, '\0', path.len));
	assert(tito_path_key((char *)path.data, path.len, &back));
	assert(back.len == len && (len == 0 || !memcmp(back.data, key, len)));
	for (size_t at = 0; at < path.len;) {
		const char *p = (char *)path.data + at;
		const char *end =
			memchr(p, TITO_PATH_SEPARATOR, path.len - at);
		size_t n = end ? (size_t)(end - p) : path.len - at;

		assert(n > 0 && n <= 255 && *p != '.');
		at += n + 1;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	auto_buf struct buf key = BUF_INIT, again = BUF_INIT;

	if (len > TITO_KEY_MAX)
		return 0;
	check_key((const char *)in, len);
	if (tito_path_key((const char *)in, len, &key)) {
		buf_reserve(&key, 1);
		tito_path((char *)key.data, key.len, &again);
		assert(again.len == len && !memcmp(again.data, in, len));
	}
	return 0;
}
