/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A frame is AES-256-GCM over zstd or raw bytes.  Its key belongs to one
 * object and its nonce is its offset there, so that no (key, nonce) pair seals
 * two things as long as an object's bytes are written once; repository, object,
 * object type and the clear prefix are authenticated beside it.
 *
 * Nothing reaches zstd before it authenticates, and then zstd still gets only
 * what packer_pack makes: one frame that says its exact size, no dictionary,
 * no skippable frame, no window buffer.
 *
 * Each thread keeps one cipher context and one decompressor.
 */
#include "repo/crypto/seal.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include "repo/base/bytes.h"
#include "repo/base/zstd.h"
#include "repo/crypto/kdf.h"
#include "repo/crypto/openssl.h"

#define MARKER 0xF5
#define AAD_LEN (REPOSITORY_ID_LEN + OBJECT_ID_LEN + 1 + FRAME_PREFIX_LEN)
#define NONCE_LEN 12

/* -- The prefix ---------------------------------------------------------- */

void
frame_prefix_encode(uint8_t out[FRAME_PREFIX_LEN], const struct frame_prefix *p)
{
	out[0] = p->type;
	out[1] = p->codec;
	out[2] = p->flags;
	out[3] = MARKER;
	put_be32(out + 4, p->body_len);
	put_be32(out + 8, p->plain_len);
	put_be32(out + 12, 0);
}

static int
check_kind(const struct frame_prefix *p, struct err *e)
{
	if (p->type < FRAME_DATA || p->type > FRAME_GC)
		return err_set(
			e, EUCLEAN, "frame type %u does not exist", p->type);
	if (p->codec > CODEC_ZSTD)
		return err_set(
			e, EUCLEAN, "frame codec %u does not exist", p->codec);
	if (p->flags & ~FRAME_SOLID)
		return err_set(
			e, EUCLEAN, "frame flags %#x do not exist", p->flags);
	return 0;
}

static int
check_lengths(const struct frame_prefix *p, struct err *e)
{
	if (p->plain_len > FRAME_PLAIN_MAX)
		return err_set(e, EUCLEAN,
			"frame plain length %u is more than %u", p->plain_len,
			FRAME_PLAIN_MAX);
	if (p->body_len < FRAME_TAG_LEN ||
		p->body_len > p->plain_len + FRAME_TAG_LEN)
		return err_set(e, EUCLEAN,
			"frame body length %u does not fit plain length %u",
			p->body_len, p->plain_len);
	if (p->codec == CODEC_RAW &&
		p->body_len != p->plain_len + FRAME_TAG_LEN)
		return err_set(e, EUCLEAN,
			"raw frame body length %u is not "
			"plain length %u and a tag",
			p->body_len, p->plain_len);
	return 0;
}

int
frame_prefix_decode(const uint8_t in[FRAME_PREFIX_LEN], struct frame_prefix *p,
	struct err *e)
{
	p->type = in[0];
	p->codec = in[1];
	p->flags = in[2];
	p->body_len = get_be32(in + 4);
	p->plain_len = get_be32(in + 8);
	if (in[3] != MARKER)
		return err_set(e, EUCLEAN, "frame marker is %#x", in[3]);
	if (get_be32(in + 12) != 0)
		return err_set(e, EUCLEAN, "frame reserved field is not 0");
	int r = check_kind(p, e);

	return r < 0 ? r : check_lengths(p, e);
}

/* -- What each thread keeps ---------------------------------------------- */

