/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "repo/base/log.h"

#define FIRST_CAP 64

static _Noreturn void
out_of_memory(size_t n)
{
	log_error("out of memory (%zu bytes)", n);
	abort();
}

void *
xrealloc(void *p, size_t n)
{
	void *q = realloc(p, n ? n : 1);

	if (!q)
		out_of_memory(n);
	return q;
}

void *
xmalloc(size_t n)
{
	return xrealloc(NULL, n);
}

void *
xcalloc(size_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size ? size : 1);

	if (!p)
		out_of_memory(n);
	return p;
}

void *
xmemdup(const void *p, size_t n)
{
	void *q = xmalloc(n);

	if (n)
		memcpy(q, p, n);
	return q;
}

char *
xstrdup(const char *s)
{
	return xmemdup(s, strlen(s) + 1);
}

char *
xasprintf(const char *fmt, ...)
{
	char *s = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&s, fmt, ap);
	va_end(ap);
	if (n < 0)
		out_of_memory(0);
	return s;
}

void
buf_release(struct buf *b)
{
	free(b->data);
	*b = (struct buf)BUF_INIT;
}

uint8_t *
buf_reserve(struct buf *b, size_t n)
{
	size_t cap = b->cap ? b->cap : FIRST_CAP;

	if (n > SIZE_MAX / 4 || b->len > SIZE_MAX / 4)
		out_of_memory(n);
	while (cap - b->len < n)
		cap *= 2;
	if (cap != b->cap) {
		b->data = xrealloc(b->data, cap);
		b->cap = cap;
	}
	return b->data + b->len;
}

uint8_t *
buf_append(struct buf *b, const void *data, size_t n)
{
	uint8_t *at = buf_reserve(b, n);

	if (n)
		memcpy(at, data, n);
	b->len += n;
	return at;
}

uint8_t *
buf_zeros(struct buf *b, size_t n)
{
	uint8_t *at = buf_reserve(b, n);

	memset(at, 0, n);
	b->len += n;
	return at;
}

void
buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap, again;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		out_of_memory(0);
	vsnprintf((char *)buf_reserve(b, (size_t)n + 1), (size_t)n + 1, fmt,
		again);
	va_end(again);
	b->len += (size_t)n;
}

uint8_t *
buf_steal(struct buf *b, size_t *len)
{
	uint8_t *data = b->data;

	if (len)
		*len = b->len;
	*b = (struct buf)BUF_INIT;
	return data;
}
