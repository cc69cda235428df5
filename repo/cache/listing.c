/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A listing as it is kept: a random id of 16 bytes, then one frame, sealed as
 * the frame at 16 of an object of that id whose key follows from K(cache).  Its
 * plaintext: u64 time || varint n || for each name: varint length and name,
 * varint size.
 */
#include "repo/cache/listing.h"

#include <errno.h>
#include <string.h>
#include "repo/base/bytes.h"
#include "repo/crypto/kdf.h"
#include "repo/crypto/seal.h"

#define LISTING_TYPE 0x80 /* of no object in a store */
#define NAME_MAX_LEN 200

void
cache_listing_release(struct cache_listing *l)
{
	buf_release(&l->names);
	l->n = 0;
}

void
cache_listing_add(struct cache_listing *l, const char *name, uint64_t size)
{
	buf_bytes(&l->names, name, strlen(name));
	buf_varint(&l->names, size);
	l->n++;
}

static char *
name_of(const char *prefix)
{
	return xasprintf("listing/%s", prefix);
}

/* The prefix is part of the key: a listing does not pass for another. */
static void
derive(struct object_key *k, const struct keyring *keys, const char *prefix,
	const uint8_t id[OBJECT_ID_LEN])
{
	auto_free char *info = xasprintf("yore/1/listing/%s", prefix);
	const struct kdf_part ikm = { keys->cache, KEY_LEN };
	const struct kdf_part salt = { id, OBJECT_ID_LEN };
	const struct kdf_part label = { info, strlen(info) };

	kdf_hkdf(&ikm, &salt, &label, k->key, KEY_LEN);
	memcpy(k->repository_id, keys->repository_id, REPOSITORY_ID_LEN);
	memcpy(k->object_id, id, OBJECT_ID_LEN);
	k->type = LISTING_TYPE;
}

static int
seal(const struct object_key *k, const struct buf *plain, struct buf *out)
{
	struct frame_prefix prefix = { .type = FRAME_CATALOG,
		.plain_len = (uint32_t)plain->len };
	auto_buf struct buf packed = BUF_INIT;
	struct packer *p = packer_new(1);
	enum frame_codec codec;
	int r = packer_pack(
		p, 0, plain->data, plain->len, &packed, &codec, NULL);

	packer_free(p);
	prefix.codec = (uint8_t)codec;
	return r < 0 ? r
		     : frame_seal(
			       k, OBJECT_ID_LEN, &prefix, &packed, out, NULL);
}

void
cache_listing_put(struct cache *c, const struct keyring *keys,
	const char *prefix, const struct cache_listing *l, int64_t time_ns)
{
	auto_buf struct buf plain = BUF_INIT, sealed = BUF_INIT;
	auto_free char *name = name_of(prefix);
	uint8_t id[OBJECT_ID_LEN];
	struct object_key k;

	buf_be64(&plain, (uint64_t)time_ns);
	buf_varint(&plain, l->n);
	if (l->names.len > FRAME_PLAIN_MAX - plain.len)
		return;
	buf_append(&plain, l->names.data, l->names.len);
	random_bytes(id, sizeof(id));
	derive(&k, keys, prefix, id);
	buf_append(&sealed, id, sizeof(id));
	if (seal(&k, &plain, &sealed) == 0)
		cache_put(c, name, sealed.data, sealed.len);
	secret_wipe(&k, sizeof(k));
}

static int
unseal(const struct keyring *keys, const char *prefix, uint8_t *sealed,
	size_t len, uint8_t **plain, size_t *plain_len)
{
	struct frame_prefix p;
	struct object_key k;
	int r;

	if (len < OBJECT_ID_LEN + FRAME_OVERHEAD)
		return -EBADMSG;
	derive(&k, keys, prefix, sealed);
	r = frame_unseal(&k, OBJECT_ID_LEN, sealed + OBJECT_ID_LEN,
		len - OBJECT_ID_LEN, &p, plain, NULL);
	secret_wipe(&k, sizeof(k));
	*plain_len = r == 0 ? p.plain_len : 0;
	return r;
}

/* What was sealed is as it was made; bad means a newer program made it. */
static int
tell(const uint8_t *plain, size_t len,
	bool (*each)(void *ctx, const char *name, uint64_t size), void *ctx,
	int64_t *time_ns)
{
	struct reader rd = reader_of(plain, len);
	uint64_t time = read_be64(&rd), n = read_varint(&rd);

	if (time_ns)
		*time_ns = (int64_t)time;
	for (bool more = true; more && n > 0 && !rd.bad; n--) {
		char name[NAME_MAX_LEN + 1];
		size_t name_len;
		const uint8_t *p = read_blob(&rd, NAME_MAX_LEN, &name_len);
		uint64_t size = read_varint(&rd);

		if (!p || rd.bad)
			return -ENOENT;
		memcpy(name, p, name_len);
		name[name_len] = '\0';
		more = each(ctx, name, size);
	}
	return rd.bad ? -ENOENT : 0;
}

int
cache_listing_get(struct cache *c, const struct keyring *keys,
	const char *prefix,
	bool (*each)(void *ctx, const char *name, uint64_t size), void *ctx,
	int64_t *time_ns)
{
	auto_free char *name = name_of(prefix);
	auto_free uint8_t *sealed = NULL, *plain = NULL;
	size_t len, plain_len;

	if (cache_get(c, name, FRAME_SEALED_MAX + OBJECT_ID_LEN, &sealed,
		    &len) < 0)
		return -ENOENT;
	if (unseal(keys, prefix, sealed, len, &plain, &plain_len) < 0) {
		cache_forget(c, name, 0, UINT64_MAX);
		return -ENOENT;
	}
	return tell(plain, plain_len, each, ctx, time_ns);
}
