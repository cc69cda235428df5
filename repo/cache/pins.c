/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A sealed name, in hexadecimal: 16 bytes of HMAC-SHA-256 of the name under
 * K(cache), then one raw frame that holds it, sealed as the frame at 16 of an
 * object whose id these bytes are and whose key follows from K(cache) and them.
 * So a key seals one name only, and a name makes the same bytes each time.
 */
#include "repo/cache/pins.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/base/hex.h"
#include "repo/crypto/kdf.h"
#include "repo/crypto/seal.h"

#define PIN_TYPE 0x81 /* of no object in a store */
#define SEALED_MAX (OBJECT_ID_LEN + FRAME_OVERHEAD + PIN_NAME_MAX)

static const char label[] = "yore/1/pin";

static void
derive(struct object_key *k, const struct keyring *keys,
	const uint8_t id[OBJECT_ID_LEN])
{
	const struct kdf_part ikm = { keys->cache, KEY_LEN };
	const struct kdf_part salt = { id, OBJECT_ID_LEN };
	const struct kdf_part info = { label, sizeof(label) - 1 };

	kdf_hkdf(&ikm, &salt, &info, k->key, KEY_LEN);
	memcpy(k->repository_id, keys->repository_id, REPOSITORY_ID_LEN);
	memcpy(k->object_id, id, OBJECT_ID_LEN);
	k->type = PIN_TYPE;
}

static void
id_of(const struct keyring *keys, const char *name, uint8_t id[OBJECT_ID_LEN])
{
	const struct kdf_part parts[] = { { label, sizeof(label) },
		{ name, strlen(name) } };
	uint8_t mac[KDF_MAC_LEN];

	kdf_hmac(keys->cache, parts, 2, mac);
	memcpy(id, mac, OBJECT_ID_LEN);
}

/* *text is given. */
static int
seal(const struct keyring *keys, const char *name, char **text, struct err *e)
{
	auto_buf struct buf packed = BUF_INIT, sealed = BUF_INIT;
	struct frame_prefix prefix = { .type = FRAME_CATALOG,
		.codec = CODEC_RAW };
	uint8_t id[OBJECT_ID_LEN];
	struct object_key k;
	size_t len = strlen(name);
	int r;

	if (len < 1 || len > PIN_NAME_MAX)
		return err_set(e, EINVAL, "a pin's name has 1 to %d bytes",
			PIN_NAME_MAX);
	prefix.plain_len = (uint32_t)len;
	buf_append(&packed, name, len);
	id_of(keys, name, id);
	buf_append(&sealed, id, sizeof(id));
	derive(&k, keys, id);
	r = frame_seal(&k, OBJECT_ID_LEN, &prefix, &packed, &sealed, e);
	secret_wipe(&k, sizeof(k));
	if (r == 0)
		*text = hex_encode(
			xmalloc(2 * sealed.len + 1), sealed.data, sealed.len);
	return r;
}

/* The name (given), or NULL. */
static char *
unseal(const struct keyring *keys, const char *text)
{
	size_t digits = strlen(text), len = digits / 2;
	auto_free uint8_t *plain = NULL;
	uint8_t sealed[SEALED_MAX];
	struct frame_prefix p;
	struct object_key k;
	char *name;
	int r;

	if (digits % 2 || len > sizeof(sealed) ||
		len < OBJECT_ID_LEN + FRAME_OVERHEAD ||
		hex_decode(sealed, len, text) < 0)
		return NULL;
	derive(&k, keys, sealed);
	r = frame_unseal(&k, OBJECT_ID_LEN, sealed + OBJECT_ID_LEN,
		len - OBJECT_ID_LEN, &p, &plain, NULL);
	secret_wipe(&k, sizeof(k));
	if (r < 0)
		return NULL;
	name = xcalloc(1, p.plain_len + 1);
	memcpy(name, plain, p.plain_len);
	return name;
}

/* The cache names the sealed text; say what the user said. */
static int
say(int r, const char *name, struct err *e)
{
	return r == -ENOENT
		       ? err_set(e, ENOENT, "there is no pin named %s", name)
		       : r;
}

int
pins_add(struct cache *c, const struct keyring *keys, const char *name,
	const struct cache_place *at, size_t n, struct err *e)
{
	auto_free char *text = NULL;
	int r = seal(keys, name, &text, e);

	return r < 0 ? r : cache_pin(c, text, at, n, e);
}

int
pins_remove(struct cache *c, const struct keyring *keys, const char *name,
	struct err *e)
{
	auto_free char *text = NULL;
	int r = seal(keys, name, &text, e);

	return r < 0 ? r : say(cache_unpin(c, text, e), name, e);
}

int
pins_evict(struct cache *c, const struct keyring *keys, const char *name,
	uint64_t *freed, struct err *e)
{
	auto_free char *text = NULL;
	int r = seal(keys, name, &text, e);

	return r < 0 ? r : say(cache_evict_pin(c, text, freed, e), name, e);
}

struct telling {
	const struct keyring *keys;
	void (*each)(
		void *ctx, const char *name, uint64_t wanted, uint64_t present);
	void *ctx;
};

static void
tell(void *ctx, const char *pin, uint64_t wanted, uint64_t present)
{
	const struct telling *t = ctx;
	auto_free char *name = unseal(t->keys, pin);

	t->each(t->ctx, name, wanted, present);
}

int
pins_each(struct cache *c, const struct keyring *keys,
	void (*each)(
		void *ctx, const char *name, uint64_t wanted, uint64_t present),
	void *ctx, struct err *e)
{
	struct telling t = { .keys = keys, .each = each, .ctx = ctx };

	return cache_pins(c, tell, &t, e);
}
