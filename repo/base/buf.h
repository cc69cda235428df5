/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A growing byte buffer.  Running out of memory aborts: yore bounds what it
 * allocates before it allocates, so that means a bug or a dead machine.
 */
#ifndef YORE_BASE_BUF_H
#define YORE_BASE_BUF_H

#include <stddef.h>
#include <stdint.h>
#include "repo/base/auto.h"

struct buf {
	uint8_t *data;
	size_t len;
	size_t cap;
};

#define BUF_INIT { .data = NULL, .len = 0, .cap = 0 }

void buf_release(struct buf *b);
/* Make room for n more bytes and return where they go; len is unchanged. */
uint8_t *buf_reserve(struct buf *b, size_t n);
/* Append n bytes; returns where they went. */
uint8_t *buf_append(struct buf *b, const void *data, size_t n);
/* Append n zero bytes; returns where they went. */
uint8_t *buf_zeros(struct buf *b, size_t n);
void buf_printf(struct buf *b, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* Give the bytes away (free() them) and leave the buffer empty. */
uint8_t *buf_steal(struct buf *b, size_t *len);

/* malloc, calloc, realloc, strdup that abort instead of returning NULL. */
void *xmalloc(size_t n);
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t n);
char *xstrdup(const char *s);
void *xmemdup(const void *p, size_t n);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#define auto_buf AUTO(buf_release)

#endif
