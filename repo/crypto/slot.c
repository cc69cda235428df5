/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A slot is one fixed structure (FORMAT, "Key slots"):
 *
 *   magic 8 | version u16 | type u8 | log_n u8 | r u32 | p u32 | salt 32
 *   | sealed root 32 | tag 16 | commitment 32
 *
 * AES-GCM alone can be made to open under two keys; the HMAC under a second
 * key from the same derivation commits to one passphrase, so that a store
 * cannot try many guesses with one slot.
 */
#include "repo/crypto/slot.h"

#include <errno.h>
#include <string.h>
#include "repo/base/bytes.h"
#include "repo/crypto/kdf.h"
#include "repo/crypto/openssl.h"

#define MAGIC "YORESLOT"
#define LABEL "yore/1/slot"
#define OPEN_SECRET "yore/1/open-slot"
#define VERSION 1
#define SALT_LEN 32
#define TAG_LEN 16

#define LOG_N_MIN 15
#define LOG_N_MAX 20
#define SCRYPT_R 8
#define SCRYPT_P 1
#define SCRYPT_P_MAX 4
#define KEYFILE_MIN 32

/* Offsets */
#define TYPE_AT 10
#define LOG_N_AT 11
#define R_AT 12
#define P_AT 16
#define SALT_AT 20
#define BODY_AT 52
#define TAG_AT (BODY_AT + KEY_LEN)
#define COMMITMENT_AT (TAG_AT + TAG_LEN)
_Static_assert(COMMITMENT_AT + KDF_MAC_LEN == SLOT_LEN, "slot layout");

/* What a secret is stretched to; in secret memory. */
struct slot_keys {
	uint8_t kek[KEY_LEN];
	uint8_t commit[KEY_LEN];
};
_Static_assert(sizeof(struct slot_keys) == 2 * KEY_LEN, "no padding");

static void
slot_keys_auto_(struct slot_keys **keys)
{
	secret_free(*keys, sizeof(**keys));
}
#define auto_slot_keys AUTO(slot_keys_auto_)

/* -- Deriving ------------------------------------------------------------ */

static int
scrypt(const struct slot_secret *secret, const uint8_t *slot,
	const uint8_t *salt, size_t salt_len, struct slot_keys *keys,
	struct err *e)
{
	uint64_t n = 1ull << slot[LOG_N_AT];
	uint32_t r = get_be32(slot + R_AT), p = get_be32(slot + P_AT);
	uint64_t memory = 128ull * r * (n + p + 2) + 4096;
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_PASSWORD,
			(void *)(uintptr_t)secret->bytes, secret->len),
		OSSL_PARAM_construct_octet_string(
			OSSL_KDF_PARAM_SALT, (void *)(uintptr_t)salt, salt_len),
		OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_N, &n),
		OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_R, &r),
		OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_P, &p),
		OSSL_PARAM_construct_uint64(
			OSSL_KDF_PARAM_SCRYPT_MAXMEM, &memory),
		OSSL_PARAM_construct_end(),
	};
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "SCRYPT", NULL);
	EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(kdf);
	bool ok = ctx &&
		  EVP_KDF_derive(ctx, keys->kek, sizeof(*keys), params) == 1;

	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
	if (ok)
		return 0;
	ERR_clear_error();
	return err_set(e, ENOMEM,
		"no memory to stretch the passphrase: "
		"scrypt with log N = %u takes %llu MiB",
		slot[LOG_N_AT], (unsigned long long)(memory >> 20));
}

/* KEK || KC from the secret and the slot's header */
static int
derive(const uint8_t repository_id[REPOSITORY_ID_LEN], const uint8_t *slot,
	const struct slot_secret *secret, struct slot_keys *keys, struct err *e)
{
	uint8_t salt[sizeof(LABEL) - 1 + REPOSITORY_ID_LEN + SALT_LEN];
	uint8_t *id = salt + sizeof(LABEL) - 1;
	struct kdf_part ikm = { secret->bytes, secret->len };

	memcpy(salt, LABEL, sizeof(LABEL) - 1);
	memcpy(id, repository_id, REPOSITORY_ID_LEN);
	memcpy(id + REPOSITORY_ID_LEN, slot + SALT_AT, SALT_LEN);
	if (secret->type == SLOT_SCRYPT)
		return scrypt(secret, slot, salt, sizeof(salt), keys, e);
	if (secret->type == SLOT_OPEN)
		ikm = (struct kdf_part){ OPEN_SECRET, strlen(OPEN_SECRET) };
	kdf_hkdf(&ikm, &(struct kdf_part){ id, REPOSITORY_ID_LEN + SALT_LEN },
		&(struct kdf_part){ LABEL, strlen(LABEL) }, keys->kek,
		sizeof(*keys));
	return 0;
}

