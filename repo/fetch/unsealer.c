/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include "repo/base/auto.h"
#include "repo/fetch/unsealer.h"
#include "repo/format/object.h"

void
unsealer_init(struct unsealer *u, const struct keyring *ring)
{
	*u = (struct unsealer){ .ring = ring };
	u->keys = secret_alloc(UNSEALER_KEYS * sizeof(*u->keys));
	pthread_mutex_init(&u->lock, NULL);
}

void
unsealer_release(struct unsealer *u)
{
	secret_free(u->keys, UNSEALER_KEYS * sizeof(*u->keys));
	pthread_mutex_destroy(&u->lock);
}

static bool
is_named(const struct unsealer *u, const struct frame_place *at)
{
	return at->object == OBJECT_DELTA && u->namer;
}

void
unsealer_name(const struct unsealer *u, const struct frame_place *at,
	char name[OBJECT_NAME_MAX])
{
	uint8_t id[OBJECT_ID_LEN];

	if (is_named(u, at))
		u->namer(u->namer_ctx, at, name, id);
	else
		object_pack_name(name, at->object, at->pack);
}

static void
id_of(const struct unsealer *u, const struct frame_place *at,
	uint8_t id[OBJECT_ID_LEN])
{
	char name[OBJECT_NAME_MAX];

	if (is_named(u, at))
		u->namer(u->namer_ctx, at, name, id);
	else
		memcpy(id, at->pack, OBJECT_ID_LEN);
}

/* Put the object's name before the sentence; returns r. */
static int
name_object(const struct unsealer *u, const struct frame_place *at, int r,
	struct err *e)
{
	char name[OBJECT_NAME_MAX];

	unsealer_name(u, at, name);
	err_prefix(e, "%s", name);
	return r;
}

int
unsealer_check(const struct unsealer *u, const struct frame_place *at,
	struct err *e)
{
	if (at->object != OBJECT_DATA && at->object != OBJECT_META &&
		!is_named(u, at))
		return err_set(e, EUCLEAN, "reference to an object of type %u",
			at->object);
	if (at->off >= OBJECT_HEADER_LEN &&
		at->off <= (uint64_t)INT64_MAX - at->len &&
		at->len >= FRAME_OVERHEAD && at->len <= FRAME_SEALED_MAX)
		return 0;
	err_set(e, EUCLEAN, "no frame has %" PRIu32 " bytes at %" PRIu64,
		at->len, at->off);
	return name_object(u, at, -EUCLEAN, e);
}

/* -- Keys ---------------------------------------------------------------- */

static void
wipe_key(struct object_key *k)
{
	secret_wipe(k, sizeof(*k));
}

static bool
is_key_of(const struct object_key *k, uint8_t type,
	const uint8_t id[OBJECT_ID_LEN])
{
	return k->type == type && memcmp(k->object_id, id, OBJECT_ID_LEN) == 0;
}

static void
key_of(struct unsealer *u, const struct frame_place *at, struct object_key *k)
{
	uint8_t id[OBJECT_ID_LEN];
	struct object_key *kept;

	id_of(u, at, id);
	kept = &u->keys[id[0] % UNSEALER_KEYS];
	pthread_mutex_lock(&u->lock);
	*k = *kept;
	pthread_mutex_unlock(&u->lock);
	if (is_key_of(k, at->object, id))
		return;
	object_key_init(k, u->ring, at->object, id);
	pthread_mutex_lock(&u->lock);
	*kept = *k;
	pthread_mutex_unlock(&u->lock);
}

/* -- Frames -------------------------------------------------------------- */

bool
unsealer_type_ok(uint8_t object, uint8_t frame_type)
{
	switch (object) {
	case OBJECT_DATA:
		return frame_type == FRAME_DATA;
	case OBJECT_META:
		return frame_type == FRAME_PAGES;
	default:
		return frame_type == FRAME_DATA ||
		       (frame_type >= FRAME_DELTA &&
			       frame_type <= FRAME_DELTA_TIMES);
	}
}

static int
check_type(const struct frame_place *at, const struct frame_prefix *p,
	struct err *e)
{
	if (unsealer_type_ok(at->object, p->type))
		return 0;
	return err_set(e, EUCLEAN,
		"frame at %" PRIu64 " is of type %u, which its object has not",
		at->off, p->type);
}

static int
find_content(struct opened *o, struct err *e)
{
	const uint8_t *lens;
	uint32_t n;
	int r;

	o->content = o->len;
	if (!(o->flags & FRAME_SOLID))
		return 0;
	r = solid_table_decode(o->plain, o->len, &lens, &n, e);
	if (r == 0)
		o->content = (uint32_t)(lens - o->plain);
	return r;
}

static int
open_frame(struct unsealer *u, const struct frame_place *at, uint8_t *sealed,
	struct opened *o, struct err *e)
{
	AUTO(wipe_key) struct object_key key;
	auto_free uint8_t *plain = NULL;
	struct frame_prefix p;

	key_of(u, at, &key);
	int r = frame_unseal(&key, at->off, sealed, at->len, &p, &plain, e);
	if (r < 0)
		return r;
	u->unsealed++;
	r = check_type(at, &p, e);
	if (r < 0)
		return r;
	*o = (struct opened){
		.plain = plain,
		.len = p.plain_len,
		.type = p.type,
		.flags = p.flags,
	};
	r = find_content(o, e);
	if (r == 0)
		steal(plain);
	return r;
}

int
unsealer_open(struct unsealer *u, const struct frame_place *at, uint8_t *sealed,
	struct opened *o, struct err *e)
{
	int r = open_frame(u, at, sealed, o, e);

	return r < 0 ? name_object(u, at, r, e) : 0;
}
