/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/upkeep/keys.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "repo/base/hex.h"
#include "repo/native/repository.h"
#include "repo/native/slots_seen.h"
#include "repo/native/state.h"
#include "repo/upkeep/header.h"
#include "repo/write/stash.h"

#define PREFIX "keys/"
#define PREFIX_LEN 5

struct keys {
	struct repository *rp;
	struct sink *sink;
	struct keys_slot slot[SLOTS_MAX];
	size_t n;
	char own[KEYS_ID_LEN + 1]; /* of the one that opened it */
};

/* -- Listing -------------------------------------------------------------------- */

static bool
is_slot_name(const char *name)
{
	uint8_t id[KEYS_ID_LEN / 2];

	return strlen(name) == PREFIX_LEN + KEYS_ID_LEN &&
	       hex_decode(id, sizeof(id), name + PREFIX_LEN) == 0;
}

static bool
add_listed(void *ctx, const struct store_object *o)
{
	struct keys *k = ctx;

	if (!is_slot_name(o->name))
		return true;
	if (k->n < SLOTS_MAX) {
		k->slot[k->n] = (struct keys_slot){ .made_ns = o->modified_ns };
		memcpy(k->slot[k->n].id, o->name + PREFIX_LEN, KEYS_ID_LEN);
	}
	/* one more is counted, so that it shows */
	return ++k->n <= SLOTS_MAX;
}

static void
slot_name(char name[64], const char *id)
{
	snprintf(name, 64, PREFIX "%s", id);
}

static int
read_slot(struct keys *k, const char *id, uint8_t **bytes, size_t *len,
	struct err *e)
{
	char name[64];

	slot_name(name, id);
	return store_get_all(k->rp->store, name, SLOT_MAX, bytes, len, e);
}

/* What is in slot i; one that has gone meanwhile counts as damaged. */
static int
look_at(struct keys *k, size_t i)
{
	struct keys_slot *s = &k->slot[i];
	auto_free uint8_t *bytes = NULL;
	size_t len;
	int r = read_slot(k, s->id, &bytes, &len, NULL);

	if (r && r != -ENOENT && r != -EUCLEAN)
		return r;
	s->damaged = r || slot_type(bytes, len, &s->type, NULL);
	s->opened = strcmp(s->id, k->own) == 0;
	return 0;
}

static int
list(struct keys *k, struct err *e)
{
	int r;

	k->n = 0;
	r = store_list_objects(k->rp->store, PREFIX, "", add_listed, k, e);
	if (k->n > SLOTS_MAX)
		k->n = SLOTS_MAX + 1;
	for (size_t i = 0; i < k->n && i < SLOTS_MAX && !r; i++) {
		r = look_at(k, i);
		if (r)
			err_set(e, -r, "%s: a key slot cannot be read",
				k->rp->store->name);
	}
	return r;
}

const struct keys_slot *
keys_slots(const struct keys *k, size_t *n)
{
	*n = k->n < SLOTS_MAX ? k->n : SLOTS_MAX;
	return k->slot;
}

/* -- Opening --------------------------------------------------------------------- */

void
keys_free(struct keys *k)
{
	if (!k)
		return;
	if (k->sink)
		sink_free(k->sink);
	repository_free(k->rp);
	free(k);
}

int
keys_open(const char *repo, const struct history_open_options *o,
	struct keys **k, struct err *e)
{
	struct history_open_options past_cache = *o;
	auto_keys struct keys *p = xcalloc(1, sizeof(*p));
	int r;

	past_cache.cache_dir = "";
	r = repository_open(repo, &past_cache, &p->rp, e);
	if (!r)
		r = state_pin(p->rp, e);
	if (!r && p->rp->header.must_write_unknown)
		r = err_set(e, EROFS, "%s: writing needs features this yore "
			"lacks; use a newer yore", p->rp->store->name);
	if (r)
		return r;
	if (is_slot_name(p->rp->slot))
		memcpy(p->own, p->rp->slot + PREFIX_LEN, KEYS_ID_LEN);
	r = sink_open(repo, false, &p->sink, e);
	if (!r)
		r = list(p, e);
	if (!r)
		*k = steal(p);
	return r;
}

/* Whether the secret opens a slot, with the root secret we have. */
static int
opens(struct keys *k, const char *id, const struct slot_secret *secret,
	struct err *e)
{
	auto_free uint8_t *bytes = NULL;
	uint8_t *root = secret_alloc(KEY_LEN);
	size_t len;
	int r = read_slot(k, id, &bytes, &len, e);

