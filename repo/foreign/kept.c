/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A piece lies at its number times SLOT in an object of the cache: 16 random
 * bytes, then one frame (FORMAT, "Frames") whose key follows from those, from
 * the user's key and from name and number.  So the same name may be written
 * again, by anybody, and no nonce is used twice.  A whole object is the same
 * at 0, put with cache_put.
 */
#include "repo/foreign/kept.h"

#include <errno.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/base/hex.h"
#include "repo/base/log.h"
#include "repo/cache/cache.h"
#include "repo/crypto/id.h"
#include "repo/crypto/kdf.h"
#include "repo/crypto/seal.h"
#include "repo/foreign/kept_key.h"
#include "repo/foreign/kept_scratch.h"

#define TYPE 0x81 /* of no object in a store */
#define HEAD (OBJECT_ID_LEN + FRAME_PREFIX_LEN)
#define SLOT (KEPT_PIECE + HEAD + FRAME_TAG_LEN)
#define WHOLE UINT64_MAX /* the "number" of a whole object */
#define ZSTD_LEVEL 1

struct kept {
	struct cache *cache;
	struct kept_scratch scratch;
	uint8_t key[KEY_LEN];
	uint8_t id[REPOSITORY_ID_LEN];
	char id_text[REPOSITORY_ID_LEN * 2 + 1];
	pthread_mutex_t lock; /* a leaf: */
	struct packer *packer;
};

/* -- Opening ------------------------------------------------------------- */

static int
open_cache(struct kept *k, const char *dir, struct err *e)
{
	const struct cache_options which = { .repository_id = k->id };

	return cache_open(dir, &which, &k->cache, e);
}

/* The cache, where it is wanted and can be opened. */
static int
open_lasting(struct kept *k, const struct kept_options *o, struct err *e)
{
	auto_free char *dir =
		o->cache_dir ? xstrdup(o->cache_dir) : cache_default_dir();

	if (dir && !*dir)
		return err_set(e, ENOENT, "no cache is wanted");
	if (!dir)
		return err_set(e, ENOENT,
			"no directory for the cache: set "
			"HOME or XDG_CACHE_HOME");
	return open_cache(k, dir, e);
}

static int
open_scratch(struct kept *k, struct err *e)
{
	auto_free char *dir = NULL;
	int r = kept_scratch_make(&k->scratch, e);

	if (r < 0)
		return r;
	random_bytes(k->key, KEY_LEN);
	dir = xasprintf("%s/cache", k->scratch.path);
	return open_cache(k, dir, e);
}

static int
open_somewhere(struct kept *k, const struct kept_options *o, struct err *e)
{
	struct err why = ERR_INIT;
	int r = open_lasting(k, o, &why);

	if (r == 0)
		return 0;
	if (o->offline)
		return err_set(e, ENETDOWN, "%s", why.text);
	if (!o->cache_dir || *o->cache_dir)
		log_warn("going on without the disk cache: %s", why.text);
	return open_scratch(k, e);
}

static void
derive_id(struct kept *k, const char *address)
{
	const struct kdf_part parts[] = { { "yore/1/kept", 12 },
		{ address, strlen(address) } };
	uint8_t mac[KDF_MAC_LEN];

	kdf_hmac(k->key, parts, n_elements(parts), mac);
	memcpy(k->id, mac, sizeof(k->id));
	hex_encode(k->id_text, k->id, sizeof(k->id));
}

int
kept_open(const struct kept_options *o, struct kept **k, struct err *e)
{
	struct kept *new = secret_alloc(sizeof(*new));
	int r;

	pthread_mutex_init(&new->lock, NULL);
	kept_key_load(new->key);
	derive_id(new, o->address);
	r = open_somewhere(new, o, e);
	if (r < 0) {
		kept_close(new);
		return r;
	}
	*k = new;
	return 0;
}

void
kept_close(struct kept *k)
{
	if (!k)
		return;
	cache_close(k->cache);
	kept_scratch_remove(&k->scratch);
	if (k->packer)
		packer_free(k->packer);
	pthread_mutex_destroy(&k->lock);
	secret_free(k, sizeof(*k));
}

const char *
kept_id(const struct kept *k)
{
	return k->id_text;
}

/* -- Sealing ------------------------------------------------------------- */

/* What the cache calls it: names are of any length, and the cache's are
 * readable in its ledger. */
#define NAME_LEN (5 + 2 * HASH_LEN + 1)

static void
name_of(char out[NAME_LEN], const struct kept *k, const char *name)
{
	const struct kdf_part parts[] = { { k->id, sizeof(k->id) },
		{ name, strlen(name) } };
	uint8_t mac[KDF_MAC_LEN];

	kdf_hmac(k->key, parts, n_elements(parts), mac);
	memcpy(out, "kept/", 5);
	hex_encode(out + 5, mac, sizeof(mac));
}

static void
derive(struct object_key *out, const struct kept *k, const char *hidden,
	uint64_t piece, const uint8_t id[OBJECT_ID_LEN])
{
	char info[NAME_LEN + 40];
	const struct kdf_part ikm = { k->key, KEY_LEN };
	const struct kdf_part salt = { id, OBJECT_ID_LEN };
	int n = snprintf(info, sizeof(info), "yore/1/%s/%llx", hidden,
		(unsigned long long)piece);
	const struct kdf_part label = { info, (size_t)n };

	kdf_hkdf(&ikm, &salt, &label, out->key, KEY_LEN);
	memcpy(out->repository_id, k->id, REPOSITORY_ID_LEN);
	memcpy(out->object_id, id, OBJECT_ID_LEN);
	out->type = TYPE;
}