struct tools {
	EVP_CIPHER_CTX *gcm;
	ZSTD_DCtx *unzstd;
	uint8_t key[KEY_LEN]; /* that gcm has, */
	int enc;	      /* for this; -1: none */
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t thread_tools;
static EVP_CIPHER *aes_256_gcm;

static void
free_tools(void *p)
{
	struct tools *t = p;

	EVP_CIPHER_CTX_free(t->gcm);
	ZSTD_freeDCtx(t->unzstd);
	secret_wipe(t->key, sizeof(t->key));
	free(t);
}

static void
fetch(void)
{
	aes_256_gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
	kdf_must(aes_256_gcm != NULL, "AES-256-GCM");
	kdf_must(pthread_key_create(&thread_tools, free_tools) == 0,
		"a thread key");
}

void
frame_prepare_sealing(void)
{
	pthread_once(&once, fetch);
}

void
frame_prepare_packing(void)
{
	zstd_functions();
}

static struct tools *
this_thread(void)
{
	pthread_once(&once, fetch);
	struct tools *t = pthread_getspecific(thread_tools);

	if (t)
		return t;
	t = xcalloc(1, sizeof(*t));
	t->gcm = EVP_CIPHER_CTX_new();
	t->unzstd = ZSTD_createDCtx();
	t->enc = -1;
	kdf_must(t->gcm && t->unzstd &&
			 EVP_CipherInit_ex2(
				 t->gcm, aes_256_gcm, NULL, NULL, 1, NULL),
		"AES-256-GCM");
	pthread_setspecific(thread_tools, t);
	return t;
}

/* -- One object's key ---------------------------------------------------- */

static const uint8_t *
key_for(const struct keyring *keys, enum object_type type)
{
	switch (type) {
	case OBJECT_DATA:
	case OBJECT_META:
		return keys->pack;
	case OBJECT_INDEX:
		return keys->index;
	case OBJECT_RECORD:
	case OBJECT_CATALOG:
	case OBJECT_GC:
		return keys->record;
	case OBJECT_DELTA:
		return keys->delta;
	}
	kdf_must(0, "an object of unknown type");
	return NULL;
}

void
object_key_init(struct object_key *k, const struct keyring *keys,
	enum object_type type, const uint8_t object_id[OBJECT_ID_LEN])
{
	uint8_t info[REPOSITORY_ID_LEN + 1];

	memcpy(k->repository_id, keys->repository_id, REPOSITORY_ID_LEN);
	memcpy(k->object_id, object_id, OBJECT_ID_LEN);
	k->type = (uint8_t)type;
	memcpy(info, keys->repository_id, REPOSITORY_ID_LEN);
	info[REPOSITORY_ID_LEN] = k->type;
	kdf_hkdf(&(struct kdf_part){ key_for(keys, type), KEY_LEN },
		&(struct kdf_part){ object_id, OBJECT_ID_LEN },
		&(struct kdf_part){ info, sizeof(info) }, k->key, KEY_LEN);
}

/* -- Compression --------------------------------------------------------- */

struct packer {
	ZSTD_CCtx *zstd;
	ZSTD_CCtx *probe; /* the fastest level, to see whether it is worth it */
	int level;
	struct buf check; /* what came out again */
};

struct packer *
packer_new(int zstd_level)
{
	struct packer *p = xcalloc(1, sizeof(*p));

	p->level = zstd_level;
	p->zstd = ZSTD_createCCtx();
	p->probe = ZSTD_createCCtx();
	kdf_must(p->zstd && p->probe, "a compressor");
	ZSTD_CCtx_setParameter(p->probe, ZSTD_c_compressionLevel, 1);
	return p;
}

void
packer_free(struct packer *p)
{
	if (!p)
		return;
	ZSTD_freeCCtx(p->zstd);
	ZSTD_freeCCtx(p->probe);
	buf_release(&p->check);
	free(p);
}

/* Exactly plain_len bytes out of exactly one zstd frame that packer_pack
 * could have made. */
static int
unzstd(const void *packed, size_t packed_len, void *plain, size_t plain_len,
	struct err *e)
{
	static const uint8_t magic[4] = { 0x28, 0xb5, 0x2f, 0xfd };

