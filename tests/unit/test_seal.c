/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/unit.h"
#include "tests/unit/crypto_vectors.h"

#include <errno.h>
#include "repo/base/bytes.h"
#include "repo/crypto/seal.h"

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

static struct object_key
key_of(enum object_type type)
{
	struct object_key k;

	object_key_init(&k, keys, type, vector_object_id);
	return k;
}

static int
unseal(const struct object_key *k, uint64_t offset, const void *sealed,
	size_t len, struct buf *plain)
{
	auto_free uint8_t *copy = xmemdup(sealed, len);
	auto_free uint8_t *out = NULL;
	struct frame_prefix prefix;
	struct err e = ERR_INIT;
	int r = frame_unseal(k, offset, copy, len, &prefix, &out, &e);

	assert_int_equal(r, -e.code);
	assert_true((r == 0) == (out != NULL));
	if (r == 0 && plain)
		buf_append(plain, out, prefix.plain_len);
	return r;
}

static void
assert_unseals(const struct object_key *k, uint64_t offset, const void *sealed,
	size_t len, const void *plain, size_t plain_len)
{
	auto_buf struct buf b = BUF_INIT;

	assert_int_equal(unseal(k, offset, sealed, len, &b), 0);
	assert_int_equal(b.len, plain_len);
	assert_memory_equal(b.data, plain, plain_len);
}

/* The frame of given packed bytes, whatever they are. */
static void
seal(enum frame_codec codec, const void *packed, size_t len, uint32_t plain_len,
	struct buf *out)
{
	struct object_key k = key_of(OBJECT_META);
	struct frame_prefix prefix = { .type = FRAME_PAGES,
		.codec = (uint8_t)codec,
		.plain_len = plain_len };
	auto_buf struct buf b = BUF_INIT;

	buf_append(&b, packed, len);
	assert_int_equal(frame_seal(&k, 64, &prefix, &b, out, NULL), 0);
	assert_int_equal(prefix.body_len, len + FRAME_TAG_LEN);
}

/* -- Known answers ------------------------------------------------------- */

static void
object_keys_are_the_known_answers(void **state)
{
	const uint8_t *want[] = { NULL, vector_object_key_1,
		vector_object_key_2, vector_object_key_3, vector_object_key_4,
		vector_object_key_5 };
	(void)state;

	for (unsigned i = OBJECT_DATA; i <= OBJECT_CATALOG; i++) {
		struct object_key k = key_of((enum object_type)i);

		assert_memory_equal(k.key, want[i], KEY_LEN);
		assert_int_equal(k.type, i);
	}
}

static void
a_raw_frame_is_the_known_answer(void **state)
{
	struct object_key k = key_of(OBJECT_DATA);
	struct frame_prefix prefix = { .type = FRAME_DATA,
		.codec = CODEC_RAW,
		.flags = FRAME_SOLID,
		.plain_len = sizeof(vector_packed) };
	auto_buf struct buf packed = BUF_INIT, out = BUF_INIT;
	(void)state;

	buf_append(&packed, vector_packed, sizeof(vector_packed));
	assert_int_equal(frame_seal(&k, 64, &prefix, &packed, &out, NULL), 0);
	assert_int_equal(out.len, sizeof(vector_frame_raw));
	assert_memory_equal(out.data, vector_frame_raw, out.len);
	assert_unseals(&k, 64, out.data, out.len, vector_packed,
		sizeof(vector_packed));
}

static void
a_frame_beyond_4_GiB_is_the_known_answer(void **state)
{
	struct object_key k = key_of(OBJECT_RECORD);
	(void)state;

	assert_unseals(&k, (1ull << 32) + 5, vector_frame_far,
		sizeof(vector_frame_far), vector_packed, sizeof(vector_packed));
}

static void
a_zstd_frame_is_the_known_answer(void **state)
{
	struct object_key k = key_of(OBJECT_META);
	auto_buf struct buf out = BUF_INIT;
	uint8_t plain[100];
	(void)state;

	memset(plain, 'a', sizeof(plain));
	assert_unseals(&k, 64, vector_frame_zstd, sizeof(vector_frame_zstd),
		plain, sizeof(plain));
	seal(CODEC_ZSTD, vector_zstd_100_a, sizeof(vector_zstd_100_a), 100,
		&out);
	assert_memory_equal(out.data, vector_frame_zstd, out.len);
}

