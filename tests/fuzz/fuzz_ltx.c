/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * LTX files and their names.  In a file that verifies every page is found
 * through the index, where verifying met it, and decodes; in any other one
 * what is found is in order, and nothing leaves the file.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/foreign/litestream05_files.h"
#include "repo/foreign/ltx_search.h"
#include "repo/foreign/ltx_verify.h"

#define PAGES_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len);

static const uint8_t *file;
static size_t file_len;

static struct {
	struct ltx_entry x[PAGES_MAX];
	size_t n;
} met;

static int
read_file(void *ctx, uint64_t off, size_t len, void *buf, struct err *e)
{
	(void)ctx, (void)e;
	assert(off <= file_len && len <= file_len - off);
	memcpy(buf, file + off, len);
	return 0;
}

static bool
meet(void *ctx, const struct ltx_entry *x, uint32_t sum)
{
	(void)ctx, (void)sum;
	if (met.n < PAGES_MAX)
		met.x[met.n++] = *x;
	return true;
}

static void
decode(const struct ltx_entry *x, uint32_t page_size, bool good)
{
	auto_free uint8_t *page = xmalloc(page_size);

	if (x->off > file_len || x->len > file_len - x->off)
		assert(!good);
	else if (ltx_page_decode(file + x->off, x->len, page_size, x->pgno,
			 page, NULL, NULL, NULL) < 0)
		assert(!good);
}

static void
look_up(const struct ltx_header *h, bool good)
{
	struct ltx_search s = {
		.pages = h->commit, .window = 1024, .read = read_file
	};
	struct ltx_entry x[8];
	size_t n;

	if (ltx_index_place_decode(
		    file + file_len - LTX_END_LEN, file_len, &s.at, NULL) < 0) {
		assert(!good);
		return;
	}
	ltx_search_init(&s);
	for (uint32_t first = 1; first <= PAGES_MAX; first += 7) {
		int r = ltx_search_pages(&s, first, first + 20, x, 8, &n, NULL);

		assert(r == 0 || !good);
		for (size_t i = 0; i < n; i++) {
			assert(x[i].pgno >= first && x[i].pgno <= first + 20);
			assert(i == 0 || x[i].pgno > x[i - 1].pgno);
			decode(&x[i], h->page_size, good);
		}
	}
	for (size_t i = 0; good && i < met.n; i++) {
		assert(ltx_search_pages(&s, met.x[i].pgno, met.x[i].pgno, x, 1,
			       &n, NULL) == 0);
		assert(n == 1 && x[0].off == met.x[i].off &&
			x[0].len == met.x[i].len);
	}
	ltx_search_release(&s);
}

static void
try_name(const uint8_t *in, size_t len)
{
	auto_free char *name = xcalloc(len + 1, 1);
	char again[LITESTREAM05_NAME_MAX];
	struct litestream05_file f;

	memcpy(name, in, len);
	if (!litestream05_file_parse(name, &f))
		return;
	litestream05_file_name(&f, again);
	assert(strcmp(name, again) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	const struct ltx_input input = { .size = len, .read = read_file };
	struct ltx_header h;
	bool good;

	try_name(in, len);
	file = in;
	file_len = len;
	met.n = 0;
	good = ltx_verify(&input, &h, meet, NULL, NULL) == 0;
	if (len >= LTX_LEN_MIN && ltx_header_decode(in, &h, NULL) == 0)
		look_up(&h, good);
	else
		assert(!good);
	return 0;
}
