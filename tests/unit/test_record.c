/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Snapshot records and their names. */
#include "tests/unit/unit.h"

#include "tests/unit/records.h"

static int
decode(const uint8_t *data, size_t len, struct record *r, struct err *e)
{
	auto_free uint8_t *exact = xmemdup(data, len);

	return record_decode(exact, len, r, e);
}

static int
code_of(const struct buf *b)
{
	struct record r;
	int rc = decode(b->data, b->len, &r, NULL);

	if (!rc)
		record_release(&r);
	return rc;
}

static void
check(const struct record *r, bool whole)
{
	auto_buf struct buf b = BUF_INIT;
	struct record back;
	struct err e = ERR_INIT;

	record_encode(r, whole, &b);
	if (decode(b.data, b.len, &back, &e))
		fail_msg("%s", e.text);
	assert_same_record(r, &back, whole);
	record_release(&back);
}

static void
a_record_comes_back(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 128; i++) {
		struct record r;

		make_record(&r, i);
		check(&r, true);
		check(&r, false);
		drop_record(&r);
	}
}

static void
extreme_numbers_come_back(void **state)
{
	static const int64_t ns[] = { 0, -1, INT64_MIN, INT64_MAX };
	struct record r;

	(void)state;
	make_record(&r, 1);
	for (size_t i = 0; i < n_elements(ns); i++) {
		r.time_ns = r.began_ns = r.ended_ns = ns[i];
		check(&r, true);
	}
	r.seq = r.generation = r.next_link = r.n_errors = UINT64_MAX;
	check(&r, true);
	drop_record(&r);
}

/* A cut between two fields leaves a record that lacks some: those that must
 * be there come first, the rest has a meaning when absent. */
static void
a_record_cut_inside_a_field_is_refused(void **state)
{
	auto_buf struct buf b = BUF_INIT;
	size_t n_whole = 0;
	struct record r;

	(void)state;
	make_record(&r, 7);
	record_encode(&r, true, &b);
	drop_record(&r);
	for (size_t len = 0; len < b.len; len++) {
		struct buf cut = { .data = b.data, .len = len };
		int rc = code_of(&cut);

		assert_true(rc == 0 || rc == -EUCLEAN);
		n_whole += rc == 0;
	}
	assert_in_range(n_whole, 1, 12);
	buf_u8(&b, 0);
	assert_int_equal(code_of(&b), -EUCLEAN);
}

static void
put(struct buf *b, uint64_t tag, const void *data, size_t len)
{
	buf_varint(b, tag);
	buf_bytes(b, data, len);
}

/* What the record is after a way through its bytes, or those of a catalog. */
static void
there_and_back(const struct record *r, bool whole, struct record *again)
{
	auto_buf struct buf b = BUF_INIT;

	record_encode(r, whole, &b);
	assert_int_equal(0, record_decode(b.data, b.len, again, NULL));
}

/* A record with this list in a field is no record. */
static void
assert_refused(const struct record *r, uint64_t tag, const struct buf *list)
{
	auto_buf struct buf b = BUF_INIT;

	record_encode(r, false, &b);
	put(&b, tag, list->data, list->len);
	assert_int_equal(code_of(&b), -EUCLEAN);
}

static void
packs_of_pages_come_back_and_more_than_sixteen_are_refused(void **state)
{
	auto_buf struct buf list = BUF_INIT;
	struct record r, again;

	(void)state;
	make_record(&r, 1);
	record_reset_page_packs(&r);
	for (uint32_t i = 0; i < RECORD_PAGE_PACKS_MAX; i++) {
		memset(r.page_packs[i].id, (int)i + 1, OBJECT_ID_LEN);
		r.page_packs[i].bytes = 1ULL << i * 3;
	}
	r.n_page_packs = RECORD_PAGE_PACKS_MAX;
	there_and_back(&r, true, &again);
	assert_int_equal(r.n_page_packs, again.n_page_packs);
	assert_memory_equal(r.page_packs, again.page_packs,
		RECORD_PAGE_PACKS_MAX * sizeof(*r.page_packs));
	record_release(&again);
	/* a catalog does without */
	there_and_back(&r, false, &again);
	assert_int_equal(0, again.n_page_packs);
	record_release(&again);
	for (int i = 0; i <= RECORD_PAGE_PACKS_MAX; i++) {
		buf_append(&list, r.page_packs[0].id, OBJECT_ID_LEN);
		buf_varint(&list, 1);
	}
	assert_refused(&r, 28, &list);
	drop_record(&r);
}

