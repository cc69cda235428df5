/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The algorithms are fetched once for the process; each thread keeps one MAC
 * context, since making one costs more than hashing a small chunk.
 */
#include "repo/crypto/kdf.h"

#include <pthread.h>
#include <stdlib.h>
#include "repo/base/log.h"
#include "repo/crypto/openssl.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t thread_mac;
static EVP_MAC *hmac;
static EVP_KDF *hkdf;
static char digest[] = "SHA256";

void
kdf_must(int ok, const char *what)
{
	if (ok)
		return;
	log_error("OpenSSL refuses %s; giving up", what);
	abort();
}

static void
free_mac(void *mac)
{
	EVP_MAC_CTX_free(mac);
}

static void
fetch(void)
{
	/* Threads may still unseal while main returns. */
	OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL);
	hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	hkdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	kdf_must(hmac && hkdf, "HMAC and HKDF");
	kdf_must(
		pthread_key_create(&thread_mac, free_mac) == 0, "a thread key");
}

static EVP_MAC_CTX *
this_thread_mac(void)
{
	pthread_once(&once, fetch);
	EVP_MAC_CTX *mac = pthread_getspecific(thread_mac);

	if (mac)
		return mac;
	mac = EVP_MAC_CTX_new(hmac);
	kdf_must(mac != NULL, "HMAC");
	const OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(
			OSSL_MAC_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_end(),
	};
	kdf_must(EVP_MAC_CTX_set_params(mac, params), "SHA-256");
	pthread_setspecific(thread_mac, mac);
	return mac;
}

void
kdf_hmac(const uint8_t key[KDF_MAC_LEN], const struct kdf_part *parts, size_t n,
	uint8_t mac[KDF_MAC_LEN])
{
	EVP_MAC_CTX *ctx = this_thread_mac();
	size_t len = 0;

	kdf_must(EVP_MAC_init(ctx, key, KDF_MAC_LEN, NULL), "an HMAC key");
	for (size_t i = 0; i < n; i++)
		kdf_must(EVP_MAC_update(ctx, parts[i].data, parts[i].len),
			"HMAC input");
	kdf_must(EVP_MAC_final(ctx, mac, &len, KDF_MAC_LEN), "an HMAC");
}

/* OSSL_PARAM has no const, but reads what it is given. */
static OSSL_PARAM
octets(const char *name, const struct kdf_part *p)
{
	return OSSL_PARAM_construct_octet_string(
		name, (void *)(uintptr_t)p->data, p->len);
}

void
kdf_hkdf(const struct kdf_part *ikm, const struct kdf_part *salt,
	const struct kdf_part *info, uint8_t *out, size_t len)
{
	pthread_once(&once, fetch);
	EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(hkdf);
	const OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(
			OSSL_KDF_PARAM_DIGEST, digest, 0),
		octets(OSSL_KDF_PARAM_KEY, ikm),
		octets(OSSL_KDF_PARAM_SALT, salt),
		octets(OSSL_KDF_PARAM_INFO, info),
		OSSL_PARAM_construct_end(),
	};

	kdf_must(ctx && EVP_KDF_derive(ctx, out, len, params), "HKDF");
	EVP_KDF_CTX_free(ctx);
}
