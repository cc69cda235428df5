/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is asked: the request's target taken apart, its body read. */
#include "tests/s3/server.h"

#include <ctype.h>
#include <string.h>

static int
hex_digit(char c)
{
	return isdigit((unsigned char)c) ? c - '0' : (c | 32) - 'a' + 10;
}

/* Decode in place; false when a % is not followed by a byte's two digits.  In a
 * query, + is a space. */
static bool
decode(char *s, bool query)
{
	char *out = s;

	for (; *s; s++) {
		char c = *s;

		if (c == '+' && query)
			c = ' ';
		if (c == '%') {
			if (!isxdigit((unsigned char)s[1]) ||
				!isxdigit((unsigned char)s[2]))
				return false;
			c = (char)(hex_digit(s[1]) << 4 | hex_digit(s[2]));
			if (!c)
				return false;
			s += 2;
		}
		*out++ = c;
	}
	*out = 0;
	return true;
}

static bool
parse_query(struct call *c, char *query)
{
	char *word;

	while ((word = strsep(&query, "&"))) {
		char *value = strchr(word, '=');

		if (!*word)
			continue;
		if (c->n_params == n_elements(c->param))
			return false;
		if (value)
			*value++ = 0;
		if (!decode(word, true) || (value && !decode(value, true)))
			return false;
		c->param[c->n_params].name = xstrdup(word);
		c->param[c->n_params++].value = xstrdup(value ? value : "");
	}
	return true;
}

static bool
parse_target(struct call *c)
{
	auto_free char *target = xstrdup(c->head.target);
	char *query = strchr(target, '?'), *slash;

	if (query)
		*query++ = 0;
	if (!decode(target, false))
		return false;
	c->path = xstrdup(target);
	slash = strchr(target + 1, '/');
	if (slash)
		*slash++ = 0;
	c->bucket = xstrdup(target + 1);
	if (slash && *slash)
		c->key = xstrdup(slash);
	return !query || parse_query(c, query);
}

static bool
read_body(struct call *c)
{
	const char *expect = head_get(&c->head, "Expect");
	int64_t length = head_length(&c->head);

	if (head_chunked(&c->head) || length > BODY_MAX)
		return false;
	if (length <= 0)
		return true;
	if (expect && !strcasecmp(expect, "100-continue") &&
		!net_send(c->in->fd, "HTTP/1.1 100 Continue\r\n\r\n", 25))
		return false;
	c->body = xmalloc((size_t)length + 1);
	c->body_len = (size_t)length;
	c->body[length] = 0;
	return stream_read_all(c->in, c->body, c->body_len);
}

int
call_read(struct stream *in, unsigned connection, struct call *c)
{
	int ret;

	*c = (struct call){ .in = in };
	ret = head_read(in, &c->head);
	if (ret != 1)
		return ret;
	if (c->head.status) {
		call_release(c);
		return -1;
	}
	c->entry = (struct entry){
		.connection = connection,
		.operation = http_operation(c->head.method, c->head.target),
		.range = head_get(&c->head, "Range"),
		.target = c->head.target,
	};
	journal_begin(&c->entry);
	if (parse_target(c) && read_body(c)) {
		c->entry.up = c->body_len;
		return 1;
	}
	journal_end(&c->entry);
	call_release(c);
	return -1;
}

void
call_release(struct call *c)
{
	for (size_t i = 0; i < c->n_params; i++) {
		free(c->param[i].name);
		free(c->param[i].value);
	}
	free(c->path);
	free(c->bucket);
	free(c->key);
	free(c->body);
	head_release(&c->head);
	*c = (struct call){ .in = NULL };
}

const char *
call_param(const struct call *c, const char *name)
{
	for (size_t i = 0; i < c->n_params; i++)
		if (!strcmp(c->param[i].name, name))
			return c->param[i].value;
	return NULL;
}

bool
call_is(const struct call *c, const char *operation)
{
	return !strcmp(c->entry.operation, operation);
}

void
call_encode(struct buf *b, const char *s, bool keep_slash)
{
	for (; *s; s++)
		if (isalnum((unsigned char)*s) || strchr("-._~", *s) ||
			(keep_slash && *s == '/'))
			buf_append(b, s, 1);
		else
			buf_printf(b, "%%%02X", (unsigned char)*s);
}
