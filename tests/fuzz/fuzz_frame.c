/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Four things about frames, by the first byte of the input:
 *   0  a known frame with bits flipped or cut off unseals only if none was
 *   1  any plaintext comes back after packing, sealing and unsealing
 *   2  any packed bytes, properly sealed, unseal to exactly the length their
 *      prefix says, and to what zstd makes of them, or are refused
 *   3  a prefix that decodes is within its bounds and encodes to itself
 */
#include <assert.h>
#include <errno.h>
#include <string.h>
#include <zstd.h>
#include "repo/base/bytes.h"
#include "repo/crypto/seal.h"
#include "tests/unit/crypto_vectors.h"

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len);

static const struct object_key *
key(void)
{
	static struct object_key k;

	if (k.type == 0) {
		auto_keyring struct keyring *keys =
			keyring_new(vector_repository_id, vector_root);

		object_key_init(&k, keys, OBJECT_META, vector_object_id);
	}
	return &k;
}

static void
flipped(const uint8_t *in, size_t len)
{
	uint8_t frame[sizeof(vector_frame_zstd)], *plain = NULL;
	size_t frame_len = sizeof(frame);
	struct frame_prefix prefix;
	bool good = true;

	memcpy(frame, vector_frame_zstd, frame_len);
	if (len > 0 && in[0] < frame_len) {
		frame_len = in[0];
		good = false;
	}
	for (size_t i = 1; i < len && i <= frame_len; i++) {
		frame[i - 1] ^= in[i];
		good = good && in[i] == 0;
	}
	int r = frame_unseal(
		key(), 64, frame, frame_len, &prefix, &plain, NULL);

	assert(r == (good ? 0 : -EBADMSG));
	assert((plain != NULL) == good);
	free(plain);
}

static int
unseal(struct buf *sealed, uint64_t off, uint32_t plain_len, uint8_t **plain)
{
	struct frame_prefix prefix;
	int r = frame_unseal(
		key(), off, sealed->data, sealed->len, &prefix, plain, NULL);

	assert(r == 0 || r == -EUCLEAN);
	assert((r == 0) == (*plain != NULL));
	assert(prefix.plain_len == plain_len);
	return r;
}

static void
round_trip(const uint8_t *in, size_t len)
{
	static struct packer *packer;
	auto_buf struct buf packed = BUF_INIT, sealed = BUF_INIT;
	auto_free uint8_t *plain = NULL;
	enum frame_codec codec;

	if (len < 1)
		return;
	if (!packer)
		packer = packer_new(3);
	int level = in[0] % 8;

	in++, len--;
	assert(packer_pack(packer, level, in, len, &packed, &codec, NULL) == 0);
	assert(packed.len <= len);
	struct frame_prefix prefix = { .type = FRAME_PAGES,
		.codec = (uint8_t)codec,
		.plain_len = (uint32_t)len };

	assert(frame_seal(key(), len, &prefix, &packed, &sealed, NULL) == 0);
	assert(unseal(&sealed, len, prefix.plain_len, &plain) == 0);
	assert(memcmp(plain, in, len) == 0);
}

static void
any_packed(const uint8_t *in, size_t len)
{
	auto_buf struct buf packed = BUF_INIT, sealed = BUF_INIT;
	auto_free uint8_t *plain = NULL, *want = NULL;
	struct frame_prefix prefix = { .type = FRAME_PAGES,
		.codec = CODEC_ZSTD };

	if (len < 3)
		return;
	prefix.plain_len = (uint32_t)in[0] << 16 | get_be16(in + 1);
	buf_append(&packed, in + 3, len - 3);
	if (frame_seal(key(), 7, &prefix, &packed, &sealed, NULL) < 0) {
		assert(packed.len > prefix.plain_len);
		return;
	}
	if (unseal(&sealed, 7, prefix.plain_len, &plain) < 0)
		return;
	want = xmalloc(prefix.plain_len + 1);
	assert(ZSTD_decompress(want, prefix.plain_len + 1, in + 3, len - 3) ==
		prefix.plain_len);
	assert(memcmp(plain, want, prefix.plain_len) == 0);
}

static void
any_prefix(const uint8_t *in, size_t len)
{
	uint8_t again[FRAME_PREFIX_LEN];
	struct frame_prefix p;

	if (len < FRAME_PREFIX_LEN || frame_prefix_decode(in, &p, NULL) < 0)
		return;
	assert(p.plain_len <= FRAME_PLAIN_MAX);
	assert(p.body_len >= FRAME_TAG_LEN);
	assert(p.body_len <= p.plain_len + FRAME_TAG_LEN);
	frame_prefix_encode(again, &p);
	assert(memcmp(again, in, FRAME_PREFIX_LEN) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	static void (*const things[])(const uint8_t *, size_t) = { flipped,
		round_trip, any_packed, any_prefix };

	if (len > 0)
		things[in[0] % 4](in + 1, len - 1);
	return 0;
}