	if (packed_len < sizeof(magic) ||
		memcmp(packed, magic, sizeof(magic)) != 0)
		return err_set(e, EUCLEAN, "frame does not hold zstd data");
	if (ZSTD_getFrameContentSize(packed, packed_len) != plain_len)
		return err_set(e, EUCLEAN,
			"zstd data does not say that it holds %zu bytes",
			plain_len);
	if (ZSTD_getDictID_fromFrame(packed, packed_len) != 0)
		return err_set(e, EUCLEAN, "zstd data wants a dictionary");
	if (ZSTD_findFrameCompressedSize(packed, packed_len) != packed_len)
		return err_set(e, EUCLEAN, "zstd data is not one whole frame");
	size_t n = ZSTD_decompressDCtx(
		this_thread()->unzstd, plain, plain_len, packed, packed_len);

	if (ZSTD_isError(n))
		return err_set(e, EUCLEAN, "zstd data does not decompress: %s",
			ZSTD_getErrorName(n));
	if (n != plain_len)
		return err_set(e, EUCLEAN,
			"zstd data holds %zu bytes instead of %zu", n,
			plain_len);
	return 0;
}

/* Compressed length at `to`, or 0 when it is not worth its decompression. */
static size_t
try_compress(ZSTD_CCtx *zstd, const void *plain, size_t plain_len, uint8_t *to,
	size_t room)
{
	size_t n = ZSTD_compress2(zstd, to, room, plain, plain_len);

	if (ZSTD_isError(n) || n >= plain_len - plain_len / 64)
		return 0;
	return n;
}

#define PROBE_FROM (64u << 10)
#define PROBE_LEVEL 3
#define SAMPLES 4
#define SAMPLE_LEN 4096

/*
 * Whether neither samples nor, then, all of it gain at level 1, which passes
 * over random bytes at 7 GB/s where level 3 takes 1.6 and level 5 takes 0.2.
 */
static bool
looks_random(struct packer *p, const uint8_t *plain, size_t plain_len,
	uint8_t *scratch, size_t room)
{
	size_t step = (plain_len - SAMPLE_LEN) / (SAMPLES - 1);

	for (size_t i = 0; i < SAMPLES; i++)
		if (try_compress(p->probe, plain + i * step, SAMPLE_LEN,
			    scratch, room) != 0)
			return false;
	return try_compress(p->probe, plain, plain_len, scratch, room) == 0;
}

/* As try_compress. */
static size_t
compress(struct packer *p, int level, const void *plain, size_t plain_len,
	struct buf *out)
{
	size_t room = ZSTD_compressBound(plain_len);
	uint8_t *to = buf_reserve(out, room);

