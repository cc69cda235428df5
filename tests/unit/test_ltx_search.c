/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include "tests/unit/unit.h"
#include "repo/base/bytes.h"
#include "repo/foreign/ltx_search.h"

/* An index as in a file of a database of so many pages, each in the file with
 * a probability of 1 / sparse, with frames of 1 to `longest` bytes. */
static struct {
	struct buf bytes;
	struct ltx_entry *entries;
	size_t n;
	uint64_t off; /* of the index in the file */
	uint32_t pages;
	unsigned reads;
	uint64_t read_bytes;
	bool fails;
} file;

static unsigned seed;

static unsigned
any(unsigned below)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % below;
}

static void
make(uint32_t pages, unsigned sparse, unsigned longest)
{
	uint64_t off = LTX_HEADER_LEN;

	seed = pages + sparse;
	file.entries = xcalloc(pages, sizeof(*file.entries));
	file.pages = pages;
	for (uint32_t pgno = 1; pgno <= pages; pgno++) {
		struct ltx_entry *x = &file.entries[file.n];

		if (any(sparse) > 0)
			continue;
		*x = (struct ltx_entry){ pgno, off, 1 + any(longest) };
		buf_varint(&file.bytes, x->pgno);
		buf_varint(&file.bytes, x->off);
		buf_varint(&file.bytes, x->len);
		off += x->len;
		file.n++;
	}
	file.off = off + LTX_PAGE_HEADER_LEN;
}

static int
empty(void **state)
{
	(void)state;
	buf_release(&file.bytes);
	free(file.entries);
	memset(&file, 0, sizeof(file));
	return 0;
}

static int
read_index(void *ctx, uint64_t off, size_t len, void *buf, struct err *e)
{
	(void)ctx;
	file.reads++;
	file.read_bytes += len;
	if (file.fails)
		return err_set(e, EIO, "the store gave up");
	assert_true(off >= file.off && len <= file.bytes.len &&
		    off - file.off <= file.bytes.len - len);
	memcpy(buf, file.bytes.data + (off - file.off), len);
	return 0;
}

static void
begin(struct ltx_search *s, uint32_t window)
{
	*s = (struct ltx_search){ .at = { file.off, file.bytes.len },
		.pages = file.pages,
		.window = window,
		.read = read_index };
	ltx_search_init(s);
}

/* The first entry that is not of an earlier page. */
static size_t
first_from(uint32_t pgno)
{
	size_t lo = 0, hi = file.n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (file.entries[mid].pgno < pgno)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static void
finds(struct ltx_search *s, uint32_t first, uint32_t last, size_t max)
{
	auto_free struct ltx_entry *out = xcalloc(max, sizeof(*out));
	size_t from = first_from(first), n, want = 0;
	struct err e = ERR_INIT;

	while (want < max && from + want < file.n &&
		file.entries[from + want].pgno <= last)
		want++;
	if (ltx_search_pages(s, first, last, out, max, &n, &e) < 0)
		fail_msg("%u to %u: %s", first, last, e.text);
	assert_int_equal(n, want);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(out[i].pgno, file.entries[from + i].pgno);
		assert_int_equal(out[i].off, file.entries[from + i].off);
		assert_int_equal(out[i].len, file.entries[from + i].len);
	}
}

static void
every_page_is_found_in_any_order(void **state)
{
	static const struct {
		uint32_t pages;
		unsigned sparse, longest;
	} kinds[] = { { 1, 1, 9 }, { 2, 1, 9 }, { 100, 1, 4000 },
		{ 70000, 1, 4000 }, { 70000, 1, 1 }, { 300000, 7, 60000 },
		{ 300000, 1000, 2000 } };
	static const uint32_t windows[] = { 1024, 4096, 65536 };
	struct ltx_search s;

	(void)state;
	for (size_t k = 0; k < n_elements(kinds); k++) {
		make(kinds[k].pages, kinds[k].sparse, kinds[k].longest);
		for (size_t w = 0; w < n_elements(windows); w++) {
			begin(&s, windows[w]);
			for (int i = 0; i < 3000; i++) {
				uint32_t first = 1 + any(file.pages);

				finds(&s, first, first + any(60), 1 + any(40));
			}
			finds(&s, 1, file.pages, 3000);
			finds(&s, file.pages, UINT32_MAX, 10);
			finds(&s, file.pages + 1, UINT32_MAX, 10);
			ltx_search_release(&s);
		}
		empty(NULL);
	}
}

static void
going_through_the_pages_in_order_reads_the_index_once(void **state)
{
	struct ltx_search s;

	(void)state;
	make(100000, 1, 4000);
	begin(&s, 65536);
	for (uint32_t pgno = 1; pgno <= file.pages; pgno += 32)
		finds(&s, pgno, pgno + 31, 32);
	/* a window is read anew for each 32 pages, from where they begin */
	assert_true(file.read_bytes / file.bytes.len < 150);
	ltx_search_release(&s);
}

static void
a_page_costs_few_reads(void **state)
{
	struct ltx_search s;
	unsigned most = 0;

	(void)state;
	make(2000000, 1, 5000); /* 8 GB of 4 KiB pages */
	file.reads = 0;
	for (int i = 0; i < 300; i++) {
		unsigned before = file.reads;
		uint32_t pgno = 1 + any(file.pages);

		begin(&s, 65536);
		finds(&s, pgno, pgno, 1);
		if (file.reads - before > most)
			most = file.reads - before;
		ltx_search_release(&s);
	}
	print_message("%u reads for 300 pages, at most %u\n", file.reads, most);
	assert_true(file.reads <= 600);
	assert_true(most <= 4);
}

static void
what_the_store_says_is_told(void **state)
{
	struct ltx_search s;
	struct ltx_entry x;
	size_t n;

	(void)state;
	make(1000, 1, 4000);
	begin(&s, 4096);
	file.fails = true;
	assert_int_equal(ltx_search_pages(&s, 500, 500, &x, 1, &n, NULL), -EIO);
	assert_int_equal(n, 0);
	ltx_search_release(&s);
}

/* Nothing that an index may say makes a search endless or leave it; what is
 * found is in order and lies before the index. */
static void
an_index_of_any_bytes_does_no_harm(void **state)
{
	(void)state;
	make(20000, 2, 4000);
	for (int round = 0; round < 300; round++) {
		struct ltx_search s;

		for (int i = 0; i <= round % 30; i++)
			file.bytes.data[any((unsigned)file.bytes.len)] =
				(uint8_t)any(256);
		begin(&s, 4096);
		for (int i = 0; i < 20; i++) {
			struct ltx_entry x[8];
			uint32_t first = 1 + any(file.pages);
			size_t n;

			ltx_search_pages(&s, first, first + 7, x, 8, &n, NULL);
			for (size_t k = 0; k < n; k++)
				assert_true(x[k].pgno >= first &&
					    x[k].pgno <= first + 7);
		}
		ltx_search_release(&s);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(
			every_page_is_found_in_any_order, empty),
		cmocka_unit_test_teardown(
			going_through_the_pages_in_order_reads_the_index_once,
			empty),
		cmocka_unit_test_teardown(a_page_costs_few_reads, empty),
		cmocka_unit_test_teardown(what_the_store_says_is_told, empty),
		cmocka_unit_test_teardown(
			an_index_of_any_bytes_does_no_harm, empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