static int
pack(struct kept *k, const void *data, size_t len, struct buf *packed,
	enum frame_codec *codec)
{
	auto_lock(&k->lock);

	if (!k->packer)
		k->packer = packer_new(ZSTD_LEVEL);
	return packer_pack(k->packer, 0, data, len, packed, codec, NULL);
}

static int
seal(struct kept *k, const char *hidden, uint64_t piece, const void *data,
	size_t len, struct buf *out)
{
	struct frame_prefix prefix = { .type = FRAME_DATA,
		.plain_len = (uint32_t)len };
	auto_buf struct buf packed = BUF_INIT;
	enum frame_codec codec;
	struct object_key key;
	uint8_t id[OBJECT_ID_LEN];
	int r = pack(k, data, len, &packed, &codec);

	if (r < 0)
		return r;
	prefix.codec = (uint8_t)codec;
	random_bytes(id, sizeof(id));
	derive(&key, k, hidden, piece, id);
	buf_append(out, id, sizeof(id));
	r = frame_seal(&key, OBJECT_ID_LEN, &prefix, &packed, out, NULL);
	secret_wipe(&key, sizeof(key));
	return r;
}

/* sealed is overwritten; *plain is given. */
static int
unseal(const struct kept *k, const char *hidden, uint64_t piece,
	uint8_t *sealed, size_t sealed_len, uint8_t **plain, size_t *len)
{
	struct frame_prefix p;
	struct object_key key;
	int r;

	if (sealed_len < HEAD + FRAME_TAG_LEN)
		return -EBADMSG;
	derive(&key, k, hidden, piece, sealed);
	r = frame_unseal(&key, OBJECT_ID_LEN, sealed + OBJECT_ID_LEN,
		sealed_len - OBJECT_ID_LEN, &p, plain, NULL);
	secret_wipe(&key, sizeof(key));
	*len = r == 0 ? p.plain_len : 0;
	return r;
}

/* -- Whole objects ------------------------------------------------------- */

int
kept_get(struct kept *k, const char *name, size_t max, uint8_t **data,
	size_t *len)
{
	auto_free uint8_t *sealed = NULL, *plain = NULL;
	char hidden[NAME_LEN];
	size_t n;

	name_of(hidden, k, name);
	if (cache_get(k->cache, hidden, KEPT_OBJECT_MAX + HEAD + FRAME_TAG_LEN,
		    &sealed, &n) < 0)
		return -ENOENT;
	if (unseal(k, hidden, WHOLE, sealed, n, &plain, len) < 0 ||
		*len > max) {
		cache_forget(k->cache, hidden, 0, UINT64_MAX);
		return -ENOENT;
	}
	*data = steal(plain);
	return 0;
}

void
kept_put(struct kept *k, const char *name, const void *data, size_t len)
{
	auto_buf struct buf sealed = BUF_INIT;
	char hidden[NAME_LEN];

	name_of(hidden, k, name);
	if (len <= KEPT_OBJECT_MAX &&
		seal(k, hidden, WHOLE, data, len, &sealed) == 0)
		cache_put(k->cache, hidden, sealed.data, sealed.len);
}

/* -- Pieces -------------------------------------------------------------- */

/* The sealed bytes of a piece, as many as its frame says; false: not there. */
static bool
read_sealed(struct kept *k, const char *hidden, uint64_t at, uint8_t *sealed,
	size_t *len)
{
	struct frame_prefix p;

	if (!cache_read(k->cache, hidden, at, HEAD, sealed, NULL))
		return false;
	if (frame_prefix_decode(sealed + OBJECT_ID_LEN, &p, NULL) < 0 ||
		p.body_len > SLOT - HEAD) {
		cache_forget(k->cache, hidden, at, SLOT);
		return false;
	}
	*len = HEAD + p.body_len;
	return cache_read(
		k->cache, hidden, at + HEAD, p.body_len, sealed + HEAD, NULL);
}

bool
kept_read(struct kept *k, const char *name, uint64_t piece, void *buf,
	size_t *len)
{
	auto_free uint8_t *sealed = xmalloc(SLOT), *plain = NULL;
	char hidden[NAME_LEN];
	size_t n;

	name_of(hidden, k, name);
	if (!read_sealed(k, hidden, piece * SLOT, sealed, &n))
		return false;
	if (unseal(k, hidden, piece, sealed, n, &plain, len) < 0 ||
		*len > KEPT_PIECE) {
		cache_forget(k->cache, hidden, piece * SLOT, SLOT);
		return false;
	}
	memcpy(buf, plain, *len);
	return true;
}

void
kept_write(struct kept *k, const char *name, uint64_t piece, const void *data,
	size_t len)
{
	auto_buf struct buf sealed = BUF_INIT;
	char hidden[NAME_LEN];

	name_of(hidden, k, name);
	if (len > 0 && len <= KEPT_PIECE &&
		seal(k, hidden, piece, data, len, &sealed) == 0)
		cache_write(k->cache, hidden, piece * SLOT, sealed.data,
			sealed.len);
}

bool
kept_has(struct kept *k, const char *name, uint64_t piece)
{
	char hidden[NAME_LEN];

	name_of(hidden, k, name);
	return cache_read(k->cache, hidden, piece * SLOT, HEAD, NULL, NULL);
}

void
kept_forget(struct kept *k, const char *name)
{
	char hidden[NAME_LEN];

	name_of(hidden, k, name);
	cache_forget(k->cache, hidden, 0, UINT64_MAX);
}

int
kept_sync(struct kept *k, struct err *e)
{
	return cache_sync(k->cache, e);
}