static void
an_empty_frame_is_the_known_answer(void **state)
{
	struct object_key k = key_of(OBJECT_INDEX);
	struct frame_prefix prefix = { .type = FRAME_INDEX };
	auto_buf struct buf nothing = BUF_INIT, out = BUF_INIT;
	(void)state;

	assert_int_equal(frame_seal(&k, 64, &prefix, &nothing, &out, NULL), 0);
	assert_memory_equal(out.data, vector_frame_empty, out.len);
	assert_unseals(&k, 64, out.data, out.len, "", 0);
}

static void
a_frame_is_appended_to_what_is_there(void **state)
{
	auto_buf struct buf out = BUF_INIT;
	(void)state;

	buf_append(&out, "before", 6);
	seal(CODEC_RAW, "x", 1, 1, &out);
	assert_int_equal(out.len, 6 + FRAME_OVERHEAD + 1);
	assert_memory_equal(out.data, "before", 6);
}

/* -- What does not unseal ------------------------------------------------ */

static void
assert_flips_are_refused(
	enum object_type type, const uint8_t *frame, size_t len)
{
	struct object_key k = key_of(type);
	auto_free uint8_t *bad = xmemdup(frame, len);

	for (size_t bit = 0; bit < len * 8; bit++) {
		bad[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_equal(unseal(&k, 64, bad, len, NULL), -EBADMSG);
		bad[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	assert_int_equal(unseal(&k, 64, bad, len, NULL), 0);
}

static void
any_flipped_bit_is_refused(void **state)
{
	(void)state;
	assert_flips_are_refused(
		OBJECT_DATA, vector_frame_raw, sizeof(vector_frame_raw));
	assert_flips_are_refused(
		OBJECT_META, vector_frame_zstd, sizeof(vector_frame_zstd));
	assert_flips_are_refused(
		OBJECT_INDEX, vector_frame_empty, sizeof(vector_frame_empty));
}

static void
other_lengths_are_refused(void **state)
{
	struct object_key k = key_of(OBJECT_DATA);
	uint8_t frame[sizeof(vector_frame_raw) + 40] = { 0 };
	(void)state;

	memcpy(frame, vector_frame_raw, sizeof(vector_frame_raw));
	for (size_t len = 0; len <= sizeof(frame); len++)
		assert_int_equal(unseal(&k, 64, frame, len, NULL),
			len == sizeof(vector_frame_raw) ? 0 : -EBADMSG);
}

static void
a_moved_frame_is_refused(void **state)
{
	struct object_key k = key_of(OBJECT_DATA);
	(void)state;

	for (int bit = 0; bit < 64; bit++)
		assert_int_equal(unseal(&k, 64 ^ 1ull << bit, vector_frame_raw,
					 sizeof(vector_frame_raw), NULL),
			-EBADMSG);
}

static void
a_frame_in_another_object_is_refused(void **state)
{
	uint8_t other[OBJECT_ID_LEN];
	struct object_key k;
	(void)state;

	memcpy(other, vector_object_id, sizeof(other));
	other[0] ^= 1;
	object_key_init(&k, keys, OBJECT_DATA, other);
	assert_int_equal(unseal(&k, 64, vector_frame_raw,
				 sizeof(vector_frame_raw), NULL),
		-EBADMSG);
}

static void
a_frame_in_an_object_of_another_type_is_refused(void **state)
{
	(void)state;
	for (unsigned i = OBJECT_META; i <= OBJECT_CATALOG; i++) {
		struct object_key k = key_of((enum object_type)i);

		assert_int_equal(unseal(&k, 64, vector_frame_raw,
					 sizeof(vector_frame_raw), NULL),
			-EBADMSG);
	}
}

static void
a_frame_of_another_repository_is_refused(void **state)
{
	uint8_t other[REPOSITORY_ID_LEN] = { 0 };
	struct object_key k;
	(void)state;
	auto_keyring struct keyring *o = keyring_new(other, vector_root);

	object_key_init(&k, o, OBJECT_DATA, vector_object_id);
	assert_int_equal(unseal(&k, 64, vector_frame_raw,
				 sizeof(vector_frame_raw), NULL),
		-EBADMSG);
}

/* The key alone would refuse the four above; so must what is authenticated. */
static void
object_type_and_repository_are_authenticated_beside_the_key(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		struct object_key k = key_of(OBJECT_DATA);

		if (i == 0)
			k.object_id[15] ^= 1;
		else if (i == 1)
			k.repository_id[0] ^= 1;
		else
			k.type = OBJECT_META;
		assert_int_equal(unseal(&k, 64, vector_frame_raw,
					 sizeof(vector_frame_raw), NULL),
			-EBADMSG);
	}
}

/* -- Authentic, but not a frame of ours ---------------------------------- */

static void
assert_packed_refused(const void *packed, size_t len, uint32_t plain_len)
{
	struct object_key k = key_of(OBJECT_META);
	auto_buf struct buf out = BUF_INIT;

	seal(CODEC_ZSTD, packed, len, plain_len, &out);
	assert_int_equal(unseal(&k, 64, out.data, out.len, NULL), -EUCLEAN);
}

/* It is we who refuse it, not some version of zstd. */
static void
assert_packed_refused_as(const void *packed, size_t len, const char *says)
{
	struct object_key k = key_of(OBJECT_META);
	auto_buf struct buf out = BUF_INIT;
	struct frame_prefix prefix;
	struct err e = ERR_INIT;
	uint8_t *plain;

	seal(CODEC_ZSTD, packed, len, 100, &out);
	assert_int_equal(
		frame_unseal(&k, 64, out.data, out.len, &prefix, &plain, &e),
		-EUCLEAN);
	assert_non_null(strstr(e.text, says));
}

static void
zstd_data_of_another_length_is_refused(void **state)
{
	(void)state;
	assert_packed_refused(vector_zstd_100_a, sizeof(vector_zstd_100_a), 99);
	assert_packed_refused(
		vector_zstd_100_a, sizeof(vector_zstd_100_a), 101);
	assert_packed_refused(
		vector_zstd_100_a, sizeof(vector_zstd_100_a), FRAME_PLAIN_MAX);
}

static void
a_bomb_that_lies_about_its_size_is_refused(void **state)
{
	/* says 100 bytes, a block of 16 MiB - 1 follows */
	uint8_t bomb[] = { 0x28, 0xb5, 0x2f, 0xfd, 0x20, 100, 0xfb, 0xff, 0xff,
		'a' };
	(void)state;

	assert_packed_refused(bomb, sizeof(bomb), 100);
}

static void
zstd_data_that_does_not_say_its_size_is_refused(void **state)
{
	/* window descriptor instead of content size, then the same block */
	const uint8_t data[] = { 0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x00, 0x23, 0x03,
		0x00, 'a' };
	(void)state;

	assert_packed_refused(data, sizeof(data), 100);
}

static void
a_dictionary_is_refused(void **state)
{
	const uint8_t data[] = { 0x28, 0xb5, 0x2f, 0xfd, 0x21, 7, 100, 0x23,
		0x03, 0x00, 'a' };
	(void)state;

	assert_packed_refused_as(data, sizeof(data), "a dictionary");
}

static void
a_format_that_zstd_had_before_is_refused(void **state)
{
	uint8_t data[sizeof(vector_zstd_100_a)];
	(void)state;

	memcpy(data, vector_zstd_100_a, sizeof(data));
	data[0] = 0x27; /* 0.7 */
	assert_packed_refused_as(data, sizeof(data), "not hold zstd");
}

static void
two_zstd_frames_are_refused(void **state)
{
	uint8_t two[2 * sizeof(vector_zstd_100_a)];
	(void)state;

	memcpy(two, vector_zstd_100_a, sizeof(vector_zstd_100_a));
	memcpy(two + sizeof(vector_zstd_100_a), vector_zstd_100_a,
		sizeof(vector_zstd_100_a));
	assert_packed_refused(two, sizeof(two), 200);
	assert_packed_refused(two, sizeof(two), 100);
	/* the second holds nothing */
	memcpy(two + sizeof(vector_zstd_100_a),
		"\x28\xb5\x2f\xfd\x20\x00\x01\x00\x00", 9);
	assert_packed_refused(two, sizeof(vector_zstd_100_a) + 9, 100);
}

static void
a_skippable_frame_is_refused(void **state)
{
	const uint8_t skip[] = { 0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0 };
	uint8_t data[sizeof(skip) + sizeof(vector_zstd_100_a)];
	(void)state;

	memcpy(data, skip, sizeof(skip));
	memcpy(data + sizeof(skip), vector_zstd_100_a,
		sizeof(vector_zstd_100_a));
	assert_packed_refused(data, sizeof(data), 100);
	memcpy(data, vector_zstd_100_a, sizeof(vector_zstd_100_a));
	memcpy(data + sizeof(vector_zstd_100_a), skip, sizeof(skip));
	assert_packed_refused(data, sizeof(data), 100);
	assert_packed_refused(skip, sizeof(skip), 100);
}

static void
cut_off_and_broken_zstd_data_is_refused(void **state)
{
	uint8_t data[sizeof(vector_zstd_100_a) + 1] = { 0 };
	(void)state;

	memcpy(data, vector_zstd_100_a, sizeof(vector_zstd_100_a));
	for (size_t len = 0; len < sizeof(vector_zstd_100_a); len++)
		assert_packed_refused(data, len, 100);
	assert_packed_refused(data, sizeof(data), 100);
	data[6] = 0x27; /* a block of the reserved type */
	assert_packed_refused(data, sizeof(vector_zstd_100_a), 100);
}

/* -- The prefix ---------------------------------------------------------- */

static void
a_prefix_decodes_to_what_was_encoded(void **state)
{
	const struct frame_prefix p = { .type = FRAME_CATALOG,
		.codec = CODEC_ZSTD,
		.flags = FRAME_SOLID,
		.body_len = FRAME_PLAIN_MAX + FRAME_TAG_LEN,
		.plain_len = FRAME_PLAIN_MAX };
	uint8_t bytes[FRAME_PREFIX_LEN];
	struct frame_prefix q;
	(void)state;

	frame_prefix_encode(bytes, &p);
	assert_int_equal(frame_prefix_decode(bytes, &q, NULL), 0);
	assert_int_equal(q.type, p.type);
	assert_int_equal(q.codec, p.codec);
	assert_int_equal(q.flags, p.flags);
	assert_int_equal(q.body_len, p.body_len);
	assert_int_equal(q.plain_len, p.plain_len);
}

/* A good prefix with one byte or length replaced, and the field at fault. */
static const struct {
	size_t at;
	size_t len;
	uint32_t value;
	const char *names;
} bad_prefixes[] = {
	{ 0, 1, 0, "type" },
	{ 0, 1, 12, "type" },
	{ 1, 1, 2, "codec" },
	{ 2, 1, 2, "flags" },
	{ 2, 1, 0x81, "flags" },
	{ 3, 1, 0xf4, "marker" },
	{ 4, 4, 15, "body length" },
	{ 4, 4, 100 + 17, "body length" },
	{ 4, 4, UINT32_MAX, "body length" },
	{ 8, 4, FRAME_PLAIN_MAX + 1, "plain length" },
	{ 8, 4, UINT32_MAX, "plain length" },
	{ 8, 4, UINT32_MAX - 15, "plain length" },
	{ 12, 4, 1, "reserved" },
};

static void
each_field_out_of_bounds_is_refused_by_name(void **state)
{
	const struct frame_prefix good = { .type = FRAME_DATA,
		.codec = CODEC_ZSTD,
		.body_len = 60,
		.plain_len = 100 };
	(void)state;

	for (size_t i = 0; i < n_elements(bad_prefixes); i++) {
		uint8_t bytes[FRAME_PREFIX_LEN];
		struct frame_prefix p;
		struct err e = ERR_INIT;

		frame_prefix_encode(bytes, &good);
		if (bad_prefixes[i].len == 1)
			bytes[bad_prefixes[i].at] =
				(uint8_t)bad_prefixes[i].value;
		else
			put_be32(bytes + bad_prefixes[i].at,
				bad_prefixes[i].value);
		assert_int_equal(frame_prefix_decode(bytes, &p, &e), -EUCLEAN);
		assert_non_null(strstr(e.text, bad_prefixes[i].names));
	}
}

static void
a_raw_frame_has_exactly_its_plain_length(void **state)
{
	struct frame_prefix p = {
		.type = FRAME_DATA, .body_len = 115, .plain_len = 100
	};
	uint8_t bytes[FRAME_PREFIX_LEN];
	(void)state;

	frame_prefix_encode(bytes, &p);
	assert_int_equal(frame_prefix_decode(bytes, &p, NULL), -EUCLEAN);
	put_be32(bytes + 4, 116);
	assert_int_equal(frame_prefix_decode(bytes, &p, NULL), 0);
}

static void
a_frame_we_would_refuse_is_not_sealed(void **state)
{
	struct object_key k = key_of(OBJECT_DATA);
	struct frame_prefix prefix = { .type = FRAME_DATA, .plain_len = 3 };
	auto_buf struct buf packed = BUF_INIT, out = BUF_INIT;
	struct err e = ERR_INIT;
	(void)state;

	buf_append(&packed, "four", 4);
	assert_int_equal(
		frame_seal(&k, 64, &prefix, &packed, &out, &e), -EINVAL);
	assert_int_equal(e.code, EINVAL);
	assert_int_equal(out.len, 0);
}

/* -- Threads ------------------------------------------------------------- */

static void *
seal_many(void *arg)
{
	struct object_key k = key_of(OBJECT_DATA);
	struct packer *p = packer_new(1);
	auto_buf struct buf packed = BUF_INIT, out = BUF_INIT;
	auto_free uint8_t *plain = xcalloc(1, 5000);
	enum frame_codec codec;

	memset(plain, *(int *)arg, 3000);
	for (uint64_t i = 0; i < 300; i++) {
		out.len = 0;
		assert_int_equal(
			packer_pack(p, 0, plain, 5000, &packed, &codec, NULL),
			0);
		struct frame_prefix prefix = { .type = FRAME_DATA,
			.codec = (uint8_t)codec,
			.plain_len = 5000 };

		assert_int_equal(
			frame_seal(&k, i, &prefix, &packed, &out, NULL), 0);
		assert_unseals(&k, i, out.data, out.len, plain, 5000);
	}
	packer_free(p);
	return NULL;
}

static void
threads_do_not_disturb_each_other(void **state)
{
	pthread_t threads[8];
	int numbers[8];
	(void)state;

	for (int i = 0; i < 8; i++) {
		numbers[i] = i;
		assert_int_equal(pthread_create(&threads[i], NULL, seal_many,
					 &numbers[i]),
			0);
	}
	for (int i = 0; i < 8; i++)
		pthread_join(threads[i], NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(object_keys_are_the_known_answers),
		cmocka_unit_test(a_raw_frame_is_the_known_answer),
		cmocka_unit_test(a_frame_beyond_4_GiB_is_the_known_answer),
		cmocka_unit_test(a_zstd_frame_is_the_known_answer),
		cmocka_unit_test(an_empty_frame_is_the_known_answer),
		cmocka_unit_test(a_frame_is_appended_to_what_is_there),
		cmocka_unit_test(any_flipped_bit_is_refused),
		cmocka_unit_test(other_lengths_are_refused),
		cmocka_unit_test(a_moved_frame_is_refused),
		cmocka_unit_test(a_frame_in_another_object_is_refused),
		cmocka_unit_test(
			a_frame_in_an_object_of_another_type_is_refused),
		cmocka_unit_test(a_frame_of_another_repository_is_refused),
		cmocka_unit_test(
			object_type_and_repository_are_authenticated_beside_the_key),
		cmocka_unit_test(zstd_data_of_another_length_is_refused),
		cmocka_unit_test(a_bomb_that_lies_about_its_size_is_refused),
		cmocka_unit_test(
			zstd_data_that_does_not_say_its_size_is_refused),
		cmocka_unit_test(a_dictionary_is_refused),
		cmocka_unit_test(a_format_that_zstd_had_before_is_refused),
		cmocka_unit_test(two_zstd_frames_are_refused),
		cmocka_unit_test(a_skippable_frame_is_refused),
		cmocka_unit_test(cut_off_and_broken_zstd_data_is_refused),
		cmocka_unit_test(a_prefix_decodes_to_what_was_encoded),
		cmocka_unit_test(each_field_out_of_bounds_is_refused_by_name),
		cmocka_unit_test(a_raw_frame_has_exactly_its_plain_length),
		cmocka_unit_test(a_frame_we_would_refuse_is_not_sealed),
		cmocka_unit_test(threads_do_not_disturb_each_other),
	};

	return cmocka_run_group_tests(tests, make_keys, free_keys);
}
