/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * OpenSSL when it is needed (repo/base/library.h): of what a program waits for
 * before its main(), it is the most.
 */
#ifndef YORE_CRYPTO_OPENSSL_H
#define YORE_CRYPTO_OPENSSL_H

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include "repo/base/library.h"

/* clang-format off */
#define OPENSSL_FUNCTIONS(F) \
	F(CRYPTO_memcmp) F(ERR_clear_error) F(EVP_CIPHER_CTX_ctrl) \
	F(EVP_CIPHER_CTX_free) F(EVP_CIPHER_CTX_new) F(EVP_CIPHER_fetch) \
	F(EVP_CipherInit_ex2) F(EVP_CipherUpdate) F(EVP_DecryptFinal_ex) \
	F(EVP_DecryptInit_ex2) F(EVP_DecryptUpdate) F(EVP_Digest) \
	F(EVP_EncodeBlock) F(EVP_EncryptFinal_ex) F(EVP_EncryptInit_ex2) \
	F(EVP_EncryptUpdate) F(EVP_KDF_CTX_free) F(EVP_KDF_CTX_new) \
	F(EVP_KDF_derive) F(EVP_KDF_fetch) F(EVP_KDF_free) \
	F(EVP_MAC_CTX_free) F(EVP_MAC_CTX_new) F(EVP_MAC_CTX_set_params) \
	F(EVP_MAC_fetch) F(EVP_MAC_final) F(EVP_MAC_init) F(EVP_MAC_update) \
	F(EVP_aes_256_gcm) F(EVP_md5) F(EVP_sha256) F(HMAC) \
	F(OPENSSL_init_crypto) F(OSSL_PARAM_construct_end) \
	F(OSSL_PARAM_construct_octet_string) F(OSSL_PARAM_construct_uint32) \
	F(OSSL_PARAM_construct_uint64) F(OSSL_PARAM_construct_utf8_string)
/* clang-format on */

struct openssl_functions {
	OPENSSL_FUNCTIONS(LIBRARY_POINTER)
};

/* Whatever is called loads it; without it nothing goes on. */
const struct openssl_functions *openssl_functions(void);
#define CRYPTO_memcmp openssl_functions()->CRYPTO_memcmp
#define ERR_clear_error openssl_functions()->ERR_clear_error
#define EVP_CIPHER_CTX_ctrl openssl_functions()->EVP_CIPHER_CTX_ctrl
#define EVP_CIPHER_CTX_free openssl_functions()->EVP_CIPHER_CTX_free
#define EVP_CIPHER_CTX_new openssl_functions()->EVP_CIPHER_CTX_new
#define EVP_CIPHER_fetch openssl_functions()->EVP_CIPHER_fetch
#define EVP_CipherInit_ex2 openssl_functions()->EVP_CipherInit_ex2
#define EVP_CipherUpdate openssl_functions()->EVP_CipherUpdate
#define EVP_DecryptFinal_ex openssl_functions()->EVP_DecryptFinal_ex
#define EVP_DecryptInit_ex2 openssl_functions()->EVP_DecryptInit_ex2
#define EVP_DecryptUpdate openssl_functions()->EVP_DecryptUpdate
#define EVP_Digest openssl_functions()->EVP_Digest
#define EVP_EncodeBlock openssl_functions()->EVP_EncodeBlock
#define EVP_EncryptFinal_ex openssl_functions()->EVP_EncryptFinal_ex
#define EVP_EncryptInit_ex2 openssl_functions()->EVP_EncryptInit_ex2
#define EVP_EncryptUpdate openssl_functions()->EVP_EncryptUpdate
#define EVP_KDF_CTX_free openssl_functions()->EVP_KDF_CTX_free
#define EVP_KDF_CTX_new openssl_functions()->EVP_KDF_CTX_new
#define EVP_KDF_derive openssl_functions()->EVP_KDF_derive
#define EVP_KDF_fetch openssl_functions()->EVP_KDF_fetch
#define EVP_KDF_free openssl_functions()->EVP_KDF_free
#define EVP_MAC_CTX_free openssl_functions()->EVP_MAC_CTX_free
#define EVP_MAC_CTX_new openssl_functions()->EVP_MAC_CTX_new
#define EVP_MAC_CTX_set_params openssl_functions()->EVP_MAC_CTX_set_params
#define EVP_MAC_fetch openssl_functions()->EVP_MAC_fetch
#define EVP_MAC_final openssl_functions()->EVP_MAC_final
#define EVP_MAC_init openssl_functions()->EVP_MAC_init
#define EVP_MAC_update openssl_functions()->EVP_MAC_update
#define EVP_aes_256_gcm openssl_functions()->EVP_aes_256_gcm
#define EVP_md5 openssl_functions()->EVP_md5
#define EVP_sha256 openssl_functions()->EVP_sha256
#define HMAC openssl_functions()->HMAC
#define OPENSSL_init_crypto openssl_functions()->OPENSSL_init_crypto
#define OSSL_PARAM_construct_end openssl_functions()->OSSL_PARAM_construct_end
#define OSSL_PARAM_construct_octet_string openssl_functions()->OSSL_PARAM_construct_octet_string
#define OSSL_PARAM_construct_uint32 openssl_functions()->OSSL_PARAM_construct_uint32
#define OSSL_PARAM_construct_uint64 openssl_functions()->OSSL_PARAM_construct_uint64
#define OSSL_PARAM_construct_utf8_string openssl_functions()->OSSL_PARAM_construct_utf8_string

#endif
