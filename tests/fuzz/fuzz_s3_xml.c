/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whatever a service answers, a page of a listing has bounded keys that are
 * strings and a token when there is more of it; a page is no error; elements
 * are told by paths that are bounded and never empty.
 */
#include <assert.h>
#include <string.h>
#include "repo/store/s3_xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len);

static bool
check_element(void *ctx, const char *path, const char *text)
{
	unsigned *n = ctx;

	assert(*path && *path != '/' && path[strlen(path) - 1] != '/');
	assert(strlen(path) < 600);
	assert(strlen(text) <= 4096);
	return ++*n < 10000;
}

static void
check_page(const struct s3_page *p)
{
	assert(p->n <= S3_PAGE_MAX);
	assert(!p->more || p->token[0]);
	for (size_t i = 0; i < p->n; i++) {
		size_t n = strlen(p->items[i].key);

		assert(n > 0 && n <= S3_KEY_MAX);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	struct s3_error error;
	struct s3_page page;
	char value[100];
	unsigned n = 0;
	bool walks = s3_xml_walk(in, len, check_element, &n, NULL) == 0;
	bool is_error = s3_xml_error(in, len, &error);

	if (s3_xml_page(in, len, &page, NULL) == 0) {
		assert(walks && !is_error);
		check_page(&page);
	} else {
		assert(page.n == 0 && !page.items);
	}
	s3_page_release(&page);
	if (is_error)
		assert(memchr(error.code, 0, sizeof(error.code)) &&
			memchr(error.message, 0, sizeof(error.message)));
	if (s3_xml_value(in, len, "A/B", value, sizeof(value)) == 0)
		assert(memchr(value, 0, sizeof(value)));
	return 0;
}