	if (plain_len >= PROBE_FROM && level >= PROBE_LEVEL &&
		looks_random(p, plain, plain_len, to, room))
		return 0;
	ZSTD_CCtx_setParameter(p->zstd, ZSTD_c_compressionLevel, level);
	return try_compress(p->zstd, plain, plain_len, to, room);
}

static int
verify_packed(struct packer *p, const void *plain, size_t plain_len,
	const struct buf *out, struct err *e)
{
	p->check.len = 0;
	uint8_t *again = buf_reserve(&p->check, plain_len);

	if (unzstd(out->data, out->len, again, plain_len, NULL) < 0 ||
		memcmp(again, plain, plain_len) != 0)
		return err_set(e, EBADMSG,
			"%zu bytes came out of compression "
			"changed; this machine's memory or zstd is broken",
			plain_len);
	return 0;
}

int
packer_pack(struct packer *p, int level, const void *plain, size_t plain_len,
	struct buf *out, enum frame_codec *codec, struct err *e)
{
	out->len = 0;
	if (plain_len > FRAME_PLAIN_MAX)
		return err_set(
			e, EINVAL, "%zu bytes do not fit a frame", plain_len);
	out->len = compress(p, level ? level : p->level, plain, plain_len, out);
	if (out->len == 0) {
		*codec = CODEC_RAW;
		buf_append(out, plain, plain_len);
		return 0;
	}
	*codec = CODEC_ZSTD;
	return verify_packed(p, plain, plain_len, out, e);
}

/* -- Sealing ------------------------------------------------------------- */

/* The key, unless the thread's cipher has it from the frame before: what is made
 * of it takes as long as some KiB. */
static const uint8_t *
new_key(struct tools *t, const struct object_key *k, int enc)
{
	if (t->enc == enc && CRYPTO_memcmp(t->key, k->key, KEY_LEN) == 0)
		return NULL;
	memcpy(t->key, k->key, KEY_LEN);
	t->enc = enc;
	return t->key;
}

/* Ready the thread's cipher for one frame; enc as EVP_CipherInit has it. */
static EVP_CIPHER_CTX *
start_gcm(const struct object_key *k, uint64_t offset,
	const uint8_t prefix[FRAME_PREFIX_LEN], int enc)
{
	struct tools *t = this_thread();
	EVP_CIPHER_CTX *gcm = t->gcm;
	uint8_t nonce[NONCE_LEN] = { 0 }, aad[AAD_LEN], *p = aad;
	int n;

	put_be64(nonce + NONCE_LEN - 8, offset);
	p = mempcpy(p, k->repository_id, REPOSITORY_ID_LEN);
	p = mempcpy(p, k->object_id, OBJECT_ID_LEN);
	*p++ = k->type;
	memcpy(p, prefix, FRAME_PREFIX_LEN);
	kdf_must(EVP_CipherInit_ex2(gcm, NULL, new_key(t, k, enc), nonce, enc,
			 NULL) &&
			 EVP_CipherUpdate(gcm, NULL, &n, aad, AAD_LEN),
		"AES-256-GCM");
	return gcm;
}

static void
encrypt(const struct object_key *k, uint64_t offset, uint8_t *frame,
	const struct buf *packed)
{
	EVP_CIPHER_CTX *gcm = start_gcm(k, offset, frame, 1);
	uint8_t *body = frame + FRAME_PREFIX_LEN;
	uint8_t *tag = body + packed->len;
	int n;

	if (packed->len > 0)
		kdf_must(EVP_EncryptUpdate(
				 gcm, body, &n, packed->data, (int)packed->len),
			"to encrypt");
	kdf_must(EVP_EncryptFinal_ex(gcm, tag, &n) &&
			 EVP_CIPHER_CTX_ctrl(gcm, EVP_CTRL_AEAD_GET_TAG,
				 FRAME_TAG_LEN, tag),
		"to encrypt");
}

/* The last step of unsealing: whether what went through gcm has this tag. */
static bool
tag_fits(EVP_CIPHER_CTX *gcm, uint8_t *tag)
{
	uint8_t none[FRAME_TAG_LEN];
	int n;

	kdf_must(EVP_CIPHER_CTX_ctrl(
			 gcm, EVP_CTRL_AEAD_SET_TAG, FRAME_TAG_LEN, tag),
		"a tag");
	if (EVP_DecryptFinal_ex(gcm, none, &n) == 1)
		return true;
	ERR_clear_error();
	return false;
}

/* Decrypt in small pieces beside packed: no second copy of a whole frame. */
static bool
decrypts_to(const struct object_key *k, uint64_t offset, uint8_t *frame,
	const struct buf *packed)
{
	EVP_CIPHER_CTX *gcm = start_gcm(k, offset, frame, 0);
	const uint8_t *body = frame + FRAME_PREFIX_LEN;
	uint8_t piece[16384];
	int n;

	for (size_t at = 0; at < packed->len; at += (size_t)n) {
		size_t left = packed->len - at;

		n = (int)(left < sizeof(piece) ? left : sizeof(piece));
		kdf_must(EVP_DecryptUpdate(gcm, piece, &n, body + at, n),
			"to decrypt");
		if (n <= 0 || memcmp(piece, packed->data + at, (size_t)n) != 0)
			return false;
	}
	return tag_fits(gcm, frame + FRAME_PREFIX_LEN + packed->len);
}

int
frame_seal(const struct object_key *k, uint64_t offset,
	struct frame_prefix *prefix, const struct buf *packed, struct buf *out,
	struct err *e)
{
	uint8_t head[FRAME_PREFIX_LEN];

