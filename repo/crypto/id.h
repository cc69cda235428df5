/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Chunk ids: keyed hashes that name content (FORMAT, "Chunk ids"). */
#ifndef YORE_CRYPTO_ID_H
#define YORE_CRYPTO_ID_H

#include <stddef.h>
#include <stdint.h>
#include "repo/crypto/keyring.h"

enum chunk_type { CHUNK_DATA = 1, CHUNK_PAGE = 2, CHUNK_XATTRS = 3 };

/* first 20 bytes of HMAC-SHA256(K(id), type || u64 length || plaintext) */
void chunk_id(const struct keyring *k, enum chunk_type type, const void *data,
	size_t len, uint8_t id[CHUNK_ID_LEN]);

/* A source's directory below snap/: first 10 bytes of HMAC-SHA256(K(record),
 * "source" || host || 0 || name), so that the store learns no name. */
#define SOURCE_KEY_LEN 10
void source_key(const struct keyring *k, const char *host, const char *name,
	uint8_t key[SOURCE_KEY_LEN]);

/*
 * The id of a delta of a database: first 16 bytes of HMAC-SHA256(K(delta),
 * "delta" || writer || base || u64 n).  It is not drawn but follows from what
 * is drawn, the writer's id: whoever knows that knows the ids of all deltas of
 * one writer.  A writer id never makes two deltas n of one base.
 */
#define WRITER_ID_LEN 16
void delta_id(const struct keyring *k, const uint8_t writer[WRITER_ID_LEN],
	const uint8_t base[OBJECT_ID_LEN], uint64_t n,
	uint8_t id[OBJECT_ID_LEN]);

/* A page of a database: first 16 bytes of HMAC-SHA256(K(page), u32 number ||
 * bytes). */
#define PAGE_HASH_LEN 16
void page_hash(const struct keyring *k, uint32_t pgno, const void *page,
	size_t len, uint8_t hash[PAGE_HASH_LEN]);

/* SHA-256 of sealed bytes, for the chain of records. */
#define HASH_LEN 32
void sha256(const void *data, size_t len, uint8_t hash[HASH_LEN]);
/* HMAC-SHA256 under K(record) of the clear repository header. */
void header_mac(const struct keyring *k, const void *data, size_t len,
	uint8_t mac[HASH_LEN]);

/*
 * Fill a table of 64-bit values from K(cut) and a label by HMAC in counter
 * mode: block i = HMAC-SHA256(K(cut), label || u32 i), each block four
 * big-endian values, i from 0 (FORMAT, "Chunk ids").
 */
void cut_table(const struct keyring *k, const char *label, uint64_t *table,
	size_t n);

#endif
