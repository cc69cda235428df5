/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/foreign/tito_path.h"

#include <stdbool.h>
#include <string.h>

#define COLONS_MAX 4
#define NAME_MAX_CUT 240
#define SUFFIX ".json"
#define SUFFIX_LEN 5

/* -- From keys --------------------------------------------------------------
 */

static bool
is_unsafe(unsigned char ch)
{
	return ch < 0x20 || ch == 0x7f || (ch && strchr("/%\\:*?\"<>|", ch));
}

/* A part as it is written before it is cut. */
static void
escape(const char *part, size_t len, struct buf *out)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char ch = (unsigned char)part[i];

		if (is_unsafe(ch))
			buf_printf(out, "%%%02X", ch);
		else
			buf_append(out, &ch, 1);
	}
}

/* Where a long name is cut: within no escape and no character. */
static size_t
cut(const uint8_t *p)
{
	size_t n = NAME_MAX_CUT;

	for (int i = 0; i < 3 && (p[n] & 0xc0) == 0x80; i++)
		n--;
	if (p[n - 1] == '%')
		return n - 1;
	return p[n - 2] == '%' ? n - 2 : n;
}

/* A piece of a name; what begins with a dot would be hidden, or be "..". */
static void
append_piece(struct buf *out, const uint8_t *p, size_t len)
{
	if (len > 0 && *p == '.') {
		buf_printf(out, "%%2E");
		p++;
		len--;
	}
	buf_append(out, p, len);
}

/* The name of a directory must not look like that of a file. */
static void
hide_suffix(struct buf *out, size_t from)
{
	size_t dot = out->len - SUFFIX_LEN;

	if (out->len - from < SUFFIX_LEN ||
		memcmp(out->data + dot, SUFFIX, SUFFIX_LEN) != 0)
		return;
	out->len = dot;
	buf_printf(out, "%%2Ejson");
}

static void
append_part(struct buf *out, const char *part, size_t len, bool last)
{
	auto_buf struct buf name = BUF_INIT;
	static const char separator = TITO_PATH_SEPARATOR;
	size_t at = 0, from;

	escape(part, len, &name);
	while (name.len - at > NAME_MAX_CUT) {
		size_t n = cut(name.data + at);

		append_piece(out, name.data + at, n);
		buf_printf(out, "%%%c", separator);
		at += n;
	}
	from = out->len;
	if (name.len == 0)
		buf_printf(out, "%%");
	else
		append_piece(out, name.data + at, name.len - at);
	if (last) {
		buf_append(out, SUFFIX, SUFFIX_LEN);
	} else {
		hide_suffix(out, from);
		buf_append(out, &separator, 1);
	}
}

void
tito_path(const char *key, size_t len, struct buf *out)
{
	const char *end = key + len;

	for (int i = 0; i <= COLONS_MAX; i++) {
		const char *colon =
			i < COLONS_MAX ? memchr(key, ':', (size_t)(end - key))
				       : NULL;

		append_part(out, key, (size_t)((colon ? colon : end) - key),
			!colon);
		if (!colon)
			return;
		key = colon + 1;
	}
}

/* -- To keys ----------------------------------------------------------------
 */

static int
digit(char ch)
{
	if (ch >= '0' && ch <= '9')
		return ch - '0';
	return ch >= 'A' && ch <= 'F' ? ch - 'A' + 10 : -1;
}

static bool
unescape(const char *p, size_t len, struct buf *out)
{
	for (size_t i = 0; i < len; i++) {
		uint8_t ch = (uint8_t)p[i];

		if (ch == '%') {
			int hi = len - i > 2 ? digit(p[i + 1]) : -1;
			int lo = len - i > 2 ? digit(p[i + 2]) : -1;

			if (hi < 0 || lo < 0)
				return false;
			ch = (uint8_t)(hi * 16 + lo);
			i += 2;
		}
		buf_append(out, &ch, 1);
	}
	return true;
}

bool
tito_path_key(const char *path, size_t len, struct buf *out)
{
	size_t before = out->len;
	auto_buf struct buf again = BUF_INIT;
	const char *p = path, *end = path + len - SUFFIX_LEN;

	if (len < SUFFIX_LEN || memcmp(end, SUFFIX, SUFFIX_LEN) != 0)
		return false;
	for (bool more = true; more;) {
		const char *stop =
			memchr(p, TITO_PATH_SEPARATOR, (size_t)(end - p));
		size_t n = (size_t)((stop ? stop : end) - p);
		/* goes on in the next name; alone it is nothing at all */
		bool goes_on = n > 1 && p[n - 1] == '%' && stop;

		if (!(n == 1 && *p == '%') && !unescape(p, n - goes_on, out))
			return false;
		if (stop && !goes_on)
			buf_append(out, ":", 1);
		more = stop != NULL;
		p = more ? stop + 1 : end;
	}
	/* there is one way to write each key */
	if (out->len - before > TITO_KEY_MAX)
		return false;
	buf_reserve(out, 1);
	tito_path((char *)out->data + before, out->len - before, &again);
	return again.len == len && memcmp(again.data, path, len) == 0;
}
