/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/s3/http.h"

#include <string.h>
#include "repo/base/buf.h"

/* Cut the line at *p off: its text, and *p behind it. */
static char *
take_line(char **p)
{
	char *line = *p, *end = strstr(line, "\r\n");

	*end = 0;
	*p = end + 2;
	return line;
}

static bool
parse_first(struct head *h, char *line)
{
	char *space = strchr(line, ' '), *second;

	if (!space)
		return false;
	*space = 0;
	if (!strncmp(line, "HTTP/1.", 7)) {
		h->status = atoi(space + 1);
		return h->status >= 100 && h->status <= 999;
	}
	h->method = line;
	h->target = space + 1;
	second = strchr(h->target, ' ');
	if (!second || strcmp(second, " HTTP/1.1") || h->target[0] != '/')
		return false;
	*second = 0;
	return true;
}

static bool
parse_field(struct head *h, char *line)
{
	char *colon = strchr(line, ':'), *end;

	if (!colon || colon == line || h->n == HEAD_FIELDS)
		return false;
	*colon++ = 0;
	colon += strspn(colon, " \t");
	end = colon + strlen(colon);
	while (end > colon && (end[-1] == ' ' || end[-1] == '\t'))
		*--end = 0;
	h->field[h->n].name = line;
	h->field[h->n++].value = colon;
	return true;
}

static bool
parse(struct head *h)
{
	char *p = h->text;

	if (strlen(p) != h->raw_len || !parse_first(h, take_line(&p)))
		return false;
	while (strncmp(p, "\r\n", 2))
		if (!parse_field(h, take_line(&p)))
			return false;
	return true;
}

int
head_read(struct stream *s, struct head *h)
{
	const uint8_t *end;

	*h = (struct head){ .n = 0 };
	while (!(end = memmem(s->data + s->start, s->end - s->start, "\r\n\r\n",
			 4))) {
		ssize_t n = stream_fill(s, HEAD_MAX);

		if (n <= 0)
			return n == 0 && s->start == s->end ? 0 : -1;
	}
	h->raw_len = (size_t)(end + 4 - (s->data + s->start));
	h->raw = xmalloc(h->raw_len + 1);
	memcpy(h->raw, s->data + s->start, h->raw_len);
	h->raw[h->raw_len] = 0;
	s->start += h->raw_len;
	h->text = xstrdup(h->raw);
	if (parse(h))
		return 1;
	head_release(h);
	return -1;
}

void
head_release(struct head *h)
{
	free(h->raw);
	free(h->text);
	*h = (struct head){ .n = 0 };
}

const char *
head_get(const struct head *h, const char *name)
{
	for (size_t i = 0; i < h->n; i++)
		if (!strcasecmp(h->field[i].name, name))
			return h->field[i].value;
	return NULL;
}

int64_t
head_length(const struct head *h)
{
	const char *value = head_get(h, "Content-Length");
	char *end;
	long long n;

	if (!value || *value < '0' || *value > '9')
		return -1;
	n = strtoll(value, &end, 10);
	return *end ? -1 : n;
}

bool
head_chunked(const struct head *h)
{
	const char *value = head_get(h, "Transfer-Encoding");

	return value && !strcasecmp(value, "chunked");
}

bool
head_closes(const struct head *h)
{
	const char *value = head_get(h, "Connection");

	return value && !strcasecmp(value, "close");
}

/* Whether a query has the parameter, with or without a value. */
static bool
asks(const char *query, const char *name)
{
	size_t len = strlen(name);

	while (query && *query) {
		if (!strncmp(query, name, len) && strchr("=&", query[len]))
			return true;
		query = strchr(query, '&');
		query += query != NULL;
	}
	return false;
}

static const char *
of_bucket(const char *method, const char *query)
{
	if (!strcmp(method, "POST") && asks(query, "delete"))
		return "BATCH";
	if (!strcmp(method, "GET") && asks(query, "list-type"))
		return "LIST";
	return "BUCKET";
}

static const char *
of_object(const char *method, const char *query)
{
	static const char *const plain[] = { "GET", "HEAD", "PUT", "DELETE" };

	if (!strcmp(method, "POST"))
		return asks(query, "uploads") ? "BEGIN" : "COMPLETE";
	if (!strcmp(method, "PUT") && asks(query, "uploadId"))
		return "PART";
	if (!strcmp(method, "DELETE") && asks(query, "uploadId"))
		return "ABORT";
	for (size_t i = 0; i < n_elements(plain); i++)
		if (!strcmp(method, plain[i]))
			return plain[i];
	return "OTHER";
}

const char *
http_operation(const char *method, const char *target)
{
	const char *query = strchr(target, '?');
	size_t path = strcspn(target, "?");
	const char *slash = memchr(target + 1, '/', path - 1);

	query += query != NULL;
	if (!slash || slash == target + path - 1)
		return of_bucket(method, query);
	return of_object(method, query);
}
