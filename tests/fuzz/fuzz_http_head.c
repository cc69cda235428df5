/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whatever lines a server sends, a head that is not bad holds a range within
 * its object and strings that end; the case of names does not matter, nor do
 * lines that are not known.
 */
#include <assert.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/store/http_head.h"

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len);

static void
feed(struct http_head *h, const char *text, size_t len, bool noise)
{
	while (len > 0) {
		const char *end = memchr(text, '\n', len);
		size_t n = end ? (size_t)(end - text) + 1 : len;

		http_head_line(h, text, n);
		if (noise)
			http_head_line(h, "X-Unknown: 7\r\n", 14);
		text += n;
		len -= n;
	}
}

static unsigned
status_lines(const char *text, size_t len)
{
	unsigned n = 0;

	for (size_t i = 0; i + 5 <= len; i++)
		n += memcmp(text + i, "HTTP/", 5) == 0;
	return n;
}

/* Upper case before the first colon of each line, except status lines. */
static void
shout(char *text, size_t len)
{
	bool name = true;

	for (size_t i = 0; i < len; i++) {
		if (text[i] == ':')
			name = false;
		else if (text[i] == '\n')
			name = true;
		else if (name && (i == 0 || text[i] != '/'))
			text[i] = (char)toupper((unsigned char)text[i]);
	}
}

static void
check(const struct http_head *h)
{
	assert(h->status == 0 || (h->status >= 100 && h->status < 600));
	assert(h->length >= -1 && h->size >= -1);
	assert(!h->has_range || h->first <= h->last);
	assert(!h->has_range || h->size < 0 || h->last < (uint64_t)h->size);
	assert(h->retry_after_s <= 3600);
}

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	auto_free char *loud = xmemdup(in, len + (len == 0));
	struct http_head a, b;

	http_head_init(&a);
	http_head_init(&b);
	feed(&a, (const char *)in, len, false);
	assert(memchr(a.etag, 0, sizeof(a.etag)));
	assert(memchr(a.region, 0, sizeof(a.region)));
	if (a.bad || a.lines > HTTP_LINES_MAX / 2)
		return 0;
	check(&a);
	shout(loud, len);
	if (status_lines(loud, len) != status_lines((const char *)in, len))
		return 0; /* "http/" is none, "HTTP/" is */
	feed(&b, loud, len, true);
	assert(!b.bad && a.status == b.status && a.length == b.length);
	assert(a.has_range == b.has_range && a.size == b.size);
	assert(strcmp(a.etag, b.etag) == 0 && a.date == b.date);
	assert(a.encoded == b.encoded);
	return 0;
}