static void
scattered_stretches_come_back_and_more_than_64_are_refused(void **state)
{
	auto_buf struct buf list = BUF_INIT;
	struct record r, again;

	(void)state;
	make_record(&r, 1);
	record_reset_scattered(&r);
	for (uint32_t i = 0; i < RECORD_SCATTERED_MAX; i++) {
		memset(r.scattered[i].pack, (int)i + 1, OBJECT_ID_LEN);
		r.scattered[i].off = 1ULL << i;
		r.scattered[i].len = i + 1;
	}
	r.n_scattered = RECORD_SCATTERED_MAX;
	there_and_back(&r, true, &again);
	assert_int_equal(r.n_scattered, again.n_scattered);
	assert_memory_equal(r.scattered, again.scattered,
		RECORD_SCATTERED_MAX * sizeof(*r.scattered));
	record_release(&again);
	/* a catalog does without */
	there_and_back(&r, false, &again);
	assert_int_equal(0, again.n_scattered);
	record_release(&again);
	for (int i = 0; i <= RECORD_SCATTERED_MAX; i++) {
		buf_append(&list, r.scattered[0].pack, OBJECT_ID_LEN);
		buf_varint(&list, 1);
		buf_varint(&list, 1);
	}
	assert_refused(&r, 32, &list);
	drop_record(&r);
}

static void
unknown_even_fields_are_skipped_odd_ones_refused(void **state)
{
	auto_buf struct buf b = BUF_INIT;
	struct err e = ERR_INIT;
	struct record r, back;
	size_t len;

	(void)state;
	make_record(&r, 3);
	record_encode(&r, true, &b);
	len = b.len;
	for (uint64_t tag = 34; tag < 1ULL << 40; tag = tag * 3) {
		b.len = len;
		put(&b, tag & ~1ULL, "news", 4);
		assert_int_equal(decode(b.data, b.len, &back, NULL), 0);
		assert_same_record(&r, &back, true);
		record_release(&back);
		b.len = len;
		put(&b, tag | 1, "news", 4);
		assert_int_equal(
			decode(b.data, b.len, &back, &e), -EPROTONOSUPPORT);
		assert_non_null(strstr(e.text, "newer"));
	}
	drop_record(&r);
}

/* A record without one field, and with it again in another form. */
static int
with_field(uint64_t tag, const void *data, size_t len)
{
	auto_buf struct buf whole = BUF_INIT, b = BUF_INIT;
	struct record r;
	struct reader rd;

	make_record(&r, 0);
	record_encode(&r, true, &whole);
	drop_record(&r);
	rd = reader_of(whole.data, whole.len);
	while (reader_left(&rd)) {
		uint64_t t = read_varint(&rd);
		size_t n;
		const uint8_t *bytes = read_blob(&rd, whole.len, &n);

		if (t != tag)
			put(&b, t, bytes, n);
	}
	if (data)
		put(&b, tag, data, len);
	return code_of(&b);
}

static void
fields_that_must_be_there_are_missed(void **state)
{
	static const uint64_t must[] = { 1, 3, 5, 9, 11 };
	static const uint64_t may[] = { 7, 8, 10, 12, 14, 16, 18, 20, 22 };

	(void)state;
	for (size_t i = 0; i < n_elements(must); i++)
		assert_int_equal(with_field(must[i], NULL, 0), -EUCLEAN);
	for (size_t i = 0; i < n_elements(may); i++)
		assert_int_equal(with_field(may[i], NULL, 0), 0);
}

