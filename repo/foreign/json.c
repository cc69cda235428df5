/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/foreign/json.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include "repo/foreign/json_scan.h"

int
json_check(const void *data, size_t len, struct json *v, struct err *e)
{
	struct json_scan c = { .p = data, .end = (const char *)data + len };

	json_scan_space(&c);
	v->p = c.p;
	if (json_scan_value(&c) != JSON_OK)
		return err_set(e, EUCLEAN, "not JSON");
	v->len = (size_t)(c.p - v->p);
	json_scan_space(&c);
	if (c.p != c.end)
		return err_set(e, EUCLEAN, "bytes follow the JSON");
	return 0;
}

/* -- Parts ------------------------------------------------------------------
 */

enum json_kind
json_kind(struct json v)
{
	switch (*v.p) {
	case 'n':
		return JSON_NULL;
	case 'f':
		return JSON_FALSE;
	case 't':
		return JSON_TRUE;
	case '"':
		return JSON_STRING;
	case '[':
		return JSON_ARRAY;
	case '{':
		return JSON_OBJECT;
	default:
		return JSON_NUMBER;
	}
}

/* The next value; what was checked holds one. */
static struct json
take(struct json_scan *c)
{
	struct json v;

	json_scan_space(c);
	v.p = c->p;
	enum json_scanned r = json_scan_value(c);

	assert(r == JSON_OK);
	(void)r;
	v.len = (size_t)(c->p - v.p);
	return v;
}

bool
json_next(struct json v, size_t *at, struct json *name, struct json *element)
{
	/* without the closing bracket */
	struct json_scan c = { .p = v.p + *at, .end = v.p + v.len - 1 };

	assert(json_kind(v) == JSON_ARRAY || json_kind(v) == JSON_OBJECT);
	if (*at == 0)
		c.p++;
	json_scan_space(&c);
	if (c.p >= c.end)
		return false;
	json_scan_char(&c, ",");
	if (json_kind(v) == JSON_OBJECT) {
		struct json n = take(&c);

		if (name)
			*name = n;
		json_scan_space(&c);
		json_scan_char(&c, ":");
	}
	*element = take(&c);
	*at = (size_t)(c.p - v.p);
	return true;
}

static void
append_code(struct buf *out, uint32_t code)
{
	static const uint8_t first[] = { 0, 0xc0, 0xe0, 0xf0 };
	unsigned more = code < 0x80	 ? 0
			: code < 0x800	 ? 1
			: code < 0x10000 ? 2
					 : 3;
	uint8_t *p = buf_zeros(out, more + 1);

	for (unsigned i = more; i > 0; i--, code >>= 6)
		p[i] = (uint8_t)(0x80 | (code & 0x3f));
	p[0] = (uint8_t)(first[more] | code);
}

/* The escape at p, which stands behind the backslash; returns what follows. */
static const char *
append_escape(struct buf *out, const char *p, const char *end)
{
	static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
	const char *known = strchr(from, *p);
	uint32_t code;

	if (*p == 'u') {
		int n = json_scan_unicode(p, (size_t)(end - p), &code);

		append_code(out, code);
		return p + n;
	}
	buf_append(out, known ? &to[known - from] : p, 1);
	return p + 1;
}

void
json_bytes_of(struct json string, struct buf *out)
{
	const char *p = string.p + 1, *end = string.p + string.len - 1;

	assert(json_kind(string) == JSON_STRING);
	while (p < end) {
		const char *next = memchr(p, '\\', (size_t)(end - p));

		buf_append(out, p, (size_t)((next ? next : end) - p));
		p = next ? append_escape(out, next + 1, end) : end;
	}
}

bool
json_is_text(struct json v, const char *text)
{
	auto_buf struct buf b = BUF_INIT;

	if (json_kind(v) != JSON_STRING)
		return false;
	json_bytes_of(v, &b);
	return b.len == strlen(text) && memcmp(b.data, text, b.len) == 0;
}

bool
json_number_of(struct json v, uint64_t *n)
{
	*n = 0;
	for (size_t i = 0; i < v.len; i++) {
		unsigned digit = (unsigned)(v.p[i] - '0');

		if (digit > 9 || __builtin_mul_overflow(*n, 10, n) ||
			__builtin_add_overflow(*n, digit, n))
			return false;
	}
	return true;
}

