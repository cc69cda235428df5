/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/crypto/id.h"

#include <string.h>
#include "repo/base/bytes.h"
#include "repo/crypto/kdf.h"
#include "repo/crypto/openssl.h"

void
chunk_id(const struct keyring *k, enum chunk_type type, const void *data,
	size_t len, uint8_t id[CHUNK_ID_LEN])
{
	uint8_t head[9], mac[KDF_MAC_LEN];
	const struct kdf_part parts[] = { { head, sizeof(head) },
		{ data, len } };

	head[0] = (uint8_t)type;
	put_be64(head + 1, len);
	kdf_hmac(k->id, parts, n_elements(parts), mac);
	memcpy(id, mac, CHUNK_ID_LEN);
}

void
source_key(const struct keyring *k, const char *host, const char *name,
	uint8_t key[SOURCE_KEY_LEN])
{
	uint8_t mac[KDF_MAC_LEN];
	const struct kdf_part parts[] = { { "source", 6 },
		{ host, strlen(host) + 1 }, { name, strlen(name) } };

	kdf_hmac(k->record, parts, n_elements(parts), mac);
	memcpy(key, mac, SOURCE_KEY_LEN);
}

void
delta_id(const struct keyring *k, const uint8_t writer[WRITER_ID_LEN],
	const uint8_t base[OBJECT_ID_LEN], uint64_t n,
	uint8_t id[OBJECT_ID_LEN])
{
	uint8_t number[8], mac[KDF_MAC_LEN];
	const struct kdf_part parts[] = { { "delta", 5 },
		{ writer, WRITER_ID_LEN }, { base, OBJECT_ID_LEN },
		{ number, sizeof(number) } };

	put_be64(number, n);
	kdf_hmac(k->delta, parts, n_elements(parts), mac);
	memcpy(id, mac, OBJECT_ID_LEN);
}

void
page_hash(const struct keyring *k, uint32_t pgno, const void *page, size_t len,
	uint8_t hash[PAGE_HASH_LEN])
{
	uint8_t number[4], mac[KDF_MAC_LEN];
	const struct kdf_part parts[] = { { number, sizeof(number) },
		{ page, len } };

	put_be32(number, pgno);
	kdf_hmac(k->page, parts, n_elements(parts), mac);
	memcpy(hash, mac, PAGE_HASH_LEN);
}

void
sha256(const void *data, size_t len, uint8_t hash[HASH_LEN])
{
	kdf_must(EVP_Digest(data, len, hash, NULL, EVP_sha256(), NULL),
		"SHA-256");
}

void
header_mac(const struct keyring *k, const void *data, size_t len,
	uint8_t mac[HASH_LEN])
{
	kdf_hmac(k->record, &(struct kdf_part){ data, len }, 1, mac);
}

void
cut_table(const struct keyring *k, const char *label, uint64_t *table, size_t n)
{
	uint8_t count[4], block[KDF_MAC_LEN];
	const size_t per_block = sizeof(block) / sizeof(*table);
	const struct kdf_part parts[] = { { label, strlen(label) },
		{ count, sizeof(count) } };

	for (size_t i = 0; i < n; i++) {
		if (i % per_block == 0) {
			put_be32(count, (uint32_t)(i / per_block));
			kdf_hmac(k->cut, parts, n_elements(parts), block);
		}
		table[i] = get_be64(block + i % per_block * sizeof(*table));
	}
	secret_wipe(block, sizeof(block));
}
