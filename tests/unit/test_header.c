/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The repository's header in clear text. */
#include "tests/unit/unit.h"

#include <errno.h>
#include "repo/format/header.h"

#define ID "000102030405060708090a0b0c0d0e0f"
#define MAC "a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebf"
#define FIRST "yore-repository 1\n"
#define CREATED "created 2026-11-20T10:32:15Z\n"
#define LISTS "must-read\nmust-write\noptional\n"
#define TEXT FIRST "id " ID "\n" CREATED LISTS "mac " MAC "\n"

static int
decode(const char *text, size_t len, struct repository_header *h, struct err *e)
{
	auto_free uint8_t *exact = xmemdup(text, len);

	return repository_header_decode(exact, len, h, e);
}

static int
code_of(const char *text)
{
	struct repository_header h;

	return decode(text, strlen(text), &h, NULL);
}

static void
a_header_is_written_as_ever_and_comes_back(void **state)
{
	struct repository_header h = { .created = "2026-11-20T10:32:15Z" },
				 back;
	auto_buf struct buf b = BUF_INIT;
	uint8_t mac[HASH_LEN];
	size_t covered;

	(void)state;
	for (uint8_t i = 0; i < HASH_LEN; i++)
		mac[i] = (uint8_t)(0xa0 + i);
	for (uint8_t i = 0; i < REPOSITORY_ID_LEN; i++)
		h.id[i] = i;
	repository_header_encode(&h, &b);
	covered = b.len;
	repository_header_add_mac(&b, mac);
	assert_int_equal(b.len, strlen(TEXT));
	assert_memory_equal(b.data, TEXT, b.len);
	assert_int_equal(
		repository_header_decode(b.data, b.len, &back, NULL), 0);
	assert_memory_equal(back.id, h.id, sizeof(h.id));
	assert_string_equal(back.created, h.created);
	assert_memory_equal(back.mac, mac, sizeof(mac));
	assert_int_equal(back.mac_covers, covered);
	assert_false(back.must_write_unknown);
}

static void
a_header_cut_anywhere_is_refused(void **state)
{
	struct repository_header h;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(code_of(TEXT), 0);
	for (size_t len = 0; len < strlen(TEXT); len++)
		assert_true(decode(TEXT, len, &h, &e) < 0);
	assert_int_equal(decode("", 0, &h, &e), -EUCLEAN);
	assert_string_equal(e.text, "not a yore repository");
}

static void
what_stands_behind_the_mac_is_refused(void **state)
{
	(void)state;
	assert_int_equal(code_of(TEXT "optional x\n"), -EUCLEAN);
	assert_int_equal(code_of(TEXT "\n"), -EUCLEAN);
	assert_int_equal(code_of(TEXT "x"), -EUCLEAN);
}

static void
a_nul_is_refused(void **state)
{
	struct repository_header h;
	char text[] = TEXT;

	(void)state;
	for (size_t i = 0; i < strlen(TEXT); i++) {
		text[i] = 0;
		assert_true(decode(text, strlen(TEXT), &h, NULL) < 0);
		text[i] = TEXT[i];
	}
}

static void
a_header_over_4096_bytes_is_refused(void **state)
{
	auto_buf struct buf b = BUF_INIT;
	struct repository_header h;

	(void)state;
	buf_printf(&b, FIRST "id " ID "\nnote ");
	memset(buf_zeros(&b, 4096), 'x', 4096);
	b.len = HEADER_LEN_MAX - strlen("\nmac " MAC "\n");
	buf_printf(&b, "\nmac " MAC "\n");
	assert_int_equal(b.len, HEADER_LEN_MAX);
	assert_int_equal(repository_header_decode(b.data, b.len, &h, NULL), 0);
	b.len -= strlen("\nmac " MAC "\n");
	buf_printf(&b, "x\nmac " MAC "\n");
	assert_int_equal(
		repository_header_decode(b.data, b.len, &h, NULL), -EUCLEAN);
}

static void
a_higher_number_is_a_newer_format(void **state)
{
	(void)state;
	assert_int_equal(
		code_of("yore-repository 2\nwhatever"), -EPROTONOSUPPORT);
	assert_int_equal(code_of("yore-repository 10\n"), -EPROTONOSUPPORT);
	assert_int_equal(code_of("borg-repository 1\n"), -EUCLEAN);
}

static void
ids_and_macs_must_be_there_once_and_whole(void **state)
{
	(void)state;
	assert_int_equal(
		code_of(FIRST CREATED LISTS "mac " MAC "\n"), -EUCLEAN);
	assert_int_equal(code_of(FIRST "id " ID "0\nmac " MAC "\n"), -EUCLEAN);
	assert_int_equal(code_of(FIRST "id 0\nmac " MAC "\n"), -EUCLEAN);
	assert_int_equal(code_of(FIRST "id\nmac " MAC "\n"), -EUCLEAN);
	assert_int_equal(code_of(FIRST "id " ID "\nmac " ID "\n"), -EUCLEAN);
	assert_int_equal(
		code_of(FIRST "id " ID "\nid " ID "\nmac " MAC "\n"), -EUCLEAN);
	assert_int_equal(code_of(FIRST "id " ID "\nmac " MAC "\nmac " MAC "\n"),
		-EUCLEAN);
	assert_int_equal(code_of(FIRST "id " ID "\nmac " MAC "\n"), 0);
}

static void
unknown_features_forbid_what_they_must(void **state)
{
	struct repository_header h;
	struct err e = ERR_INIT;
	static const char write[] =
		FIRST "id " ID "\nmust-write locks\nmac " MAC "\n";
	static const char read[] =
		FIRST "id " ID "\nmust-read lzma\nmac " MAC "\n";

	(void)state;
	assert_int_equal(decode(write, strlen(write), &h, NULL), 0);
	assert_true(h.must_write_unknown);
	assert_int_equal(decode(read, strlen(read), &h, &e), -EPROTONOSUPPORT);
	assert_non_null(strstr(e.text, "lzma"));
	assert_int_equal(
		code_of(FIRST "id " ID "\noptional a b c\nmac " MAC "\n"), 0);
	assert_int_equal(code_of(FIRST "id " ID "\nidea x\nmac " MAC "\n"), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_header_is_written_as_ever_and_comes_back),
		cmocka_unit_test(a_header_cut_anywhere_is_refused),
		cmocka_unit_test(what_stands_behind_the_mac_is_refused),
		cmocka_unit_test(a_nul_is_refused),
		cmocka_unit_test(a_header_over_4096_bytes_is_refused),
		cmocka_unit_test(a_higher_number_is_a_newer_format),
		cmocka_unit_test(ids_and_macs_must_be_there_once_and_whole),
		cmocka_unit_test(unknown_features_forbid_what_they_must),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
