/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * FORMAT, "Cutting": chunks and pages end where cut_vectors.py, written from
 * that text, lets them end.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "repo/base/bytes.h"
#include "repo/base/hex.h"
#include "repo/crypto/id.h"
#include "repo/write/cut.h"
#include "repo/write/map.h"
#include "tests/unit/crypto_vectors.h"
#include "tests/unit/cut_vectors.h"
#include "tests/unit/unit.h"

static struct keyring *
vector_keys(void)
{
	return keyring_new(vector_repository_id, vector_root);
}

static uint8_t *
content(size_t *len)
{
	uint8_t *data = xmalloc(VECTOR_CONTENT_HASHES * HASH_LEN);

	for (uint32_t i = 0; i < VECTOR_CONTENT_HASHES; i++) {
		uint8_t count[4];

		put_be32(count, i);
		sha256(count, sizeof(count), data + i * HASH_LEN);
	}
	*len = VECTOR_CONTENT_HASHES * HASH_LEN;
	return data;
}

static void
content_is_cut_as_the_format_says(void **state)
{
	static const struct cut_params params = CUT_PARAMS_DEFAULT;
	auto_keyring struct keyring *keys = vector_keys();
	size_t len, from = 0, i = 0;
	auto_free uint8_t *data = content(&len);
	struct cut_gear gear;
	struct cutter c;

	(void)state;
	cut_gear_init(&gear, keys);
	cutter_init(&c, &gear, &params);
	while (from < len) {
		size_t n = cutter_next(&c, data + from, len - from, true);

		assert_true(i < n_elements(vector_chunk_lens));
		assert_int_equal(n, vector_chunk_lens[i++]);
		from += n;
	}
	assert_int_equal(i, n_elements(vector_chunk_lens));
}

struct leaves {
	const struct keyring *keys;
	size_t n;
};

static int
check_leaf(void *ctx, const uint8_t *data, size_t len, struct ref *ref,
	struct err *e)
{
	struct leaves *l = ctx;
	char hex[CHUNK_ID_LEN * 2 + 1];
	struct page *p;
	bool leaf;
	int r = page_decode(data, len, &p, e);

	assert_int_equal(r, 0);
	memset(ref, 0, sizeof(*ref));
	chunk_id(l->keys, CHUNK_PAGE, data, len, ref->id);
	ref->place.object = OBJECT_META;
	ref->chunk_len = (uint32_t)len;
	leaf = p->kind == PAGE_DIR_LEAF;
	if (leaf) {
		assert_true(l->n < n_elements(vector_page_entries));
		assert_int_equal(p->n, vector_page_entries[l->n]);
	}
	if (leaf && l->n++ == 0)
		assert_string_equal(hex_encode(hex, ref->id, CHUNK_ID_LEN),
			VECTOR_PAGE_ID);
	page_free(p);
	return 0;
}

static void
directories_are_cut_as_the_format_says(void **state)
{
	auto_keyring struct keyring *keys = vector_keys();
	struct leaves l = { .keys = keys };
	struct map_builder *mb;
	struct map_cut cut;
	const uint8_t *page;
	struct ref root;
	size_t len;
	bool any;

	(void)state;
	map_cut_init(&cut, keys);
	mb = map_builder_new(true, &cut, check_leaf, &l);
	for (unsigned i = 0; i < VECTOR_ENTRIES; i++) {
		char name[16];
		struct entry en = { .name = (const uint8_t *)name,
			.mode = S_IFREG | 0644,
			.uid = 1000,
			.gid = 100,
			.ino = 1000 + i,
			.mtime_s = 1700000000,
			.mtime_ns = 5,
			.ctime_s = 1700000000,
			.ctime_ns = 5,
			.nlink = 1 };

		en.name_len = (uint32_t)snprintf(
			name, sizeof(name), "file-%06u", i);
		assert_int_equal(map_builder_entry(mb, &en, NULL), 0);
	}
	assert_int_equal(
		map_builder_finish(mb, &any, &root, &page, &len, NULL), 0);
	assert_int_equal(l.n, n_elements(vector_page_entries));
	map_builder_free(mb);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(content_is_cut_as_the_format_says),
		cmocka_unit_test(directories_are_cut_as_the_format_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