static void
names_that_are_not_one_component_are_refused(void **state)
{
	char name[256];

	(void)state;
	memset(name, 'n', sizeof(name));
	for (uint64_t tag = 1; tag <= 3; tag += 2) {
		assert_int_equal(with_field(tag, name, 255), 0);
		assert_int_equal(with_field(tag, "\xff\n", 2), 0);
		assert_int_equal(with_field(tag, name, 256), -EUCLEAN);
		assert_int_equal(with_field(tag, "", 0), -EUCLEAN);
		assert_int_equal(with_field(tag, ".", 1), -EUCLEAN);
		assert_int_equal(with_field(tag, "..", 2), -EUCLEAN);
		assert_int_equal(with_field(tag, "a/b", 3), -EUCLEAN);
		assert_int_equal(with_field(tag, "a\0b", 3), -EUCLEAN);
	}
}

static void
numbers_that_contradict_are_refused(void **state)
{
	(void)state;
	assert_int_equal(with_field(5, "\0", 1), -EUCLEAN);   /* seq 0 */
	assert_int_equal(with_field(9, "\0", 1), -EUCLEAN);   /* generation 0 */
	assert_int_equal(with_field(9, "\x7f", 1), -EUCLEAN); /* after seq */
	assert_int_equal(with_field(5, "\x7f\0", 2), -EUCLEAN);
	assert_int_equal(with_field(18, "", 0), -EUCLEAN);
}

/* What stands in a record's place says so in two fields, of a database. */
static int
with_epoch(const void *epoch, size_t len, bool original, bool database)
{
	static const uint8_t state[2 + 1 + 16] = { 0x80, 4, 1 };
	auto_buf struct buf b = BUF_INIT;
	struct record r;

	make_record(&r, 0);
	record_encode(&r, true, &b);
	drop_record(&r);
	put(&b, 15, epoch, len);
	if (original)
		put(&b, 17, "0123456789abcdef0123456789abcdef", HASH_LEN);
	if (database)
		put(&b, 24, state, sizeof(state));
	return code_of(&b);
}

static void
an_epoch_that_contradicts_is_refused(void **state)
{
	(void)state;
	assert_int_equal(with_epoch("\1\1", 2, true, true), 0);
	assert_int_equal(with_epoch("\x8f\x4e\1", 3, true, true), 0); /* 9999 */
	assert_int_equal(with_epoch("\x90\x4e\1", 3, true, true), -EUCLEAN);
	assert_int_equal(with_epoch("\0\1", 2, true, true), -EUCLEAN);
	assert_int_equal(with_epoch("\1\0", 2, true, true), -EUCLEAN);
	assert_int_equal(with_epoch("\1", 1, true, true), -EUCLEAN);
	assert_int_equal(with_epoch("\1\1\1", 3, true, true), -EUCLEAN);
	assert_int_equal(with_epoch("\1\1", 2, false, true), -EUCLEAN);
	assert_int_equal(with_epoch("\1\1", 2, true, false), -EUCLEAN);
	assert_int_equal(
		with_field(17, "0123456789abcdef0123456789abcdef", HASH_LEN),
		-EUCLEAN);
}

