/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/unit.h"

#include "tests/unit/records.h"

/* A catalog takes its records over; these own all they have. */
static void
add(struct catalog *c, unsigned what)
{
	uint8_t hash[HASH_LEN];
	struct record r;

	make_record(&r, what & ~1u);
	memset(r.id, (int)what, sizeof(r.id));
	memset(hash, (int)~what, sizeof(hash));
	catalog_add(c, &r, hash);
	assert_null(r.host);
}

static void
make(struct catalog *c, unsigned n)
{
	memset(c, 0, sizeof(*c));
	for (unsigned i = 0; i < n; i++)
		add(c, i);
}

static int
decode(const uint8_t *data, size_t len)
{
	auto_free uint8_t *exact = xmemdup(data, len);
	struct catalog c;
	int r = catalog_decode(exact, len, &c, NULL);

	if (!r)
		catalog_release(&c);
	return r;
}

static void
a_catalog_comes_back_without_root_pages(void **state)
{
	(void)state;
	for (unsigned n = 0; n < 200; n = 2 * n + 1) {
		auto_buf struct buf b = BUF_INIT;
		struct catalog c, back;

		make(&c, n);
		catalog_encode(&c, &b);
		assert_int_equal(catalog_decode(b.data, b.len, &back, NULL), 0);
		assert_int_equal(back.n, n);
		for (unsigned i = 0; i < n; i++) {
			assert_memory_equal(c.records[i].id, back.records[i].id,
				OBJECT_ID_LEN);
			assert_memory_equal(
				c.hashes[i], back.hashes[i], HASH_LEN);
			assert_same_record(
				&c.records[i], &back.records[i], false);
		}
		catalog_release(&c);
		catalog_release(&back);
	}
}

static void
a_catalog_cut_anywhere_or_too_long_is_refused(void **state)
{
	auto_buf struct buf b = BUF_INIT;
	struct catalog c;

	(void)state;
	make(&c, 4);
	catalog_encode(&c, &b);
	catalog_release(&c);
	for (size_t len = 0; len < b.len; len++)
		assert_int_equal(decode(b.data, len), -EUCLEAN);
	buf_u8(&b, 0);
	assert_int_equal(decode(b.data, b.len), -EUCLEAN);
}

static void
a_count_that_exceeds_the_catalog_is_refused(void **state)
{
	(void)state;
	for (int shift = 0; shift < 64; shift++) {
		auto_buf struct buf b = BUF_INIT;

		buf_varint(&b, 1ULL << shift);
		assert_int_equal(decode(b.data, b.len), -EUCLEAN);
	}
}

static void
a_record_of_a_newer_yore_needs_a_newer_yore(void **state)
{
	auto_buf struct buf one = BUF_INIT, b = BUF_INIT;
	struct record r;

	(void)state;
	make_record(&r, 0);
	record_encode(&r, false, &one);
	drop_record(&r);
	buf_varint(&one, 99);
	buf_bytes(&one, "", 0);
	buf_varint(&b, 1);
	buf_zeros(&b, OBJECT_ID_LEN + HASH_LEN);
	buf_bytes(&b, one.data, one.len);
	assert_int_equal(decode(b.data, b.len), -EPROTONOSUPPORT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_catalog_comes_back_without_root_pages),
		cmocka_unit_test(a_catalog_cut_anywhere_or_too_long_is_refused),
		cmocka_unit_test(a_count_that_exceeds_the_catalog_is_refused),
		cmocka_unit_test(a_record_of_a_newer_yore_needs_a_newer_yore),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
