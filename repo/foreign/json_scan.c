/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A cursor that skips one value after the other.  Which brackets are open is a
 * bit each (set: an object), so hostile depth costs no stack.
 */
#include "repo/foreign/json_scan.h"

#include <string.h>
#include "repo/foreign/json.h"

/* What it means that the bytes end here. */
static enum json_scanned
at_end(const struct json_scan *c)
{
	return c->more ? JSON_CUT : JSON_BAD;
}

void
json_scan_space(struct json_scan *c)
{
	while (c->p < c->end && (*c->p == ' ' || *c->p == '\t' ||
					*c->p == '\n' || *c->p == '\r'))
		c->p++;
}

static enum json_scanned
skip_word(struct json_scan *c, const char *word)
{
	for (; *word; word++, c->p++) {
		if (c->p == c->end)
			return at_end(c);
		if (*c->p != *word)
			return JSON_BAD;
	}
	return JSON_OK;
}

/* -- Numbers --------------------------------------------------------------- */

static bool
is_digit(const struct json_scan *c)
{
	return c->p < c->end && *c->p >= '0' && *c->p <= '9';
}

static enum json_scanned
skip_digits(struct json_scan *c)
{
	if (!is_digit(c))
		return c->p == c->end ? at_end(c) : JSON_BAD;
	while (is_digit(c))
		c->p++;
	return JSON_OK;
}

bool
json_scan_char(struct json_scan *c, const char *any)
{
	if (c->p == c->end || !*c->p || !strchr(any, *c->p))
		return false;
	c->p++;
	return true;
}

static enum json_scanned
skip_number(struct json_scan *c)
{
	enum json_scanned r = JSON_OK;

	json_scan_char(c, "-");
	if (!json_scan_char(c, "0"))
		r = skip_digits(c);
	if (r == JSON_OK && json_scan_char(c, "."))
		r = skip_digits(c);
	if (r == JSON_OK && json_scan_char(c, "eE")) {
		json_scan_char(c, "+-");
		r = skip_digits(c);
	}
	/* its digits may go on */
	return r == JSON_OK && c->p == c->end && c->more ? JSON_CUT : r;
}

/* -- Strings --------------------------------------------------------------- */

/* Four hexadecimal digits as a number; -1: they are not. */
static int32_t
hex4(const char *p)
{
	int32_t n = 0;

	for (int i = 0; i < 4; i++) {
		char ch = p[i];

		if (ch >= '0' && ch <= '9')
			n = n * 16 + ch - '0';
		else if (ch >= 'a' && ch <= 'f')
			n = n * 16 + ch - 'a' + 10;
		else if (ch >= 'A' && ch <= 'F')
			n = n * 16 + ch - 'A' + 10;
		else
			return -1;
	}
	return n;
}

int
json_scan_unicode(const char *p, size_t left, uint32_t *code)
{
	int32_t hi, lo;

	if (left < 5)
		return 0;
	hi = hex4(p + 1);
	if (hi < 0 || (hi >= 0xdc00 && hi <= 0xdfff))
		return -1;
	*code = (uint32_t)hi;
	if (hi < 0xd800 || hi > 0xdfff)
		return 5;
	if (left < 11)
		return 0;
	lo = p[5] == '\\' && p[6] == 'u' ? hex4(p + 7) : -1;
	if (lo < 0xdc00 || lo > 0xdfff)
		return -1;
	*code = 0x10000u + ((uint32_t)hi - 0xd800) * 0x400 + (uint32_t)lo -
		0xdc00;
	return 11;
}

static enum json_scanned
skip_escape(struct json_scan *c)
{
	size_t left = (size_t)(c->end - c->p);
	uint32_t code;
	int n = 1;

	if (left == 0)
		return at_end(c);
	if (*c->p == 'u')
		n = json_scan_unicode(c->p, left, &code);
	else if (!*c->p || !strchr("\"\\/bfnrt", *c->p))
		return JSON_BAD;
	if (n <= 0)
		return n == 0 ? at_end(c) : JSON_BAD;
	c->p += n;
	return JSON_OK;
}

/* How many bytes a UTF-8 character that begins with ch has; 0: none does. */
static size_t
utf8_len(unsigned char ch)
{
	if (ch < 0x80)
		return 1;
	if (ch < 0xc2 || ch > 0xf4)
		return 0;
	return ch < 0xe0 ? 2 : ch < 0xf0 ? 3 : 4;
}