static void
fields_of_the_wrong_length_are_refused(void **state)
{
	auto_free uint8_t *long_field = xcalloc(1, PAGE_LEN_MAX + 1);

	(void)state;
	memset(long_field, 'x', PAGE_LEN_MAX + 1);
	assert_int_equal(with_field(12, long_field, HASH_LEN), 0);
	assert_int_equal(with_field(12, long_field, HASH_LEN - 1), -EUCLEAN);
	assert_int_equal(with_field(12, long_field, HASH_LEN + 1), -EUCLEAN);
	assert_int_equal(with_field(14, "", 0), -EUCLEAN);
	assert_int_equal(
		with_field(14, long_field, PAGE_LEN_MAX + 1), -EUCLEAN);
	assert_int_equal(with_field(16, long_field, RECORD_TAG_LEN_MAX), 0);
	assert_int_equal(
		with_field(16, long_field, RECORD_TAG_LEN_MAX + 1), -EUCLEAN);
	assert_int_equal(with_field(22, long_field, 4096 * 4 + 1), -EUCLEAN);
	assert_int_equal(with_field(11, long_field, 100), -EUCLEAN);
	assert_int_equal(with_field(11, "", 0), -EUCLEAN);
	/* a directory's leaf with one directory is not a root */
	assert_int_equal(
		with_field(11, "\1\1\0\0\0\1a\x21\7\0\0\0\0\0\0\0\0\0\0\0", 20),
		-EUCLEAN);
	assert_int_equal(
		with_field(11, "\5\1\0\0\0\0\x21\7\0\0\0\0\0\0\0\0\0\0\0", 19),
		0);
}

static void
a_root_that_is_no_directory_is_refused(void **state)
{
	struct record r;

	(void)state;
	make_record(&r, 0);
	for (int i = 0; i < 2; i++) {
		auto_buf struct buf b = BUF_INIT;

		record_encode(&r, true, &b);
		assert_int_equal(code_of(&b), i ? -EUCLEAN : 0);
		r.root = (struct entry){ .mode = S_IFREG | 0644, .nlink = 1 };
	}
	drop_record(&r);
}

static void
a_field_twice_is_refused_but_tags(void **state)
{
	auto_buf struct buf b = BUF_INIT;
	struct record r;
	struct reader rd;
	size_t len;

	(void)state;
	make_record(&r, 7);
	record_encode(&r, true, &b);
	drop_record(&r);
	len = b.len;
	rd = reader_of(b.data, len);
	while (reader_left(&rd)) {
		const uint8_t *from = rd.p;
		uint64_t tag = read_varint(&rd);
		size_t n, end = (size_t)(from - b.data);
		auto_buf struct buf twice = BUF_INIT;

		read_blob(&rd, len, &n);
		buf_append(&twice, b.data, len);
		buf_append(&twice, from, (size_t)(rd.p - from));
		assert_true(end < len);
		assert_int_equal(code_of(&twice), tag == 16 ? 0 : -EUCLEAN);
	}
}

static void
more_than_64_tags_are_refused(void **state)
{
	auto_buf struct buf b = BUF_INIT;
	struct record r;

	(void)state;
	make_record(&r, 0);
	record_encode(&r, true, &b);
	drop_record(&r);
	for (int i = 0; i < RECORD_TAGS_MAX; i++)
		put(&b, 16, "t", 1);
	assert_int_equal(code_of(&b), 0);
	put(&b, 16, "t", 1);
	assert_int_equal(code_of(&b), -EUCLEAN);
}

/* -- Names ------------------------------------------------------------------
 */

static void
a_name_comes_back(void **state)
{
	static const uint8_t source[SOURCE_KEY_LEN] = { 1, 2, 3 };
	char name[OBJECT_NAME_MAX * 2];
	uint8_t id[OBJECT_ID_LEN];
	struct record r;
	uint64_t seq;

	(void)state;
	make_record(&r, 0);
	memset(r.id, 0xab, sizeof(r.id));
	r.seq = 999999999999;
	r.time_ns = 1795170735LL * 1000000000 + 5;
	record_name(name, source, &r);
	assert_string_equal(name,
		"snap/01020300000000000000/999999999999-20261120T103215Z-"
		"abababababababababababababababab");
	assert_int_equal(record_name_parse(name, &seq, id), 0);
	assert_int_equal(seq, r.seq);
	assert_memory_equal(id, r.id, sizeof(id));
	r.time_ns = INT64_MIN;
	record_name(name, source, &r);
	assert_int_equal(record_name_parse(name, &seq, id), 0);
	r.time_ns = INT64_MAX;
	record_name(name, source, &r);
	assert_int_equal(record_name_parse(name, &seq, id), 0);
	drop_record(&r);
}

