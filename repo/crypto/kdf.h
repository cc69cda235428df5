/* SPDX-License-Identifier: GPL-2.0-or-later */
/* HMAC-SHA-256 and HKDF-SHA-256 (RFC 2104, RFC 5869), for crypto/
 * and the listings of repo/cache. */
#ifndef YORE_CRYPTO_KDF_H
#define YORE_CRYPTO_KDF_H

#include <stddef.h>
#include <stdint.h>

#define KDF_MAC_LEN 32

struct kdf_part {
	const void *data;
	size_t len;
};

/* HMAC-SHA-256 of the n parts, one after the other, under a 32-byte key. */
void kdf_hmac(const uint8_t key[KDF_MAC_LEN], const struct kdf_part *parts,
	size_t n, uint8_t mac[KDF_MAC_LEN]);

/* len bytes (at most 255 * 32) of HKDF-SHA-256; ikm is not empty. */
void kdf_hkdf(const struct kdf_part *ikm, const struct kdf_part *salt,
	const struct kdf_part *info, uint8_t *out, size_t len);

/* Log what OpenSSL refused and abort, unless ok: for calls that fail only when
 * memory is gone or the library is broken. */
void kdf_must(int ok, const char *what);

#endif