/* -- Arrays that come bit by bit ------------------------------------------ */

#define READ_AT_ONCE (64u << 10)

struct window {
	const struct json_source *source;
	struct buf bytes;
	size_t at;	 /* of them the first that was not looked at */
	uint64_t before; /* bytes dropped in front of them */
	bool ended;
};

/* One more stretch, behind what is still needed. */
static int
fill(struct window *w, struct err *e)
{
	if (w->at > 0) {
		memmove(w->bytes.data, w->bytes.data + w->at,
			w->bytes.len - w->at);
		w->bytes.len -= w->at;
		w->before += w->at;
		w->at = 0;
	}
	/* as much again, so that a long element is not looked at too often */
	size_t n = w->bytes.len > READ_AT_ONCE ? w->bytes.len : READ_AT_ONCE;
	uint8_t *to = buf_reserve(&w->bytes, n);
	ssize_t got = w->source->read(w->source->ctx, to, n, e);

	if (got < 0)
		return (int)got;
	w->bytes.len += (size_t)got;
	w->ended = got == 0;
	return 0;
}

#define END 256

/* Skip space; the byte behind it, END, or -errno. */
static int
peek(struct window *w, struct err *e)
{
	for (;;) {
		if (w->bytes.len > w->at) {
			const char *bytes = (const char *)w->bytes.data;
			struct json_scan c = { .p = bytes + w->at,
				.end = bytes + w->bytes.len };

			json_scan_space(&c);
			w->at = (size_t)(c.p - (const char *)w->bytes.data);
			if (c.p < c.end)
				return (unsigned char)*c.p;
		}
		if (w->ended)
			return END;
		int r = fill(w, e);
		if (r)
			return r;
	}
}

/* The value that begins here. */
static int
element(struct window *w, size_t max, struct json *v, struct err *e)
{
	for (;;) {
		const char *start = (const char *)w->bytes.data + w->at;
		struct json_scan c = { .p = start,
			.end = (const char *)w->bytes.data + w->bytes.len,
			.more = !w->ended };
		enum json_scanned s = json_scan_value(&c);

		v->p = start;
		v->len = (size_t)(c.p - start);
		if (s == JSON_BAD)
			return err_set(e, EUCLEAN, "not JSON");
		if (v->len > max ||
			(s == JSON_CUT && w->bytes.len - w->at > max))
			return err_set(e, EUCLEAN,
				"an element has more than %zu bytes", max);
		if (s == JSON_OK)
			return 0;
		int r = fill(w, e);
		if (r)
			return r;
	}
}

/* Step over the byte that peek gave, which must be this one, and peek. */
static int
step(struct window *w, int ch, int wanted, struct err *e)
{
	if (ch < 0)
		return ch;
	if (ch != wanted)
		return err_set(e, EUCLEAN, "not an array of JSON");
	w->at++;
	return peek(w, e);
}

/* From the opening bracket to behind the closing one and the space there;
 * what follows as peek says. */
static int
array(struct window *w, size_t max,
	int (*each)(
		void *ctx, struct json element, uint64_t off, struct err *e),
	void *ctx, struct err *e)
{
	int ch = step(w, peek(w, e), '[', e);

	if (ch == ']')
		return step(w, ch, ']', e);
	while (ch >= 0) {
		struct json v;
		int r = element(w, max, &v, e);

		if (!r)
			r = each(ctx, v, w->before + w->at, e);
		if (r)
			return r;
		w->at += v.len;
		ch = peek(w, e);
		if (ch == ']')
			return step(w, ch, ']', e);
		ch = step(w, ch, ',', e);
	}
	return ch;
}

int
json_elements(const struct json_source *s, size_t max,
	int (*each)(
		void *ctx, struct json element, uint64_t off, struct err *e),
	void *ctx, struct err *e)
{
	struct window w = { .source = s };
	int r = array(&w, max, each, ctx, e);

	buf_release(&w.bytes);
	if (r < 0)
		return r;
	if (r != END)
		return err_set(e, EUCLEAN, "bytes follow the array");
	return 0;
}
