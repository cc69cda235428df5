/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sentence must fit ERR_TEXT_MAX whatever the names in it are, and what
 * matters stands at its end: the reason.  So a sentence is made of a head and
 * a tail; a head too long for its room is cut and marked with "...".
 */
#include "repo/base/err.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* A head keeps at least this much room, however long the tail is. */
#define HEAD_MIN (ERR_TEXT_MAX / 3)

/* The range the second byte of a sequence must be in (Unicode, table 3-7). */
static void
second_range(uint8_t first, uint8_t *low, uint8_t *high)
{
	*low = 0x80;
	*high = 0xbf;
	if (first == 0xc2)
		*low = 0xa0; /* C1 controls are controls */
	else if (first == 0xe0)
		*low = 0xa0;
	else if (first == 0xed)
		*high = 0x9f;
	else if (first == 0xf0)
		*low = 0x90;
	else if (first == 0xf4)
		*high = 0x8f;
}

/* Bytes of the printable character at s, or 0 when it must be escaped. */
static size_t
printable_len(const uint8_t *s, size_t left)
{
	uint8_t low, high;
	size_t n;

	if (s[0] < 0x80)
		return s[0] >= 0x20 && s[0] != 0x7f;
	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 0;
	n = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	if (n > left)
		return 0;
	second_range(s[0], &low, &high);
	if (s[1] < low || s[1] > high)
		return 0;
	for (size_t i = 2; i < n; i++)
		if (s[i] < 0x80 || s[i] > 0xbf)
			return 0;
	return n;
}

/* err_escape that tells whether everything fitted. */
static bool
escape(char *out, size_t size, const char *name, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *s = (const uint8_t *)name;
	size_t at = 0, i = 0;

	while (i < len) {
		size_t n = printable_len(s + i, len - i);

		if (at + (n ? n : 4) >= size)
			break;
		if (n) {
			memcpy(out + at, s + i, n);
			at += n;
			i += n;
		} else {
			out[at++] = '\\';
			out[at++] = 'x';
			out[at++] = digits[s[i] >> 4];
			out[at++] = digits[s[i] & 15];
			i++;
		}
	}
	if (size)
		out[at] = '\0';
	return i == len;
}

char *
err_escape(char *out, size_t size, const char *name, size_t len)
{
	escape(out, size, name, len);
	return out;
}

/* Escape text to out; what does not fit ends in "...". */
static void
escape_marked(char *out, size_t size, const char *text)
{
	static const char mark[] = "...";

	if (escape(out, size, text, strlen(text)) || size < sizeof(mark))
		return;
	escape(out, size - (sizeof(mark) - 1), text, strlen(text));
	strcat(out, mark);
}

/* e->text = head [": " tail]; tail may be e->text itself. */
static void
compose(struct err *e, const char *head, const char *tail)
{
	char end[ERR_TEXT_MAX - HEAD_MIN];
	size_t room = ERR_TEXT_MAX;

	end[0] = '\0';
	if (*tail) {
		escape_marked(end, sizeof(end), tail);
		room -= strlen(end) + 2;
	}
	escape_marked(e->text, room, head);
	if (*tail) {
		strcat(e->text, ": ");
		strcat(e->text, end);
	}
}

/*
 * Twice the room of the result, so that no character is torn by vsnprintf
 * where escape would have kept it.
 */
#define FORMAT_HEAD(head, fmt) \
	char head[2 * ERR_TEXT_MAX]; \
	va_list ap_; \
	va_start(ap_, fmt); \
	if (vsnprintf(head, sizeof(head), fmt, ap_) < 0) \
		head[0] = '\0'; \
	va_end(ap_)

int
err_set(struct err *e, int code, const char *fmt, ...)
{
	assert(code > 0);
	if (!e)
		return -code;
	FORMAT_HEAD(head, fmt);
	e->code = code;
	compose(e, head, "");
	return -code;
}

int
err_sys(struct err *e, int code, const char *fmt, ...)
{
	const char *reason = strerrordesc_np(code);

	assert(code > 0);
	if (!e)
		return -code;
	FORMAT_HEAD(head, fmt);
	e->code = code;
	compose(e, head, reason ? reason : "unknown error");
	return -code;
}

int
err_prefix(struct err *e, const char *fmt, ...)
{
	if (!e)
		return -EIO;
	FORMAT_HEAD(head, fmt);
	compose(e, head, e->text);
	return -e->code;
}
