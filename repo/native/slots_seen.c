/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/native/slots_seen.h"

#include <stdio.h>
#include <string.h>
#include "repo/base/hex.h"
#include "repo/base/state_dir.h"
#include "repo/native/state.h"

#define PREFIX_LEN 5 /* keys/ */
#define ID_DIGITS 32

struct seen {
	char id[ID_DIGITS + 1];
	char hash[HASH_LEN * 2 + 1];
};

struct all_seen {
	struct seen s[SLOTS_MAX];
	size_t n;
};

static char *
path_of(const struct repository *rp)
{
	auto_free char *below = xasprintf("%s/slots", rp->id_text);

	return state_dir(below);
}

static void
read_all(const char *path, struct all_seen *all)
{
	auto_fclose FILE *f = fopen(path, "re");

	all->n = 0;
	while (f && all->n < SLOTS_MAX &&
		fscanf(f, "%32[0-9a-f] %64[0-9a-f]\n", all->s[all->n].id,
			all->s[all->n].hash) == 2)
		all->n++;
}

static void
write_all(char *path, const struct all_seen *all)
{
	auto_buf struct buf b = BUF_INIT;

	for (size_t i = 0; i < all->n; i++)
		buf_printf(&b, "%s %s\n", all->s[i].id, all->s[i].hash);
	state_write(path, &b);
}

static const struct seen *
find(const struct all_seen *all, const char *id)
{
	for (size_t i = 0; i < all->n; i++) {
		if (!strcmp(all->s[i].id, id))
			return &all->s[i];
	}
	return NULL;
}

static void
add(struct all_seen *all, const char *name, const uint8_t *bytes, size_t len)
{
	struct seen *s = &all->s[all->n++];
	uint8_t hash[HASH_LEN];

	sha256(bytes, len, hash);
	hex_encode(s->hash, hash, HASH_LEN);
	snprintf(s->id, sizeof(s->id), "%s", name + PREFIX_LEN);
}

/* Whether a slot is another one now.  One that never looked like a slot is not
 * remembered. */
static bool
look_at(const struct all_seen *before, struct all_seen *now, const char *name,
	const uint8_t *bytes, size_t len)
{
	const struct seen *old;
	enum slot_type type;
	bool changed;

	if (!bytes || strlen(name) != PREFIX_LEN + ID_DIGITS)
		return false;
	old = find(before, name + PREFIX_LEN);
	if (!old && slot_type(bytes, len, &type, NULL))
		return false;
	add(now, name, bytes, len);
	changed = old && strcmp(old->hash, now->s[now->n - 1].hash) != 0;
	if (changed)
		now->s[now->n - 1] = *old;
	return changed;
}

void
slots_seen(const struct repository *rp, const struct slots *slots,
	bool changed[SLOTS_MAX])
{
	auto_free char *path = path_of(rp);
	struct all_seen before = { .n = 0 }, now = { .n = 0 };

	read_all(path, &before);
	for (size_t i = 0; i < slots->n; i++)
		changed[i] = look_at(&before, &now, slots->slot[i].name,
			slots->slot[i].bytes, slots->slot[i].len);
	if (now.n != before.n ||
		memcmp(now.s, before.s, now.n * sizeof(*now.s)) != 0)
		write_all(path, &now);
}

void
slots_seen_all(const struct repository *rp)
{
	auto_slots struct slots *slots = xcalloc(1, sizeof(*slots));
	bool changed[SLOTS_MAX];

	if (slots_list(rp->store, slots, NULL))
		return;
	for (size_t i = 0; i < slots->n; i++)
		slots_read(rp->store, slots, i);
	slots_seen(rp, slots, changed);
}

void
slots_seen_first(const struct repository *rp, const char *name,
	const uint8_t *bytes, size_t len)
{
	auto_free char *path = path_of(rp);
	struct all_seen all = { .n = 0 };

	add(&all, name, bytes, len);
	write_all(path, &all);
}