	if (packed->len > FRAME_PLAIN_MAX)
		return err_set(
			e, EINVAL, "%zu bytes do not fit a frame", packed->len);
	prefix->body_len = (uint32_t)packed->len + FRAME_TAG_LEN;
	frame_prefix_encode(head, prefix);
	if (frame_prefix_decode(head, prefix, e) < 0) {
		if (e)
			e->code = EINVAL;
		return -EINVAL;
	}
	size_t len = FRAME_PREFIX_LEN + prefix->body_len;
	uint8_t *frame = buf_reserve(out, len);

	memcpy(frame, head, FRAME_PREFIX_LEN);
	encrypt(k, offset, frame, packed);
	if (!decrypts_to(k, offset, frame, packed))
		return err_set(e, EBADMSG,
			"a frame of %zu bytes came out of "
			"sealing changed; this machine's memory or OpenSSL is "
			"broken",
			len);
	out->len += len;
	return 0;
}

/* -- Unsealing ----------------------------------------------------------- */

static int
check_bounds(const uint8_t *sealed, size_t len, struct frame_prefix *prefix,
	struct err *e)
{
	if (len < FRAME_OVERHEAD)
		return err_set(
			e, EBADMSG, "frame of %zu bytes is cut off", len);
	if (frame_prefix_decode(sealed, prefix, e) < 0) {
		if (e)
			e->code = EBADMSG; /* not authenticated yet */
		return -EBADMSG;
	}
	if (prefix->body_len != len - FRAME_PREFIX_LEN)
		return err_set(e, EBADMSG,
			"frame says %u bytes follow its prefix, not %zu",
			prefix->body_len, len - FRAME_PREFIX_LEN);
	return 0;
}

/* Decrypt the body of the frame to `to` (may be the body itself). */
static int
decrypt(const struct object_key *k, uint64_t offset, uint8_t *sealed,
	size_t packed_len, uint8_t *to, struct err *e)
{
	EVP_CIPHER_CTX *gcm = start_gcm(k, offset, sealed, 0);
	uint8_t *body = sealed + FRAME_PREFIX_LEN;
	int n;

	if (packed_len > 0)
		kdf_must(EVP_DecryptUpdate(gcm, to, &n, body, (int)packed_len),
			"to decrypt");
	if (!tag_fits(gcm, body + packed_len))
		return err_set(e, EBADMSG,
			"frame at %llu does not authenticate",
			(unsigned long long)offset);
	return 0;
}

static uint8_t *
result_alloc(const struct frame_prefix *prefix)
{
	return xmalloc(prefix->plain_len ? prefix->plain_len : 1);
}

int
frame_unseal_packed(const struct object_key *k, uint64_t offset,
	uint8_t *sealed, size_t len, struct frame_prefix *prefix,
	struct err *e)
{
	int r = check_bounds(sealed, len, prefix, e);

	return r < 0 ? r
		     : decrypt(k, offset, sealed,
			       prefix->body_len - FRAME_TAG_LEN,
			       sealed + FRAME_PREFIX_LEN, e);
}

int
frame_unseal(const struct object_key *k, uint64_t offset, uint8_t *sealed,
	size_t len, struct frame_prefix *prefix, uint8_t **plain, struct err *e)
{
	auto_free uint8_t *result = NULL;
	uint8_t *body = sealed + FRAME_PREFIX_LEN;
	int r = check_bounds(sealed, len, prefix, e);

	if (r < 0)
		return r;
	size_t packed_len = prefix->body_len - FRAME_TAG_LEN;

	if (prefix->codec == CODEC_RAW) {
		result = result_alloc(prefix);
		r = decrypt(k, offset, sealed, packed_len, result, e);
	} else {
		r = decrypt(k, offset, sealed, packed_len, body, e);
		if (r < 0)
			return r;
		result = result_alloc(prefix);
		r = unzstd(body, packed_len, result, prefix->plain_len, e);
	}
	if (r == 0)
		*plain = steal(result);
	return r;
}
