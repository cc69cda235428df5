/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A file of more than 64 MiB is served before it has been read as a whole. A
 * page of it that is not what it was is found in the background; until then
 * user.yore.unverified names the file, from then on reading is an error.
 */
#include <errno.h>
#include <stdio.h>
#include <time.h>
#include "repo/base/clock.h"
#include "repo/foreign/litestream05_whole.h"
#include "repo/sqlite/database_view.h"
#include "tests/foreign/litestream05_replica.h"

#define PAGE 4096u
#define PAGES 17200u /* which do not pack: 70 MB */
#define BIG "ltx/9/0000000000000001-0000000000000001.ltx"
#define PATIENCE_NS (120 * NS_PER_S)

/* Bytes of page number n, which begin with none that SQLite knows. */
static void
fill(uint32_t n, uint8_t page[PAGE])
{
	uint64_t x = n * 0x9e3779b97f4a7c15ULL + 1;

	for (size_t i = 0; i < PAGE; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		page[i] = (uint8_t)x;
	}
	if (n == 1) { /* which make_ltx takes the size of pages from */
		page[16] = PAGE >> 8;
		page[17] = 0;
	}
}

static void
make_big(void)
{
	auto_free uint8_t *all = xmalloc((size_t)PAGES * PAGE);
	const char *build = getenv("top_builddir");
	auto_free char *command = xasprintf(
		"mkdir -p %s/ltx/9 && %s/tests/foreign/make_ltx 1 1 "
		"1767225600000 - %s/database >%s/" BIG,
		fixture_dir, build ? build : ".", fixture_dir, fixture_dir);

	for (uint32_t n = 1; n <= PAGES; n++)
		fill(n, all + (size_t)(n - 1) * PAGE);
	fixture_put("database", all, (size_t)PAGES * PAGE);
	assert_int_equal(0, system(command));
	fixture_remove("database");
}

/* One bit of the file. */
static void
flip(long at)
{
	auto_free char *path = xasprintf("%s/" BIG, fixture_dir);
	auto_fclose FILE *f = fopen(path, "r+b");
	int c;

	assert_non_null(f);
	assert_int_equal(0, fseek(f, at, SEEK_SET));
	c = fgetc(f);
	assert_true(c != EOF && fseek(f, at, SEEK_SET) == 0);
	assert_int_equal(c ^ 16, fputc(c ^ 16, f));
}

/* Read page n: 0 and it is what it was, or the error. */
static int
read_page(struct view *v, uint32_t n)
{
	auto_view_data struct view_data d = VIEW_DATA_INIT;
	uint8_t want[PAGE];
	int r = view_read(v, DATABASE_RAW_NODE, (uint64_t)(n - 1) * PAGE, PAGE,
		&d, NULL);

	fill(n, want);
	if (r == 0) {
		assert_int_equal(PAGE, d.len);
		assert_memory_equal(want, d.iov[0].iov_base, PAGE);
	}
	return r;
}

static const char *
unverified(struct view *v)
{
	return fixture_xattr(v, "orders", "user.yore.unverified");
}

static void
wait_a_moment(int64_t since)
{
	const struct timespec t = { .tv_nsec = 20000000 };

	assert_true(clock_mono_ns() - since < PATIENCE_NS);
	nanosleep(&t, NULL);
}

static struct view *
open_big(struct history **h)
{
	struct view *v;

	*h = ltx_open();
	v = fixture_open(*h, "orders", "0000000000000001");
	assert_non_null(v);
	return v;
}

static void
damage_is_found_in_the_background_and_is_an_error_then(void **state)
{
	int64_t began = clock_mono_ns();
	struct history *h;

	(void)state;
	make_big();
	flip((long)PAGES / 2 * PAGE); /* in some page about there */
	litestream05_whole_delay_ns = NS_PER_S / 2;
	auto_view struct view *v = open_big(&h);

	/* where it is not damaged it can be read meanwhile */
	assert_int_equal(0, read_page(v, 1));
	assert_int_equal(0, read_page(v, PAGES));
	assert_string_equal(BIG, unverified(v));
	while (read_page(v, 2) == 0)
		wait_a_moment(began);
	assert_int_equal(-EBADMSG, read_page(v, 1));
	assert_int_equal(-EBADMSG, read_page(v, PAGES - 1));
	assert_string_equal(BIG, unverified(v));
	/* nor for whoever comes later */
	auto_view struct view *again =
		fixture_open(h, "orders", "0000000000000001");

	assert_true(!again || read_page(again, 3) == -EBADMSG);
	history_free(h);
}

static void
a_file_that_is_as_it_was_is_verified_after_a_while(void **state)
{
	int64_t began = clock_mono_ns();
	struct history *h;

	(void)state;
	make_big();
	litestream05_whole_delay_ns = NS_PER_S / 2;
	auto_view struct view *v = open_big(&h);

	assert_int_equal(0, read_page(v, PAGES / 2));
	assert_string_equal(BIG, unverified(v));
	while (*unverified(v))
		wait_a_moment(began);
	for (uint32_t n = 1; n <= PAGES; n += 997)
		assert_int_equal(0, read_page(v, n));
	history_free(h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FIXTURE(
			damage_is_found_in_the_background_and_is_an_error_then),
		IN_FIXTURE(a_file_that_is_as_it_was_is_verified_after_a_while),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
