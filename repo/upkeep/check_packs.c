/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/upkeep/check_packs.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/base/bytes.h"
#include "repo/base/hex.h"
#include "repo/format/object.h"

void
check_packs_release(struct check_packs *all)
{
	free(all->p);
	free(all->slots);
	*all = (struct check_packs){ .n = 0 };
}

static uint32_t *
slot_of(const struct check_packs *all, uint8_t object, const uint8_t *id)
{
	uint32_t mask = 2 * all->cap - 1, i = get_be32(id) & mask;

	while (all->slots[i]) {
		const struct check_pack *p = &all->p[all->slots[i] - 1];

		if (p->object == object && !memcmp(p->id, id, OBJECT_ID_LEN))
			break;
		i = (i + 1) & mask;
	}
	return &all->slots[i];
}

static void
grow(struct check_packs *all)
{
	all->cap = all->cap ? 2 * all->cap : 1024;
	all->p = xrealloc(all->p, all->cap * sizeof(*all->p));
	free(all->slots);
	all->slots = xcalloc(2 * (size_t)all->cap, sizeof(*all->slots));
	for (uint32_t i = 0; i < all->n; i++)
		*slot_of(all, all->p[i].object, all->p[i].id) = i + 1;
}

struct check_pack *
check_packs_find(const struct check_packs *all, uint8_t object,
	const uint8_t id[OBJECT_ID_LEN])
{
	uint32_t i = all->cap ? *slot_of(all, object, id) : 0;

	return i ? &all->p[i - 1] : NULL;
}

struct check_pack *
check_packs_get(struct check_packs *all, uint8_t object,
	const uint8_t id[OBJECT_ID_LEN])
{
	struct check_pack *p = check_packs_find(all, object, id);

	if (p)
		return p;
	if (all->n == all->cap)
		grow(all);
	*slot_of(all, object, id) = all->n + 1;
	p = &all->p[all->n++];
	*p = (struct check_pack){ .object = object };
	memcpy(p->id, id, OBJECT_ID_LEN);
	return p;
}

/* -- Listing ------------------------------------------------------------------
 */

struct listing {
	struct check_packs *all;
	uint64_t *strange;
	uint8_t object;
};

static bool
parse(const char *name, enum object_type object, uint8_t id[OBJECT_ID_LEN])
{
	const char *base = strrchr(name, '/');
	char made[OBJECT_NAME_MAX];

	if (!base || hex_decode(id, OBJECT_ID_LEN, base + 1))
		return false;
	object_pack_name(made, object, id);
	return strcmp(made, name) == 0;
}

static bool
add(void *ctx, const char *name, uint64_t size)
{
	struct listing *l = ctx;
	struct check_packs *all = l->all;
	uint8_t id[OBJECT_ID_LEN];
	struct check_pack *p;

	if (strcmp(name, all->last) <= 0 && !*all->fault)
		snprintf(all->fault, sizeof(all->fault),
			"%s was listed twice or out of order", name);
	snprintf(all->last, sizeof(all->last), "%s", name);
	if (!parse(name, l->object, id)) {
		++*l->strange;
		return true;
	}
	p = check_packs_get(all, l->object, id);
	p->listed = true;
	p->size = size;
	all->bytes += size;
	return true;
}

int
check_packs_list(struct check_packs *all, struct store *s, uint64_t *strange,
	struct err *e)
{
	struct listing l = { .all = all, .strange = strange };
	int r;

	l.object = OBJECT_DATA;
	r = store_list(s, "data/", "", add, &l, e);
	l.object = OBJECT_META;
	return r ? r : store_list(s, "meta/", "", add, &l, e);
}
