/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pages, directories and names of index segments (the first byte says which):
 * whatever decodes ascends and encodes to the very bytes it came from.
 */
#include <assert.h>
#include <stdlib.h>
#include "repo/base/hex.h"
#include "repo/format/segment.h"

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len);

static void
check_page(const uint8_t *in, size_t len)
{
	auto_free struct segment_entry *en = NULL;
	auto_buf struct buf b = BUF_INIT;
	uint32_t n;

	if (segment_page_decode(in, len, &en, &n, NULL))
		return;
	assert(n >= 1 && n <= SEGMENT_PAGE_ENTRIES);
	for (uint32_t i = 1; i < n; i++)
		assert(memcmp(en[i - 1].id, en[i].id, CHUNK_KEY_LEN) < 0);
	segment_page_encode(en, n, &b);
	assert(b.len == len && !memcmp(b.data, in, len));
}

static void
check_directory(const uint8_t *in, size_t len)
{
	struct segment_directory d;
	auto_buf struct buf b = BUF_INIT;

	if (segment_directory_decode(in, len, &d, NULL))
		return;
	for (uint32_t i = 1; i < d.n_pages; i++)
		assert(memcmp(d.pages[i - 1].first, d.pages[i].first,
			       CHUNK_KEY_LEN) < 0);
	segment_directory_encode(&d, &b);
	assert(b.len == len && !memcmp(b.data, in, len));
	segment_directory_release(&d);
}

static void
check_name(const uint8_t *in, size_t len)
{
	char name[96] = { 0 }, again[96];
	uint8_t id[OBJECT_ID_LEN];
	unsigned level;

	memcpy(name, in, len < 95 ? len : 95);
	if (segment_name_parse(name, &level, id))
		return;
	segment_name(again, level, 0, id);
	assert(!strcmp(strrchr(again, '-'), strrchr(name, '-')));
	assert(strtoul(again + 4, NULL, 10) == strtoul(name + 4, NULL, 10));
}

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	if (len == 0)
		return 0;
	if (in[0] % 3 == 0)
		check_page(in + 1, len - 1);
	else if (in[0] % 3 == 1)
		check_directory(in + 1, len - 1);
	else
		check_name(in + 1, len - 1);
	return 0;
}