static void
commitment(const struct slot_keys *keys, const uint8_t *slot,
	uint8_t mac[KDF_MAC_LEN])
{
	kdf_hmac(keys->commit, &(struct kdf_part){ slot, COMMITMENT_AT }, 1,
		mac);
}

/* -- Sealing the root secret --------------------------------------------- */

static const uint8_t nonce[12]; /* zero: every KEK seals one thing */

static void
seal_root(const struct slot_keys *keys, const uint8_t root[KEY_LEN],
	uint8_t *slot)
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	int n;

	kdf_must(c &&
			 EVP_EncryptInit_ex2(c, EVP_aes_256_gcm(), keys->kek,
				 nonce, NULL) &&
			 EVP_EncryptUpdate(c, NULL, &n, slot, BODY_AT) &&
			 EVP_EncryptUpdate(
				 c, slot + BODY_AT, &n, root, KEY_LEN) &&
			 EVP_EncryptFinal_ex(c, slot + TAG_AT, &n) &&
			 EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, TAG_LEN,
				 slot + TAG_AT),
		"to seal a key slot");
	EVP_CIPHER_CTX_free(c);
}

static bool
unseal_root(const struct slot_keys *keys, const uint8_t *slot,
	uint8_t root[KEY_LEN])
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	uint8_t tag[TAG_LEN];
	int n;

	memcpy(tag, slot + TAG_AT, TAG_LEN);
	kdf_must(c &&
			 EVP_DecryptInit_ex2(c, EVP_aes_256_gcm(), keys->kek,
				 nonce, NULL) &&
			 EVP_DecryptUpdate(c, NULL, &n, slot, BODY_AT) &&
			 EVP_DecryptUpdate(
				 c, root, &n, slot + BODY_AT, KEY_LEN) &&
			 EVP_CIPHER_CTX_ctrl(
				 c, EVP_CTRL_AEAD_SET_TAG, TAG_LEN, tag),
		"to unseal a key slot");
	bool ok = EVP_DecryptFinal_ex(c, tag, &n) == 1;

	EVP_CIPHER_CTX_free(c);
	if (!ok) {
		ERR_clear_error();
		secret_wipe(root, KEY_LEN);
	}
	return ok;
}

/* -- Making -------------------------------------------------------------- */

static int
check_secret(const struct slot_secret *s, struct err *e)
{
	if (s->type == SLOT_OPEN)
		return 0;
	if (s->type == SLOT_KEYFILE && s->len < KEYFILE_MIN)
		return err_set(e, EINVAL,
			"a key file of %zu bytes is too "
			"short; it needs at least %d random bytes",
			s->len, KEYFILE_MIN);
	if (s->type == SLOT_KEYFILE)
		return 0;
	if (s->type != SLOT_SCRYPT)
		return err_set(e, EINVAL, "no key slot of type %d exists",
			(int)s->type);
	if (s->len == 0)
		return err_set(e, EINVAL, "the passphrase is empty");
	if (s->log_n != 0 && (s->log_n < LOG_N_MIN || s->log_n > LOG_N_MAX))
		return err_set(e, EINVAL,
			"scrypt with log N = %u is refused; "
			"%d to %d are possible",
			s->log_n, LOG_N_MIN, LOG_N_MAX);
	return 0;
}

static void
make_header(const struct slot_secret *secret, uint8_t slot[SLOT_LEN])
{
	memset(slot, 0, SLOT_LEN);
	memcpy(slot, MAGIC, 8);
	put_be16(slot + 8, VERSION);
	slot[TYPE_AT] = (uint8_t)secret->type;
	if (secret->type == SLOT_SCRYPT) {
		slot[LOG_N_AT] = (uint8_t)(secret->log_n ? secret->log_n
							 : SLOT_LOG_N_DEFAULT);
		put_be32(slot + R_AT, SCRYPT_R);
		put_be32(slot + P_AT, SCRYPT_P);
	}
	random_bytes(slot + SALT_AT, SALT_LEN);
}

