/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/unit.h"
#include "tests/unit/crypto_vectors.h"

#include "repo/base/bytes.h"
#include "repo/crypto/id.h"

static struct keyring *keys;

static int
make_keys(void **state)
{
	(void)state;
	keys = keyring_new(vector_repository_id, vector_root);
	return 0;
}

static int
free_keys(void **state)
{
	(void)state;
	keyring_free(keys);
	return 0;
}

static void
chunk_ids_are_the_known_answers(void **state)
{
	uint8_t id[CHUNK_ID_LEN];
	(void)state;

	chunk_id(keys, CHUNK_DATA, vector_packed, sizeof(vector_packed), id);
	assert_memory_equal(id, vector_chunk_id_data, CHUNK_ID_LEN);
	chunk_id(keys, CHUNK_PAGE, vector_packed, sizeof(vector_packed), id);
	assert_memory_equal(id, vector_chunk_id_page, CHUNK_ID_LEN);
	chunk_id(keys, CHUNK_DATA, NULL, 0, id);
	assert_memory_equal(id, vector_chunk_id_empty, CHUNK_ID_LEN);
}

static void
a_chunk_id_depends_on_the_repository(void **state)
{
	uint8_t other[REPOSITORY_ID_LEN] = { 9 }, a[CHUNK_ID_LEN],
		b[CHUNK_ID_LEN];
	(void)state;
	auto_keyring struct keyring *k = keyring_new(other, vector_root);

	chunk_id(keys, CHUNK_DATA, "x", 1, a);
	chunk_id(k, CHUNK_DATA, "x", 1, b);
	assert_memory_not_equal(a, b, CHUNK_ID_LEN);
}

static void
a_source_directory_is_the_known_answer(void **state)
{
	uint8_t key[SOURCE_KEY_LEN];
	(void)state;

	source_key(keys, "web1", "home-ann", key);
	assert_memory_equal(key, vector_source_key, SOURCE_KEY_LEN);
}

static void
host_and_name_of_a_source_do_not_run_together(void **state)
{
	uint8_t a[SOURCE_KEY_LEN], b[SOURCE_KEY_LEN];
	(void)state;

	source_key(keys, "web", "1home", a);
	source_key(keys, "web1", "home", b);
	assert_memory_not_equal(a, b, SOURCE_KEY_LEN);
}

static void
the_header_mac_is_the_known_answer(void **state)
{
	uint8_t mac[HASH_LEN];
	(void)state;

	header_mac(keys, vector_packed, sizeof(vector_packed), mac);
	assert_memory_equal(mac, vector_header_mac, HASH_LEN);
}

static void
sha256_is_the_known_answer(void **state)
{
	uint8_t hash[HASH_LEN];
	(void)state;

	sha256(vector_packed, sizeof(vector_packed), hash);
	assert_memory_equal(hash, vector_sha256, HASH_LEN);
}

static void
a_cutting_table_is_the_known_answer(void **state)
{
	uint64_t table[6];
	(void)state;

	cut_table(keys, "gear", table, n_elements(table));
	for (size_t i = 0; i < n_elements(table); i++)
		assert_true(table[i] == get_be64(vector_cut_table + 8 * i));
}

static void
tables_of_two_labels_differ(void **state)
{
	uint64_t gear[256], page[256];
	(void)state;

	cut_table(keys, "gear", gear, 256);
	cut_table(keys, "page", page, 256);
	for (size_t i = 0; i < 256; i++)
		assert_true(gear[i] != page[i]);
}

static void *
hash_many(void *out)
{
	uint8_t id[CHUNK_ID_LEN];

	for (int i = 0; i < 1000; i++) {
		chunk_id(keys, CHUNK_DATA, vector_packed, sizeof(vector_packed),
			id);
		*(int *)out +=
			memcmp(id, vector_chunk_id_data, CHUNK_ID_LEN) != 0;
	}
	return NULL;
}

static void
threads_do_not_disturb_each_other(void **state)
{
	pthread_t threads[8];
	int wrong[8] = { 0 };
	(void)state;

	for (size_t i = 0; i < 8; i++)
		assert_int_equal(
			pthread_create(&threads[i], NULL, hash_many, &wrong[i]),
			0);
	for (size_t i = 0; i < 8; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(wrong[i], 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chunk_ids_are_the_known_answers),
		cmocka_unit_test(a_chunk_id_depends_on_the_repository),
		cmocka_unit_test(a_source_directory_is_the_known_answer),
		cmocka_unit_test(host_and_name_of_a_source_do_not_run_together),
		cmocka_unit_test(the_header_mac_is_the_known_answer),
		cmocka_unit_test(sha256_is_the_known_answer),
		cmocka_unit_test(a_cutting_table_is_the_known_answer),
		cmocka_unit_test(tables_of_two_labels_differ),
		cmocka_unit_test(threads_do_not_disturb_each_other),
	};

	return cmocka_run_group_tests(tests, make_keys, free_keys);
}
