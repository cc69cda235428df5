/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>
#include "repo/base/hex.h"
#include "repo/crypto/slot.h"
#include "repo/format/object.h"
#include "repo/native/repository.h"

#define SLOTS_MAX 32

struct slots {
	char names[SLOTS_MAX][STORE_NAME_MAX + 1];
	size_t n;
};

static bool
add_slot(void *ctx, const char *name, uint64_t size)
{
	struct slots *s = ctx;

	(void)size;
	if (s->n < SLOTS_MAX)
		memcpy(s->names[s->n++], name, strlen(name) + 1);
	return s->n < SLOTS_MAX;
}

static int
read_header(struct repository *rp, uint8_t **text, size_t *len, struct err *e)
{
	int r = store_get_all(rp->store, "format", HEADER_LEN_MAX, text, len, e);

	if (r == -ENOENT)
		return err_set(e, ENOENT,
			"%s: no yore repository there; `yore init -r %s` "
			"makes one",
			rp->store->name, rp->store->name);
	if (!r)
		r = repository_header_decode(*text, *len, &rp->header, e);
	if (r)
		return err_prefix(e, "%s", rp->store->name);
	hex_encode(rp->id_text, rp->header.id, REPOSITORY_ID_LEN);
	return 0;
}

/* Try one secret on every slot of its type; -ENOKEY when there is none.
 * *others: there are slots of other types.  A damaged slot is passed over as
 * long as another one opens. */
static int
try_slots(struct repository *rp, const struct slots *slots,
	const struct slot_secret *secret, bool *others, uint8_t root[KEY_LEN],
	struct err *e)
{
	int result = -ENOKEY;

	*others = false;
	for (size_t i = 0; i < slots->n; i++) {
		auto_free uint8_t *slot = NULL;
		enum slot_type type;
		size_t len;
		int r = store_get_all(rp->store, slots->names[i], SLOT_MAX,
			&slot, &len, e);

		if (!r)
			r = slot_type(slot, len, &type, e);
		if (!r && type != secret->type) {
			*others = true;
			continue;
		}
		if (!r)
			r = slot_open(rp->header.id, slot, len, secret, root, e);
		if (!r)
			return 0;
		if (result != -EKEYREJECTED)
			result = r;
	}
	return result;
}

static int
ask_and_try(struct repository *rp, const struct history_open_options *o,
	const struct slots *slots, uint8_t root[KEY_LEN], struct err *e)
{
	struct slot_secret secret = { .type = SLOT_SCRYPT };
	bool others;
	int r;

	if (!o || !o->secret)
		return err_set(e, EKEYREJECTED,
			"%s: a passphrase or key file is needed",
			rp->store->name);
	r = o->secret(o->ctx, &secret, e);
	if (r)
		return r;
	r = try_slots(rp, slots, &secret, &others, root, e);
	if (r == -EKEYREJECTED)
		return err_set(e, EKEYREJECTED, "%s: wrong %s",
			rp->store->name,
			secret.type == SLOT_KEYFILE ? "key file" : "passphrase");
	if (r == -ENOKEY)
		return err_set(e, EKEYREJECTED, "%s: no key slot takes a %s",
			rp->store->name,
			secret.type == SLOT_KEYFILE ? "key file" : "passphrase");
	return r;
}

static int
unlock(struct repository *rp, const struct history_open_options *o,
	struct err *e)
{
	const struct slot_secret open = { .type = SLOT_OPEN };
	auto_free struct slots *slots = xcalloc(1, sizeof(*slots));
	uint8_t *root = secret_alloc(KEY_LEN);
	bool others;
	int r = store_list_names(rp->store, "keys/", "", add_slot, slots, e);

	if (!r && slots->n == 0)
		r = err_set(e, ENOKEY, "%s: no key slots below keys/: nothing unlocks it",
			rp->store->name);
	if (!r) {
		r = try_slots(rp, slots, &open, &others, root, e);
		if (r && others) {
			r = ask_and_try(rp, o, slots, root, e);
			rp->sealed = true;
		}
	}
	if (!r)
		rp->keys = keyring_new(rp->header.id, root);
	secret_free(root, KEY_LEN);
	return r;
}