	if (!r)
		r = slot_open(k->rp->header.id, bytes, len, secret, root, e);
	if (!r && memcmp(root, k->rp->keys->root, KEY_LEN) != 0)
		r = err_set(e, EBADMSG,
			"key slot %s opens something else", id);
	secret_free(root, KEY_LEN);
	return r;
}

int
keys_prefer(struct keys *k, const struct slot_secret *secret, struct err *e)
{
	size_t n;
	const struct keys_slot *s = keys_slots(k, &n);
	int found = -1;

	for (size_t i = 0; i < n && found < 0; i++) {
		if (!s[i].damaged && s[i].type == secret->type &&
			opens(k, s[i].id, secret, NULL) == 0)
			found = (int)i;
	}
	if (found < 0)
		return err_set(e, EKEYREJECTED, "%s: wrong %s",
			k->rp->store->name,
			secret->type == SLOT_KEYFILE ? "key file"
						     : "passphrase");
	memcpy(k->own, s[found].id, sizeof(k->own));
	for (size_t i = 0; i < n; i++)
		k->slot[i].opened = (int)i == found;
	return 0;
}

/* -- Changing ---------------------------------------------------------------------- */

/* The slots are others now: what this user keeps of them follows. */
static int
settle(struct keys *k, struct err *e)
{
	int r = list(k, e);

	if (r)
		return r;
	k->rp->sealed = true;
	for (size_t i = 0; i < k->n && i < SLOTS_MAX; i++) {
		if (!k->slot[i].damaged && k->slot[i].type == SLOT_OPEN)
			k->rp->sealed = false;
	}
	stash_slots(k->rp);
	slots_seen_all(k->rp);
	return state_pin(k->rp, e);
}

static int
put_slot(struct keys *k, const struct slot_secret *secret,
	char id[KEYS_ID_LEN + 1], struct err *e)
{
	auto_buf struct buf slot = BUF_INIT;
	uint8_t random[KEYS_ID_LEN / 2];
	char name[64];
	int r = slot_make(k->rp->header.id, k->rp->keys->root, secret, &slot, e);

	random_bytes(random, sizeof(random));
	hex_encode(id, random, sizeof(random));
	slot_name(name, id);
	if (!r)
		r = sink_put(k->sink, name, slot.data, slot.len, e);
	return r;
}

/* Of those who add at one time, too many, each takes his own back. */
static int
check_room(struct keys *k, const char *id, struct err *e)
{
	char name[64];
	int r = list(k, e);

	if (r || k->n <= SLOTS_MAX)
		return r;
	if (id) {
		slot_name(name, id);
		(void)sink_remove(k->sink, name, NULL);
	}
	return err_set(e, ENOSPC, "%s: no more than %d key slots",
		k->rp->store->name, SLOTS_MAX);
}

int
keys_add(struct keys *k, const struct slot_secret *secret,
	char id[KEYS_ID_LEN + 1], struct err *e)
{
	int r = 0;

	if (k->n >= SLOTS_MAX)
		r = err_set(e, ENOSPC, "%s: no more than %d key slots",
			k->rp->store->name, SLOTS_MAX);
	if (!r)
		r = put_slot(k, secret, id, e);
	if (!r)
		r = check_room(k, id, e);
	if (!r)
		r = opens(k, id, secret, e);
	return r ? r : settle(k, e);
}

static int
find(const struct keys *k, const char *prefix, size_t *found, struct err *e)
{
	size_t n, matches = 0;
	const struct keys_slot *s = keys_slots(k, &n);

	for (size_t i = 0; i < n; i++) {
		if (*prefix && strncmp(s[i].id, prefix, strlen(prefix)) == 0) {
			*found = i;
			matches++;
		}
	}
	if (matches == 0)
		return err_set(e, ENOENT, "no key slot %s", prefix);
	if (matches > 1)
		return err_set(e, ENOTUNIQ, "%s: %zu key slots begin so",
			prefix, matches);
	return 0;
}

/* Slots but this one that some secret may open. */
static size_t
others(const struct keys *k, const char *id)
{
	size_t n, sound = 0;
	const struct keys_slot *s = keys_slots(k, &n);

	for (size_t i = 0; i < n; i++)
		sound += !s[i].damaged && strcmp(s[i].id, id) != 0;
	return sound;
}

