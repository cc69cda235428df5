/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/native/slots.h"

#include <errno.h>
#include <string.h>
#include "repo/base/hex.h"
#include "repo/fetch/cached.h"

#define SLOT_ID_LEN 16

static bool
add_slot(void *ctx, const char *name, uint64_t size)
{
	struct slots *s = ctx;

	(void)size;
	if (s->n < SLOTS_MAX)
		memcpy(s->slot[s->n++].name, name, strlen(name) + 1);
	return s->n < SLOTS_MAX;
}

int
slots_list(struct store *s, struct slots *slots, struct err *e)
{
	int r = store_list_names(s, "keys/", "", add_slot, slots, e);

	if (r || slots->n)
		return r;
	return err_set(e, ENOKEY,
		"%s: no key slots below keys/: nothing unlocks it but an "
		"exported key (`yore key import`)", s->name);
}

bool
slots_any(const struct slots *slots)
{
	uint8_t id[SLOT_ID_LEN];

	for (size_t i = 0; i < slots->n; i++) {
		const char *digits = slots->slot[i].name + strlen("keys/");

		if (strlen(digits) == 2 * SLOT_ID_LEN &&
			!hex_decode(id, SLOT_ID_LEN, digits))
			return true;
	}
	return false;
}

void
slots_read(struct store *s, struct slots *slots, size_t i)
{
	struct err *e = &slots->slot[i].error;
	int r;

	if (slots->slot[i].bytes || e->code)
		return;
	r = store_get_all(s, slots->slot[i].name, SLOT_MAX,
		&slots->slot[i].bytes, &slots->slot[i].len, e);
	if (r && !e->code)
		err_set(e, -r, "%s: not read", slots->slot[i].name);
}

/* One secret on slot i; *other: it is of another type. */
static int
try_slot(struct slots *slots, size_t i, const struct repository *rp,
	const struct slot_secret *secret, bool *other, uint8_t root[KEY_LEN],
	struct err *e)
{
	const uint8_t *bytes;
	size_t len;
	enum slot_type type;
	int r;

	*other = false;
	slots_read(rp->store, slots, i);
	bytes = slots->slot[i].bytes;
	len = slots->slot[i].len;
	if (!bytes) {
		if (e)
			*e = slots->slot[i].error;
		return -slots->slot[i].error.code;
	}
	r = slot_type(bytes, len, &type, e);
	if (r)
		return r;
	*other = type != secret->type;
	return *other ? -ENOKEY
		      : slot_open(rp->header.id, bytes, len, secret, root, e);
}

/* Try one secret on every slot of its type; -ENOKEY when there is none.
 * *others: there are slots of other types.  A damaged slot is passed over as
 * long as another one opens. */
static int
try_slots(struct slots *slots, struct repository *rp,
	const struct slot_secret *secret, bool *others, uint8_t root[KEY_LEN],
	struct err *e)
{
	int result = -ENOKEY;

	*others = false;
	for (size_t i = 0; i < slots->n; i++) {
		bool other;
		int r = try_slot(slots, i, rp, secret, &other, root, e);

		if (!r) {
			memcpy(rp->slot, slots->slot[i].name, sizeof(rp->slot));
			return 0;
		}
		*others |= other;
		if (!other && result != -EKEYREJECTED)
			result = r;
	}
	return result;
}

static int
ask_and_try(struct slots *slots, struct repository *rp,
	const struct history_open_options *o, uint8_t root[KEY_LEN],
	struct err *e)
{
	struct slot_secret secret = { .type = SLOT_SCRYPT };
	const char *kind;
	bool others;
	int r;

	if (!o || !o->secret)
		return err_set(e, EKEYREJECTED,
			"%s: a passphrase or key file is needed",
			rp->store->name);
	r = o->secret(o->ctx, &secret, e);
	if (r)
		return r;
	kind = secret.type == SLOT_KEYFILE ? "key file" : "passphrase";
	r = try_slots(slots, rp, &secret, &others, root, e);
	if (r == -EKEYREJECTED)
		return err_set(
			e, EKEYREJECTED, "%s: wrong %s", rp->store->name, kind);
	if (r == -ENOKEY)
		return err_set(e, EKEYREJECTED, "%s: no key slot takes a %s",
			rp->store->name, kind);
	return r;
}

int
slots_unlock(struct slots *slots, struct repository *rp,
	const struct history_open_options *o, struct err *e)
{
	const struct slot_secret open = { .type = SLOT_OPEN };
	uint8_t *root = secret_alloc(KEY_LEN);
	bool others;
	int r = try_slots(slots, rp, &open, &others, root, e);

	if (r && others) {
		r = ask_and_try(slots, rp, o, root, e);
		rp->sealed = true;
	}
	if (!r)
		rp->keys = keyring_new(rp->header.id, root);
	secret_free(root, KEY_LEN);
	return r;
}

void
slots_keep(struct store *s, const struct slots *slots)
{
	const char *names[SLOTS_MAX];

	for (size_t i = 0; i < slots->n; i++)
		names[i] = slots->slot[i].name;
	cached_keep_names(s, "keys/", names, slots->n);
}

void
slots_free(struct slots *slots)
{
	for (size_t i = 0; slots && i < slots->n; i++)
		free(slots->slot[i].bytes);
	free(slots);
}
