/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/write/avoid.h"

#include <errno.h>
#include <string.h>
#include "repo/native/gc_newest.h"

/* More states since the run began are not looked at one by one. */
#define STATES_MAX 64

void
avoid_release(struct avoid *a)
{
	gc_state_release(&a->state);
	free(a->dead.p);
	a->dead = (struct gc_packs){ .n = 0 };
}

/* -- What is avoided ------------------------------------------------------ */

bool
avoid_has(const struct avoid *a, const struct frame_place *at)
{
	return a->state.n && gc_state_avoids(&a->state, at);
}

bool
avoid_has_pack(const struct avoid *a, uint8_t object,
	const uint8_t id[OBJECT_ID_LEN])
{
	struct frame_place at = { .object = object };

	memcpy(at.pack, id, OBJECT_ID_LEN);
	return avoid_has(a, &at);
}

static bool
skip(void *ctx, const struct ref *r)
{
	const struct avoid *const *a = ctx;

	return avoid_has(*a, &r->place);
}

int
avoid_find(const struct avoid *a, struct index *ix, struct ref *r,
	struct err *e)
{
	return a->state.n ? index_find_but(ix, r, skip, &a, e)
			  : index_find(ix, r, e);
}

int
avoid_move(const struct avoid *a, struct index *ix, struct ref *r)
{
	struct ref better = *r;

	if (!avoid_has(a, &r->place))
		return 0;
	if (avoid_find(a, ix, &better, NULL) ||
		better.chunk_len != r->chunk_len ||
		better.place.object != r->place.object)
		return -ENOENT;
	*r = better;
	return 0;
}

/* -- What was deleted meanwhile ------------------------------------------- */

/* Of a list, what the run may refer to. */
static void
note_dead(struct avoid *a, const struct gc_packs *list)
{
	for (size_t i = 0; i < list->n; i++) {
		const struct gc_pack *p = &list->p[i];

		if (!avoid_has_pack(a, p->object, p->id))
			gc_packs_add(&a->dead, p->object, p->id, 0);
	}
}

static void
sort_dead(struct avoid *a)
{
	struct gc_state s = { .gone = a->dead };

	gc_state_sort(&s);
	a->dead = s.gone;
}

/* What state n sentences; `first` is the one that was listed before all. */
static int
note_state(struct avoid *a, struct repository *rp, uint64_t n, bool first,
	struct err *e)
{
	auto_gc_state struct gc_state s = { .n = 0 };
	int r = gc_newest_at(rp, n, &s, NULL, e);

	if (r == -ENOENT) {
		a->unsure = true;
		return 0;
	}
	if (r)
		return r;
	note_dead(a, &s.sentenced);
	if (first)
		note_dead(a, &s.gone);
	return 0;
}

int
avoid_begin(struct avoid *a, struct repository *rp, uint64_t since,
	uint64_t newest, struct err *e)
{
	int r = 0;

	if (!newest)
		return 0;
	r = gc_newest_at(rp, newest, &a->state, NULL, e);
	/* removed since it was listed: there is a newer one */
	if (r == -ENOENT)
		r = gc_newest(rp, &a->state, NULL, e);
	a->looked = a->state.n;
	for (uint64_t n = since ? since : 1; !r && n < a->state.n; n++) {
		if (a->state.n - n > STATES_MAX) {
			a->unsure = true;
			break;
		}
		r = note_state(a, rp, n, n == since, e);
	}
	sort_dead(a);
	return r;
}

/* What is being deleted now: who is not sure looks for all other packs. */
static int
note_newest(struct avoid *a, struct repository *rp, uint64_t *n, struct err *e)
{
	auto_gc_state struct gc_state s = { .n = 0 };
	int r = gc_newest(rp, &s, NULL, e);

	if (r)
		return r;
	note_dead(a, &s.sentenced);
	*n = s.n;
	return 0;
}

int
avoid_look(struct avoid *a, struct repository *rp, struct err *e)
{
	uint64_t newest;
	int r = gc_newest_number(rp->store, &newest, e);

	for (uint64_t n = a->looked + 1; !r && n <= newest; n++) {
		if (newest - n > STATES_MAX) {
			a->unsure = true;
			n = newest;
		}
		r = note_state(a, rp, n, false, e);
	}
	if (!r && a->unsure)
		r = note_newest(a, rp, &newest, e);
	if (r)
		return r;
	if (newest > a->looked)
		a->looked = newest;
	sort_dead(a);
	return 0;
}