static int
last_slot(struct err *e)
{
	return err_set(e, EPERM, "it is the last key slot: without it nobody "
		"could open the repository again");
}

/* Two who remove at one time may each have counted on the other's: whoever
 * then finds none puts his own back. */
static int
remove_slot(struct keys *k, const char *id, struct err *e)
{
	auto_free uint8_t *bytes = NULL;
	char name[64];
	size_t len = 0;
	int r = read_slot(k, id, &bytes, &len, e);

	slot_name(name, id);
	if (r && r != -ENOENT && r != -EUCLEAN)
		return r;
	r = sink_remove(k->sink, name, e);
	if (r && r != -ENOENT)
		return r;
	r = list(k, e);
	if (r || others(k, id))
		return r;
	if (bytes)
		r = sink_put(k->sink, name, bytes, len, e);
	return r && r != -EEXIST ? r : last_slot(e);
}

int
keys_remove(struct keys *k, const char *prefix, bool own,
	char id[KEYS_ID_LEN + 1], struct err *e)
{
	size_t i = 0;
	int r = find(k, prefix, &i, e);

	if (r)
		return r;
	memcpy(id, k->slot[i].id, KEYS_ID_LEN + 1);
	if (!others(k, id))
		return last_slot(e);
	if (k->slot[i].opened && !own)
		return err_set(e, EBUSY, "key slot %s is the one that has just "
			"opened the repository", id);
	r = remove_slot(k, id, e);
	return r ? r : settle(k, e);
}

int
keys_change(struct keys *k, const struct slot_secret *secret,
	char id[KEYS_ID_LEN + 1], struct err *e)
{
	int r = keys_add(k, secret, id, e);

	if (r)
		return r;
	r = remove_slot(k, k->own, e);
	if (r)
		return r;
	memcpy(k->own, id, sizeof(k->own));
	return settle(k, e);
}

/* -- Paper keys ------------------------------------------------------------------- */

int
keys_export(struct keys *k, const struct slot_secret *seal, struct paper *p,
	struct err *e)
{
	auto_buf struct buf slot = BUF_INIT;
	int r;

	memset(p, 0, sizeof(*p));
	memcpy(p->repository_id, k->rp->header.id, REPOSITORY_ID_LEN);
	if (!seal) {
		memcpy(p->bytes, k->rp->keys->root, KEY_LEN);
		return 0;
	}
	p->sealed = true;
	r = slot_make(k->rp->header.id, k->rp->keys->root, seal, &slot, e);
	if (!r)
		memcpy(p->bytes, slot.data, SLOT_LEN);
	return r;
}

static int
open_paper(const struct paper *p, const struct history_open_options *o,
	uint8_t root[KEY_LEN], struct err *e)
{
	struct slot_secret secret = { .type = SLOT_OPEN };
	int r;

	if (!p->sealed) {
		memcpy(root, p->bytes, KEY_LEN);
		return 0;
	}
	r = o->secret(o->ctx, &secret, e);
	if (!r)
		r = slot_open(p->repository_id, p->bytes, SLOT_LEN, &secret,
			root, e);
	return r == -EKEYREJECTED
		       ? err_set(e, EKEYREJECTED, "the paper key: wrong secret")
		       : r;
}

int
keys_import(const char *repo, const struct history_open_options *o,
	const struct paper *p, const struct slot_secret *secret,
	char id[KEYS_ID_LEN + 1], struct err *e)
{
	auto_keys struct keys *k = xcalloc(1, sizeof(*k));
	uint8_t *root = secret_alloc(KEY_LEN);
	int r;

	k->rp = xcalloc(1, sizeof(*k->rp));
	k->rp->sealed = true;
	r = store_open(repo, &k->rp->store, e);
	if (!r)
		r = sink_open(repo, false, &k->sink, e);
	if (!r)
		r = open_paper(p, o, root, e);
	if (!r)
		r = header_make_sure(
			k->rp, k->sink, p->repository_id, root, e);
	secret_free(root, KEY_LEN);
	if (!r && k->rp->header.must_write_unknown)
		r = err_set(e, EROFS, "%s: writing needs features this yore "
			"lacks; use a newer yore", repo);
	if (!r)
		r = list(k, e);
	return r ? r : keys_add(k, secret, id, e);
}
