/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The object that stands in for listings where there are none (FORMAT,
 * "Head").  It is a hint, no more trusted than a listing is.
 */
#ifndef YORE_STORE_WEB_HEAD_H
#define YORE_STORE_WEB_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include "repo/store/store.h"

#define WEB_HEAD_NAME "head"
#define WEB_HEAD_MAX (64u << 20)

/* As the arguments of list in struct store_ops. */
struct web_head_filter {
	const char *prefix;
	const char *after;
	bool (*each)(void *ctx, const char *name, uint64_t size);
	void *ctx;
};

/* -EUCLEAN not a head: first line, a line that is not SIZE NAME, order. */
int web_head_list(const void *text, size_t len, const struct web_head_filter *f,
	struct err *e);

/* Print the head of a store that can be listed: keys, index segments, records
 * and catalogs, which is what readers list. */
int web_head_print(struct store *s, FILE *out, struct err *e);

#endif