int
slot_make(const uint8_t repository_id[REPOSITORY_ID_LEN],
	const uint8_t root[KEY_LEN], const struct slot_secret *secret,
	struct buf *out, struct err *e)
{
	auto_slot_keys struct slot_keys *keys = secret_alloc(sizeof(*keys));
	uint8_t slot[SLOT_LEN];
	int r = check_secret(secret, e);

	if (r < 0)
		return r;
	make_header(secret, slot);
	r = derive(repository_id, slot, secret, keys, e);
	if (r < 0)
		return r;
	seal_root(keys, root, slot);
	commitment(keys, slot, slot + COMMITMENT_AT);
	buf_append(out, slot, SLOT_LEN);
	return 0;
}

/* -- Opening ------------------------------------------------------------- */

int
slot_type(const uint8_t *slot, size_t len, enum slot_type *type, struct err *e)
{
	if (len < TYPE_AT || memcmp(slot, MAGIC, 8) != 0)
		return err_set(e, EUCLEAN, "not a key slot");
	if (get_be16(slot + 8) > VERSION)
		return err_set(e, EPROTONOSUPPORT,
			"a key slot of version %u needs a newer yore",
			get_be16(slot + 8));
	if (get_be16(slot + 8) != VERSION)
		return err_set(e, EUCLEAN, "a key slot of version 0");
	if (len != SLOT_LEN)
		return err_set(e, EUCLEAN,
			"a key slot of %zu bytes instead of %d", len, SLOT_LEN);
	if (slot[TYPE_AT] > SLOT_KEYFILE)
		return err_set(e, EUCLEAN, "a key slot of unknown type %u",
			slot[TYPE_AT]);
	*type = slot[TYPE_AT];
	return 0;
}

static int
check_parameters(const uint8_t *slot, enum slot_type type, struct err *e)
{
	unsigned log_n = slot[LOG_N_AT];
	uint32_t r = get_be32(slot + R_AT), p = get_be32(slot + P_AT);
	bool ok = type == SLOT_SCRYPT
			  ? log_n >= LOG_N_MIN && log_n <= LOG_N_MAX &&
				    r == SCRYPT_R && p >= 1 && p <= SCRYPT_P_MAX
			  : log_n == 0 && r == 0 && p == 0;

	if (ok)
		return 0;
	return err_set(e, EUCLEAN,
		"a key slot with parameters out of bounds "
		"(log N %u, r %u, p %u)",
		log_n, r, p);
}

static const char *
wanted(enum slot_type type)
{
	switch (type) {
	case SLOT_OPEN:
		return "no secret";
	case SLOT_SCRYPT:
		return "a passphrase";
	case SLOT_KEYFILE:
		return "a key file";
	}
	return "something else";
}

static const char *
misfit(enum slot_type type)
{
	switch (type) {
	case SLOT_OPEN:
		return "the open key slot is damaged or belongs to another "
		       "repository";
	case SLOT_SCRYPT:
		return "wrong passphrase (or a damaged key slot)";
	case SLOT_KEYFILE:
		return "wrong key file (or a damaged key slot)";
	}
	return "wrong secret";
}

int
slot_open(const uint8_t repository_id[REPOSITORY_ID_LEN], const uint8_t *slot,
	size_t len, const struct slot_secret *secret, uint8_t root[KEY_LEN],
	struct err *e)
{
	auto_slot_keys struct slot_keys *keys = secret_alloc(sizeof(*keys));
	uint8_t mac[KDF_MAC_LEN];
	enum slot_type type;
	int r = slot_type(slot, len, &type, e);

	if (r == 0)
		r = check_parameters(slot, type, e);
	if (r < 0)
		return r;
	if (type != secret->type)
		return err_set(e, EKEYREJECTED,
			"this key slot takes %s, not %s", wanted(type),
			wanted(secret->type));
	if (type != SLOT_OPEN && secret->len == 0)
		return err_set(
			e, EKEYREJECTED, "%s, and it is empty", misfit(type));
	r = derive(repository_id, slot, secret, keys, e);
	if (r < 0)
		return r;
	commitment(keys, slot, mac);
	if (CRYPTO_memcmp(mac, slot + COMMITMENT_AT, KDF_MAC_LEN) != 0 ||
		!unseal_root(keys, slot, root))
		return err_set(e, EKEYREJECTED, "%s", misfit(type));
	return 0;
}
