/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whatever is taken for a head lists names of objects in order, and is the text
 * that those names make; a prefix and a name to begin after leave what they
 * should.
 */
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/store/web_head.h"

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len);

struct names {
	struct buf text;
	char last[STORE_NAME_MAX + 1];
	unsigned n, n_cat;
};

static bool
keep(void *ctx, const char *name, uint64_t size)
{
	struct names *x = ctx;

	assert(store_name_ok(name) && strcmp(name, x->last) > 0);
	strcpy(x->last, name);
	buf_printf(&x->text, "%" PRIu64 " %s\n", size, name);
	x->n++;
	x->n_cat += strncmp(name, "cat/", 4) == 0;
	return true;
}

static bool
count(void *ctx, const char *name, uint64_t size)
{
	(void)name;
	(void)size;
	++*(unsigned *)ctx;
	return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	struct names x = { .text = BUF_INIT };
	struct web_head_filter f = {
		.prefix = "", .after = "", .each = keep, .ctx = &x
	};
	unsigned n = 0, rest = 0;

	if (web_head_list(in, len, &f, NULL) == 0) {
		f.each = count;
		f.ctx = &n;
		f.prefix = "cat/";
		assert(web_head_list(in, len, &f, NULL) == 0);
		assert(n == x.n_cat);
		f.prefix = "";
		f.after = x.last;
		f.ctx = &rest;
		assert(web_head_list(in, len, &f, NULL) == 0);
		assert(rest == 0);
		/* leading zeros are the only freedom */
		assert(x.text.len + strlen("yore-head 1\n") <= len);
	}
	buf_release(&x.text);
	return 0;
}