#define SRC "snap/01020300000000000000/"
#define ID "abababababababababababababababab"

static void
other_names_are_no_records(void **state)
{
	static const char *const names[] = { "", "snap/", SRC, SRC "1-" ID,
		SRC "00000000001-20261120T103215Z-" ID,
		SRC "0000000000001-20261120T103215Z-" ID,
		SRC "000000000000-20261120T103215Z-" ID,
		SRC "+00000000001-20261120T103215Z-" ID,
		SRC " 00000000001-20261120T103215Z-" ID,
		SRC "00000000000x-20261120T103215Z-" ID,
		SRC "000000000001-20261120T103215Z-" ID "0",
		SRC "000000000001-20261120T103215Z-"
		    "ABABABABABABABABABABABABABABABAB",
		"cat/01020300000000000000/000000000001-x-" ID,
		"snap-000000000001-20261120T103215Z-" ID };
	uint8_t id[OBJECT_ID_LEN];
	uint64_t seq;

	(void)state;
	for (size_t i = 0; i < n_elements(names); i++) {
		if (record_name_parse(names[i], &seq, id) != -EINVAL)
			fail_msg("%s", names[i]);
	}
}

static void
names_of_deltas_lead_back_and_others_are_none(void **state)
{
	static const char *const wrong[] = {
		"db/00000000000000000000/000000000005-0000/999999999992",
		"db/00000000000000000000/000000000005-12/999999999992",
		"db/00000000000000000000/000000000005-12345/999999999992",
		"db/00000000000000000000/000000000005-0012/x/999999999992",
		"db/00000000000000000000/5/999999999992",
		"db/0000000000000000000/000000000005/999999999992",
		"db/00000000000000000000/000000000005/99999999999",
		"db/00000000000000000000/000000000005/999999999999",
		"snap/00000000000000000000/000000000005/999999999992",
	};
	struct delta_place p = { .base_seq = 5, .n = 7 }, back;
	char name[OBJECT_NAME_MAX];

	(void)state;
	delta_name(name, &p);
	assert_string_equal(name,
		"db/00000000000000000000/000000000005/999999999992");
	assert_true(delta_name_parse(name, &back));
	assert_memory_equal(&back, &p, sizeof(p));
	p.epoch = 12;
	p.source[0] = 0xab;
	delta_name(name, &p);
	assert_string_equal(name,
		"db/ab000000000000000000/000000000005-0012/999999999992");
	assert_true(delta_name_parse(name, &back));
	assert_memory_equal(&back, &p, sizeof(p));
	for (size_t i = 0; i < n_elements(wrong); i++)
		assert_false(delta_name_parse(wrong[i], &back));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_of_deltas_lead_back_and_others_are_none),
		cmocka_unit_test(a_record_comes_back),
		cmocka_unit_test(extreme_numbers_come_back),
		cmocka_unit_test(a_record_cut_inside_a_field_is_refused),
		cmocka_unit_test(
			packs_of_pages_come_back_and_more_than_sixteen_are_refused),
		cmocka_unit_test(
			scattered_stretches_come_back_and_more_than_64_are_refused),
		cmocka_unit_test(
			unknown_even_fields_are_skipped_odd_ones_refused),
		cmocka_unit_test(fields_that_must_be_there_are_missed),
		cmocka_unit_test(names_that_are_not_one_component_are_refused),
		cmocka_unit_test(numbers_that_contradict_are_refused),
		cmocka_unit_test(an_epoch_that_contradicts_is_refused),
		cmocka_unit_test(fields_of_the_wrong_length_are_refused),
		cmocka_unit_test(a_root_that_is_no_directory_is_refused),
		cmocka_unit_test(a_field_twice_is_refused_but_tags),
		cmocka_unit_test(more_than_64_tags_are_refused),
		cmocka_unit_test(a_name_comes_back),
		cmocka_unit_test(other_names_are_no_records),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
