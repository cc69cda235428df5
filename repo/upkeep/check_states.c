/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What lies beside snapshots: key slots, states of pruning. */
#include "repo/upkeep/check_private.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/native/gc_newest.h"
#include "repo/native/slots_seen.h"

/* -- Key slots
 * -------------------------------------------------------------------- */

/* Under another secret a slot cannot be opened, only looked at; an open one
 * opens for everybody. */
static int
check_slot(struct check *c, const uint8_t *bytes, size_t len, struct err *e)
{
	const struct slot_secret open = { .type = SLOT_OPEN };
	uint8_t root[KEY_LEN];
	enum slot_type type;
	int r = slot_type(bytes, len, &type, e);

	if (r || type != SLOT_OPEN)
		return r;
	r = slot_open(c->rp->header.id, bytes, len, &open, root, e);
	if (!r && memcmp(root, c->rp->keys->root, KEY_LEN))
		r = err_set(e, EUCLEAN, "the key slot has another secret");
	secret_wipe(root, sizeof(root));
	return r;
}

static void
slot_fault(struct check *c, const char *name, const char *why)
{
	const char *id = name + strlen("keys/");

	check_fault(c, CHECK_DAMAGED, CHECK_SPARE, name,
		"%s; who unlocks with it is locked out: `yore key add` makes "
		"another, `yore key remove %.12s` takes it away", why, id);
}

/* All of them; one that is gone meanwhile or too long says so. */
static int
read_slots(struct check *c, struct slots *slots, struct err *e)
{
	int r = slots_list(c->rp->store, slots, e);

	for (size_t i = 0; i < slots->n && !r; i++) {
		slots_read(c->rp->store, slots, i);
		r = slots->slot[i].error.code;
		if (r == ENOENT || r == EUCLEAN)
			r = 0;
		if (r)
			*e = slots->slot[i].error;
	}
	return r ? -e->code : 0;
}

int
check_slots(struct check *c, struct err *e)
{
	auto_slots struct slots *slots = xcalloc(1, sizeof(*slots));
	bool changed[SLOTS_MAX];
	int r = read_slots(c, slots, e);

	if (r)
		return r;
	slots_seen(c->rp, slots, changed);
	for (size_t i = 0; i < slots->n; i++) {
		struct err why = slots->slot[i].error;

		if (!why.code && !check_slot(c, slots->slot[i].bytes,
					 slots->slot[i].len, &why) && changed[i])
			err_set(&why, EUCLEAN,
				"the key slot is not what it was");
		if (why.code && why.code != ENOENT)
			slot_fault(c, slots->slot[i].name, why.text);
	}
	return 0;
}

/* -- States of pruning
 * ------------------------------------------------------------------ */

/* Packs that were missing once and are there again need no mark. */
static void
forget_returned(struct check *c)
{
	struct gc_frames *lost = &c->state.lost;
	size_t kept = 0;

	for (size_t i = 0; i < lost->n; i++) {
		const struct check_pack *p = check_packs_find(
			&c->packs, lost->p[i].object, lost->p[i].pack);

		if (lost->p[i].off || !p || !p->listed ||
			p->size <= OBJECT_HEADER_LEN + CHECK_END_LEN)
			lost->p[kept++] = lost->p[i];
	}
	c->res->unmarked += lost->n - kept;
	lost->n = kept;
}

/* States are numbered without a gap, and each has the hash of the one before.
 */
static int
check_previous(struct check *c, struct err *e)
{
	struct gc_state before;
	struct err why = ERR_INIT;
	uint8_t hash[HASH_LEN];
	char name[GC_NAME_LEN + 1];
	int r;

	if (c->state.n < 2)
		return 0;
	r = gc_newest_at(c->rp, c->state.n - 1, &before, hash, &why);
	if (r == -ENOENT) /* older ones may be removed */
		return 0;
	if (r && !check_is_fault(r)) {
		*e = why;
		return r;
	}
	gc_name(name, c->state.n - 1);
	if (r) {
		check_fault(c, CHECK_DAMAGED, CHECK_SPARE, name, "%s",
			check_reason(name, &why));
		return 0;
	}
	if (memcmp(hash, c->state.previous, HASH_LEN))
		check_fault(c, CHECK_DAMAGED, CHECK_SPARE, name,
			"it is not the state that the next one followed");
	gc_state_release(&before);
	return 0;
}

int
check_states(struct check *c, struct err *e)
{
	struct err why = ERR_INIT;
	char name[GC_NAME_LEN + 1];
	uint64_t n = 0;
	int r = gc_newest_number(c->rp->store, &n, e);

	if (r)
		return r;
	r = n ? gc_newest_at(c->rp, n, &c->state, c->state_hash, &why) : 0;
	if (r && !check_is_fault(r)) {
		*e = why;
		return r;
	}
	if (r) {
		gc_name(name, n);
		check_fault(c, CHECK_DAMAGED, CHECK_SPARE, name,
			"%s; what was condemned or marked is not known",
			check_reason(name, &why));
		c->state = (struct gc_state){ .n = 0 };
		return check_trash_list(c, e);
	}
	if (n)
		forget_returned(c);
	r = check_previous(c, e);
	return r ? r : check_trash_list(c, e);
}
