/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the writer does before it uploads: packing and sealing are undone and
 * compared.  Broken libraries are played by standing before them: some calls of
 * theirs are those below (ld --wrap of the tables), which pass on to them.
 */
#include "tests/unit/unit.h"
#include "tests/unit/crypto_vectors.h"

#include <errno.h>
#include "repo/base/bytes.h"
#include "repo/base/zstd.h"
#include "repo/crypto/openssl.h"
#include "repo/crypto/seal.h"

#undef ZSTD_compress2
#undef EVP_EncryptUpdate
#undef EVP_CipherInit_ex2

const struct zstd_functions *__real_zstd_functions(void);
const struct zstd_functions *__wrap_zstd_functions(void);
const struct openssl_functions *__real_openssl_functions(void);
const struct openssl_functions *__wrap_openssl_functions(void);

static enum { WORKS, BREAKS_OUTPUT, BREAKS_INPUT } zstd;
static bool break_cipher;

/* Every key and nonce that something was encrypted under. */
#define SEALS_MAX 4096
static struct seal {
	uint8_t key[KEY_LEN];
	uint8_t nonce[12];
} seals[SEALS_MAX];
static size_t n_seals;

static size_t
compress(ZSTD_CCtx *c, void *to, size_t room, const void *from, size_t len)
{
	auto_free uint8_t *input = xmemdup(from, len);

	if (zstd == BREAKS_INPUT)
		input[len / 2] ^= 1;
	size_t n = __real_zstd_functions()->ZSTD_compress2(
		c, to, room, input, len);

	if (zstd == BREAKS_OUTPUT && !ZSTD_isError(n))
		((uint8_t *)to)[n / 2] ^= 1;
	return n;
}

static int
encrypt(EVP_CIPHER_CTX *c, unsigned char *to, int *to_len,
	const unsigned char *from, int len)
{
	int ok = __real_openssl_functions()->EVP_EncryptUpdate(
		c, to, to_len, from, len);

	if (break_cipher && to)
		to[len / 2] ^= 1;
	return ok;
}

static int
begin(EVP_CIPHER_CTX *c, const EVP_CIPHER *cipher, const unsigned char *key,
	const unsigned char *nonce, int enc, const OSSL_PARAM params[])
{
	if (key && nonce && enc == 1) {
		assert_true(n_seals < SEALS_MAX);
		memcpy(seals[n_seals].key, key, KEY_LEN);
		memcpy(seals[n_seals++].nonce, nonce, 12);
	}
	return __real_openssl_functions()->EVP_CipherInit_ex2(
		c, cipher, key, nonce, enc, params);
}

const struct zstd_functions *
__wrap_zstd_functions(void)
{
	static struct zstd_functions own;

	own = *__real_zstd_functions();
	own.ZSTD_compress2 = compress;
	return &own;
}

const struct openssl_functions *
__wrap_openssl_functions(void)
{
	static struct openssl_functions own;

	own = *__real_openssl_functions();
	own.EVP_EncryptUpdate = encrypt;
	own.EVP_CipherInit_ex2 = begin;
	return &own;
}

static int
by_bytes(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct seal));
}

static void
no_key_and_nonce_seal_twice(void **state)
{
	auto_buf struct buf packed = BUF_INIT, out = BUF_INIT;
	(void)state;
	auto_keyring struct keyring *keys =
		keyring_new(vector_repository_id, vector_root);

	n_seals = 0;
	buf_append(&packed, "x", 1);
	for (unsigned i = 0; i < 1000; i++) {
		uint8_t id[OBJECT_ID_LEN] = { (uint8_t)(i / 100) };
		struct frame_prefix prefix = { .type = FRAME_DATA,
			.plain_len = 1 };
		struct object_key k;

		object_key_init(&k, keys, 1 + i % 5, id);
		assert_int_equal(frame_seal(&k, 64 + (i % 100) * 33ull, &prefix,
					 &packed, &out, NULL),
			0);
	}
	assert_int_equal(n_seals, 1000);
	qsort(seals, n_seals, sizeof(*seals), by_bytes);
	for (size_t i = 1; i < n_seals; i++)
		assert_true(by_bytes(&seals[i - 1], &seals[i]) != 0);
}

/* -- Packing ------------------------------------------------------------- */

static struct packer *packer;

static int
make_packer(void **state)
{
	(void)state;
	packer = packer_new(3);
	return 0;
}

static int
free_packer(void **state)
{
	(void)state;
	packer_free(packer);
	return 0;
}

static uint8_t *
text(size_t len)
{
	uint8_t *p = xmalloc(len + 8);

	for (size_t i = 0; i < len; i += 8)
		snprintf((char *)p + i, 9, "%8zu", i * 7919 % 100003);
	return p;
}

static uint8_t *
noise(size_t len)
{
	uint8_t *p = xmalloc(len + 1);

	random_bytes(p, len);
	return p;
}

static enum frame_codec
pack(const void *plain, size_t len, int level, struct buf *out)
{
	enum frame_codec codec = CODEC_RAW;

	assert_int_equal(
		packer_pack(packer, level, plain, len, out, &codec, NULL), 0);
	return codec;
}

