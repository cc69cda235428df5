/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/store/http_head.h"

#include <string.h>
#include <strings.h>
#include <time.h>
#include "repo/base/auto.h"

#define VALUE_MAX (HTTP_WANTED_MAX - 1)
#define RETRY_AFTER_MAX 3600

void
http_head_init(struct http_head *h)
{
	*h = (struct http_head){ .length = -1, .size = -1 };
}

/* A decimal number below 2^63 at *p, which moves behind it. */
static bool
take_number(const char **p, uint64_t *out)
{
	uint64_t n = 0;

	if (**p < '0' || **p > '9')
		return false;
	for (; **p >= '0' && **p <= '9'; ++*p) {
		if (n > (INT64_MAX - 9) / 10)
			return false;
		n = n * 10 + (uint64_t)(**p - '0');
	}
	*out = n;
	return true;
}

static bool
whole_number(const char *value, uint64_t *out)
{
	return take_number(&value, out) && *value == '\0';
}

/* -- One header each; false when it is malformed -------------------------- */

static bool
set_length(struct http_head *h, const char *value)
{
	uint64_t n;

	if (!whole_number(value, &n) ||
		(h->length >= 0 && h->length != (int64_t)n))
		return false;
	h->length = (int64_t)n;
	return true;
}

/* "bytes 0-99/1000", "bytes 0-99" followed by a slash and a star, or "bytes",
 * a star and "/1000" */
static bool
set_range(struct http_head *h, const char *value)
{
	uint64_t size;

	if (strncasecmp(value, "bytes ", 6) != 0)
		return false;
	value += 6;
	h->has_range = *value != '*';
	if (h->has_range) {
		if (!take_number(&value, &h->first) || *value++ != '-' ||
			!take_number(&value, &h->last) || h->last < h->first)
			return false;
	} else {
		value++;
	}
	if (*value++ != '/')
		return false;
	if (strcmp(value, "*") == 0)
		return true;
	if (!whole_number(value, &size) || (h->has_range && h->last >= size))
		return false;
	h->size = (int64_t)size;
	return true;
}

static bool
set_date(struct http_head *h, const char *value)
{
	struct tm tm = { .tm_isdst = 0 };
	const char *end = strptime(value, "%a, %d %b %Y %H:%M:%S GMT", &tm);

	if (end && *end == '\0')
		h->date = (int64_t)timegm(&tm);
	return true; /* nothing depends on it */
}

static bool
set_etag(struct http_head *h, const char *value)
{
	size_t len = strlen(value);

	if (*value != '"' || len >= sizeof(h->etag))
		return true; /* weak or odd: as if there were none */
	memcpy(h->etag, value, len + 1);
	return true;
}

static bool
set_region(struct http_head *h, const char *value)
{
	size_t len = strlen(value);

	if (len < sizeof(h->region))
		memcpy(h->region, value, len + 1);
	return true;
}

static bool
set_retry_after(struct http_head *h, const char *value)
{
	uint64_t n;

	if (whole_number(value, &n))
		h->retry_after_s =
			n < RETRY_AFTER_MAX ? (unsigned)n : RETRY_AFTER_MAX;
	return true; /* or a date, which is not used */
}

static bool
set_encoding(struct http_head *h, const char *value)
{
	h->encoded = *value && strcasecmp(value, "identity") != 0;
	return true;
}

static const struct {
	const char *name;
	bool (*set)(struct http_head *h, const char *value);
} headers[] = {
	{ "content-length", set_length },
	{ "content-range", set_range },
	{ "content-encoding", set_encoding },
	{ "date", set_date },
	{ "etag", set_etag },
	{ "retry-after", set_retry_after },
	{ "x-amz-bucket-region", set_region },
};

/* -- Lines ---------------------------------------------------------------- */

/* "HTTP/1.1 206 Partial Content", "HTTP/2 206" */
static bool
set_status(struct http_head *h, const char *line, size_t len)
{
	const char *space = memchr(line, ' ', len);
	struct http_head before = *h;

	http_head_init(h);
	h->lines = before.lines;
	h->want = before.want;
	if (!space || len - (size_t)(space - line) < 4)
		return false;
	for (int i = 1; i <= 3; i++) {
		if (space[i] < '0' || space[i] > '9')
			return false;
		h->status = h->status * 10 + (space[i] - '0');
	}
	return h->status >= 100 && h->status < 600 &&
	       (space + 4 == line + len || space[4] == ' ');
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The value as a string without outer blanks; false when it is too long. */
static bool
value_of(const char *p, const char *end, char value[VALUE_MAX + 1])
{
	while (p < end && is_blank(*p))
		p++;
	while (end > p && is_blank(end[-1]))
		end--;
	if (end - p > VALUE_MAX || memchr(p, '\0', (size_t)(end - p)))
		return false;
	memcpy(value, p, (size_t)(end - p));
	value[end - p] = '\0';
	return true;
}

static bool
is_called(const char *name, const char *line, size_t len)
{
	return strlen(name) == len && strncasecmp(name, line, len) == 0;
}

static bool
take_header(struct http_head *h, const char *line, size_t len)
{
	const char *colon = memchr(line, ':', len);
	size_t name_len = colon ? (size_t)(colon - line) : 0;
	char value[VALUE_MAX + 1];

	if (!colon)
		return true;
	if (h->want && is_called(h->want, line, name_len) &&
		!value_of(colon + 1, line + len, h->wanted))
		h->wanted[0] = '\0';
	for (size_t i = 0; i < n_elements(headers); i++) {
		if (!is_called(headers[i].name, line, name_len))
			continue;
		return value_of(colon + 1, line + len, value) &&
		       headers[i].set(h, value);
	}
	return true;
}

void
http_head_line(struct http_head *h, const char *line, size_t len)
{
	bool good;

	while (len > 0 && (line[len - 1] == '\n' || line[len - 1] == '\r'))
		len--;
	if (++h->lines > HTTP_LINES_MAX) {
		h->bad = true;
		return;
	}
	if (len > 5 && memcmp(line, "HTTP/", 5) == 0)
		good = set_status(h, line, len);
	else
		good = take_header(h, line, len);
	if (!good)
		h->bad = true;
}