static int
open_parts(struct repository *rp, const char *repo,
	const struct history_open_options *o, struct err *e)
{
	auto_free uint8_t *text = NULL;
	uint8_t mac[HASH_LEN];
	size_t len;
	int r = store_open(repo, &rp->store, e);

	if (!r)
		r = read_header(rp, &text, &len, e);
	if (!r)
		r = unlock(rp, o, e);
	if (r)
		return r;
	header_mac(rp->keys, text, rp->header.mac_covers, mac);
	if (memcmp(mac, rp->header.mac, HASH_LEN))
		return err_set(e, EBADMSG,
			"%s: the repository header `format` has been altered",
			rp->store->name);
	return 0;
}

int
repository_open(const char *repo, const struct history_open_options *o,
	struct repository **rp, struct err *e)
{
	auto_repository struct repository *p = xcalloc(1, sizeof(*p));
	int r = open_parts(p, repo, o, e);

	if (!r)
		*rp = steal(p);
	return r;
}

void
repository_free(struct repository *rp)
{
	if (!rp)
		return;
	keyring_free(rp->keys);
	if (rp->store)
		store_free(rp->store);
	free(rp);
}

static int
check_header(const struct repository *rp, const uint8_t *data, size_t len,
	enum object_type type, const uint8_t *id, struct object_header *h,
	struct err *e)
{
	int r;

	if (len < OBJECT_HEADER_LEN)
		return err_set(e, EBADMSG, "cut off");
	r = object_header_decode(data, h, e);
	if (r)
		return r;
	if (h->type != type || (id && memcmp(h->id, id, OBJECT_ID_LEN)) ||
		memcmp(h->repository_id, rp->header.id, REPOSITORY_ID_LEN))
		return err_set(e, EBADMSG, "not the object its name says");
	return 0;
}

/* Unseal all frames behind the header and join their plaintexts. */
static int
join_frames(const struct object_key *key, uint8_t *data, size_t len, size_t max,
	struct buf *out, struct err *e)
{
	size_t off = OBJECT_HEADER_LEN;

	while (off < len) {
		auto_free uint8_t *plain = NULL;
		struct frame_prefix p;
		int r;

		if (len - off < FRAME_OVERHEAD)
			return err_set(e, EBADMSG, "cut off");
		r = frame_prefix_decode(data + off, &p, e);
		if (r)
			return r;
		if (p.body_len > len - off - FRAME_PREFIX_LEN ||
			p.plain_len > max - out->len)
			return err_set(e, EBADMSG, "cut off or too long");
		r = frame_unseal(key, off, data + off,
			FRAME_PREFIX_LEN + p.body_len, &p, &plain, e);
		if (r)
			return r;
		buf_append(out, plain, p.plain_len);
		off += FRAME_PREFIX_LEN + p.body_len;
	}
	return 0;
}

int
repository_load(struct repository *rp, const char *name, enum object_type type,
	const uint8_t id[OBJECT_ID_LEN], size_t max, uint8_t **plain,
	size_t *len, uint8_t hash[HASH_LEN], struct err *e)
{
	auto_free uint8_t *data = NULL;
	auto_buf struct buf out = BUF_INIT;
	struct object_header h;
	struct object_key key;
	size_t n;
	int r = store_get_all(rp->store, name, max + (1u << 20), &data, &n, e);

	if (r)
		return r;
	if (hash)
		sha256(data, n, hash);
	r = check_header(rp, data, n, type, id, &h, e);
	if (!r) {
		object_key_init(&key, rp->keys, type, h.id);
		r = join_frames(&key, data, n, max, &out, e);
	}
	if (r)
		return err_prefix(e, "%s", name);
	buf_reserve(&out, 1);
	*plain = buf_steal(&out, len);
	return 0;
}