static void
text_of_any_length_comes_back(void **state)
{
	struct object_key k = { .type = OBJECT_DATA };
	(void)state;

	for (size_t len = 0; len < 400000; len = len * 5 / 3 + 1) {
		auto_free uint8_t *plain = text(len);
		auto_buf struct buf packed = BUF_INIT, out = BUF_INIT;
		auto_free uint8_t *again = NULL;
		enum frame_codec codec =
			pack(plain, len, 1 + (int)len % 7, &packed);
		struct frame_prefix prefix = { .type = FRAME_DATA,
			.codec = (uint8_t)codec,
			.plain_len = (uint32_t)len };

		assert_true(packed.len <= len);
		assert_true(len < 1000 || packed.len < len / 2);
		assert_int_equal(
			frame_seal(&k, 0, &prefix, &packed, &out, NULL), 0);
		assert_int_equal(frame_unseal(&k, 0, out.data, out.len, &prefix,
					 &again, NULL),
			0);
		assert_memory_equal(again, plain, len);
	}
}

static void
noise_is_kept_raw_at_every_level(void **state)
{
	auto_free uint8_t *plain = noise(300000);
	(void)state;

	for (int level = 1; level <= 9; level++) {
		auto_buf struct buf packed = BUF_INIT;

		assert_int_equal(
			pack(plain, 300000, level, &packed), CODEC_RAW);
		assert_int_equal(packed.len, 300000);
		assert_memory_equal(packed.data, plain, 300000);
	}
}

/* Text between the places that the packer samples must not be missed. */
static void
text_amid_noise_is_compressed(void **state)
{
	const size_t len = 256 << 10;
	auto_free uint8_t *plain = noise(len), *words = text(60000);
	auto_buf struct buf packed = BUF_INIT;
	(void)state;

	memcpy(plain + 10000, words, 60000);
	assert_int_equal(pack(plain, len, 5, &packed), CODEC_ZSTD);
	assert_true(packed.len < len - 30000);
}

static void
the_level_of_one_call_overrides_the_packers(void **state)
{
	auto_free uint8_t *plain = text(200000);
	auto_buf struct buf own = BUF_INIT, three = BUF_INIT, twelve = BUF_INIT;
	(void)state;

	pack(plain, 200000, 12, &twelve);
	pack(plain, 200000, 0, &own);
	pack(plain, 200000, 3, &three);
	assert_int_equal(own.len, three.len);
	assert_memory_equal(own.data, three.data, own.len);
	assert_true(twelve.len < three.len);
}

static void
more_than_a_frame_holds_is_refused(void **state)
{
	auto_free uint8_t *plain = xcalloc(1, FRAME_PLAIN_MAX + 1);
	auto_buf struct buf packed = BUF_INIT;
	enum frame_codec codec;
	(void)state;

	assert_int_equal(packer_pack(packer, 1, plain, FRAME_PLAIN_MAX + 1,
				 &packed, &codec, NULL),
		-EINVAL);
	assert_int_equal(pack(plain, FRAME_PLAIN_MAX, 1, &packed), CODEC_ZSTD);
}

static void
a_compressor_that_corrupts_is_caught(void **state)
{
	auto_free uint8_t *plain = text(100000);
	(void)state;

	for (int i = BREAKS_OUTPUT; i <= BREAKS_INPUT; i++) {
		auto_buf struct buf packed = BUF_INIT;
		struct err e = ERR_INIT;
		enum frame_codec codec;

		zstd = i;
		int r = packer_pack(
			packer, 3, plain, 100000, &packed, &codec, &e);

		zstd = WORKS;
		assert_int_equal(r, -EBADMSG);
		assert_int_equal(e.code, EBADMSG);
	}
}

static void
a_cipher_that_corrupts_is_caught(void **state)
{
	struct object_key k = { .type = OBJECT_DATA };
	struct frame_prefix prefix = { .type = FRAME_DATA, .plain_len = 50000 };
	auto_buf struct buf packed = BUF_INIT, out = BUF_INIT;
	(void)state;

	buf_zeros(&packed, 50000);
	break_cipher = true;
	int r = frame_seal(&k, 64, &prefix, &packed, &out, NULL);

	break_cipher = false;
	assert_int_equal(r, -EBADMSG);
	assert_int_equal(out.len, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_key_and_nonce_seal_twice),
		cmocka_unit_test(text_of_any_length_comes_back),
		cmocka_unit_test(noise_is_kept_raw_at_every_level),
		cmocka_unit_test(text_amid_noise_is_compressed),
		cmocka_unit_test(the_level_of_one_call_overrides_the_packers),
		cmocka_unit_test(more_than_a_frame_holds_is_refused),
		cmocka_unit_test(a_compressor_that_corrupts_is_caught),
		cmocka_unit_test(a_cipher_that_corrupts_is_caught),
	};

	return cmocka_run_group_tests(tests, make_packer, free_packer);
}