/* Neither overlong, nor a surrogate, nor beyond U+10FFFF. */
static bool
second_is_good(unsigned char first, unsigned char second)
{
	switch (first) {
	case 0xe0:
		return second >= 0xa0;
	case 0xed:
		return second < 0xa0;
	case 0xf0:
		return second >= 0x90;
	case 0xf4:
		return second < 0x90;
	default:
		return true;
	}
}

static enum json_scanned
skip_utf8(struct json_scan *c)
{
	const unsigned char *p = (const unsigned char *)c->p;
	size_t n = utf8_len(*p), left = (size_t)(c->end - c->p);

	if (n == 0 || *p < 0x20)
		return JSON_BAD;
	for (size_t i = 1; i < n; i++) {
		if (i == left)
			return at_end(c);
		if ((p[i] & 0xc0) != 0x80 ||
			(i == 1 && !second_is_good(p[0], p[1])))
			return JSON_BAD;
	}
	c->p += n;
	return JSON_OK;
}

static enum json_scanned
skip_string(struct json_scan *c)
{
	enum json_scanned r = JSON_OK;

	if (c->p == c->end)
		return at_end(c);
	if (!json_scan_char(c, "\""))
		return JSON_BAD;
	while (r == JSON_OK && c->p < c->end && *c->p != '"')
		r = json_scan_char(c, "\\") ? skip_escape(c) : skip_utf8(c);
	if (r == JSON_OK && !json_scan_char(c, "\""))
		return at_end(c);
	return r;
}

/* -- Values ---------------------------------------------------------------- */

struct brackets {
	uint64_t object[JSON_DEPTH_MAX / 64];
	unsigned depth;
};

static bool
in_object(const struct brackets *b)
{
	unsigned top = b->depth - 1;

	return b->object[top / 64] >> (top % 64) & 1;
}

static bool
open_bracket(struct brackets *b, bool object)
{
	unsigned top = b->depth;

	if (top == JSON_DEPTH_MAX)
		return false;
	b->object[top / 64] &= ~(1ULL << (top % 64));
	b->object[top / 64] |= (uint64_t)object << (top % 64);
	b->depth++;
	return true;
}

static enum json_scanned
skip_scalar(struct json_scan *c)
{
	switch (*c->p) {
	case '"':
		return skip_string(c);
	case 't':
		return skip_word(c, "true");
	case 'f':
		return skip_word(c, "false");
	case 'n':
		return skip_word(c, "null");
	default:
		return skip_number(c);
	}
}

/* The name of a member and its colon. */
static enum json_scanned
skip_name(struct json_scan *c)
{
	enum json_scanned r;

	json_scan_space(c);
	r = skip_string(c);
	if (r != JSON_OK)
		return r;
	json_scan_space(c);
	if (c->p == c->end)
		return at_end(c);
	return json_scan_char(c, ":") ? JSON_OK : JSON_BAD;
}

/* Brackets that close behind a value, and the comma before the next one;
 * *done: that was the outermost. */
static enum json_scanned
skip_behind(struct json_scan *c, struct brackets *b, bool *done)
{
	while (b->depth > 0) {
		json_scan_space(c);
		if (c->p == c->end)
			return at_end(c);
		if (json_scan_char(c, ","))
			return in_object(b) ? skip_name(c) : JSON_OK;
		if (!json_scan_char(c, in_object(b) ? "}" : "]"))
			return JSON_BAD;
		b->depth--;
	}
	*done = true;
	return JSON_OK;
}

/* An opening bracket; *empty: it closes at once. */
static enum json_scanned
skip_opening(struct json_scan *c, struct brackets *b, bool *empty)
{
	bool object = *c->p++ == '{';

	if (!open_bracket(b, object))
		return JSON_BAD;
	json_scan_space(c);
	if (c->p == c->end)
		return at_end(c);
	*empty = *c->p == (object ? '}' : ']');
	return object && !*empty ? skip_name(c) : JSON_OK;
}

enum json_scanned
json_scan_value(struct json_scan *c)
{
	struct brackets b = { .depth = 0 };
	enum json_scanned r = JSON_OK;
	bool done = false;

	while (r == JSON_OK && !done) {
		bool nested = false, empty = false;

		json_scan_space(c);
		if (c->p == c->end)
			return at_end(c);
		if (*c->p == '{' || *c->p == '[') {
			r = skip_opening(c, &b, &empty);
			nested = !empty;
		} else {
			r = skip_scalar(c);
		}
		if (r == JSON_OK && !nested)
			r = skip_behind(c, &b, &done);
	}
	return r;
}
