/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/base/hex.h"

#include <errno.h>

char *
hex_encode(char *out, const void *data, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *p = data;

	for (size_t i = 0; i < n; i++) {
		out[2 * i] = digits[p[i] >> 4];
		out[2 * i + 1] = digits[p[i] & 15];
	}
	out[2 * n] = '\0';
	return out;
}

static int
digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

int
hex_decode(void *out, size_t n, const char *digits)
{
	uint8_t *p = out;

	for (size_t i = 0; i < n; i++) {
		int high = digit_value(digits[2 * i]);
		int low = high < 0 ? -1 : digit_value(digits[2 * i + 1]);

		if (low < 0)
			return -EINVAL;
		p[i] = (uint8_t)(high << 4 | low);
	}
	return 0;
}
