/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whatever decodes as a page is in order, numbers its nodes without gaps, and
 * encodes to a page that decodes to the same and encodes to the same bytes.
 */
#include <assert.h>
#include "tests/unit/same.h"

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len);

/* An entry of seven bytes is some 400 in memory, its name's room included. */
#define MEMORY_PER_BYTE 100

/* Bytewise, and not the same. */
static bool
before(const struct entry *a, const struct entry *b)
{
	uint32_t n = a->name_len < b->name_len ? a->name_len : b->name_len;
	int c = memcmp(a->name, b->name, n);

	return c < 0 || (c == 0 && a->name_len < b->name_len);
}

static void
check_names(const struct page *p)
{
	for (uint32_t i = 0; i < p->n; i++) {
		const struct entry *en = &p->entries[i];

		assert(en->name_len >= 1 && en->name_len <= NAME_LEN_MAX);
		assert(!memchr(en->name, '/', en->name_len));
		assert(!memchr(en->name, 0, en->name_len));
		assert(!same_bytes(en->name, en->name_len, ".", 1));
		assert(!same_bytes(en->name, en->name_len, "..", 2));
		assert(p->nodes_before[i + 1] >= p->nodes_before[i] + 1);
		assert(i == 0 || before(en - 1, en));
		assert(en->content != CONTENT_INLINE || en->data);
		assert(en->content != CONTENT_CHUNK ||
			en->ref.chunk_len == en->size);
	}
}

static void
check_sums(const struct page *p)
{
	uint64_t off = p->off;
	struct extent x, found;

	for (uint32_t i = 0; p->kind == PAGE_EXTENT_LEAF && i < p->n; i++) {
		page_extent(p, i, &x);
		assert(x.off == off && x.len);
		assert(page_extent_at(p, off, &found) == i);
		assert(page_extent_at(p, off + x.len - 1, &found) == i);
		assert(same_extent(&x, &found));
		off += x.len;
		assert(off <= INT64_MAX);
	}
	assert(p->kind != PAGE_EXTENT_LEAF || off == p->end);
	for (uint32_t i = 0; p->n_before && i < p->n; i++)
		assert(p->n_before[i + 1] > p->n_before[i]);
}

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	auto_buf struct buf b = BUF_INIT, again = BUF_INIT;
	struct page *p, *back;
	int r;

	if (page_decode(in, len, &p, NULL))
		return 0;
	assert(p->n > 0 && p->memory <= (len + 10) * MEMORY_PER_BYTE);
	if (p->kind == PAGE_DIR_LEAF)
		check_names(p);
	check_sums(p);
	page_encode_again(p, &b);
	r = page_decode(b.data, b.len, &back, NULL);
	/* coding hints anew may cost a page at its limit a few bytes */
	assert(r == 0 || b.len > PAGE_LEN_MAX);
	if (!r) {
		assert(same_page(p, back));
		page_encode_again(back, &again);
		assert(same_bytes(b.data, b.len, again.data, again.len));
		page_free(back);
	}
	page_free(p);
	return 0;
}
