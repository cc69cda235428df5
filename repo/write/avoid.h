/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a run must not refer to: packs that are condemned or gone, and frames
 * that are lost, by the newest state of pruning (DESIGN, G1-6); and what
 * was deleted since the run began.
 *
 * A number of a state that was listed before anything else of the repository
 * was asked for tells from where on states matter (`since`).  The state that is
 * avoided may be a newer one, loaded beside other requests.  What states from
 * `since` on sentence, and the avoided one does not name, may have been
 * referred to before it was deleted: avoid_look collects it.
 *
 * Begun and looked at by one thread; immutable, and asked by any, in between.
 */
#ifndef YORE_WRITE_AVOID_H
#define YORE_WRITE_AVOID_H

#include "repo/format/gc.h"
#include "repo/native/index.h"
#include "repo/native/repository.h"

struct avoid {
	struct gc_state state; /* n 0: nothing was ever pruned */

	uint64_t looked;      /* states up to this one are in dead */
	struct gc_packs dead; /* sorted; none that state avoids */
	bool unsure; /* a state between is not there any more */
};

#define AVOID_INIT { .state = { .n = 0 } }

/* Load state `newest`, which was listed; 0: none.  since, which was listed
 * before anything else, is at most that. */
int avoid_begin(struct avoid *a, struct repository *rp, uint64_t since,
	uint64_t newest, struct err *e);
void avoid_release(struct avoid *a);

/* Whether a place must not be referred to. */
bool avoid_has(const struct avoid *a, const struct frame_place *at);
/* The same for all of a pack, whatever frame. */
bool avoid_has_pack(const struct avoid *a, uint8_t object,
	const uint8_t id[OBJECT_ID_LEN]);
/* As index_find, of places that are not avoided. */
int avoid_find(const struct avoid *a, struct index *ix, struct ref *r,
	struct err *e);
/* Point a reference of the snapshot before elsewhere if its place is avoided.
 * -ENOENT: there is no other place; r is then as before. */
int avoid_move(const struct avoid *a, struct index *ix, struct ref *r);

/*
 * List gc/ again; what newer states sentence is in a->dead then.  Errors of
 * listing and loading.
 */
int avoid_look(struct avoid *a, struct repository *rp, struct err *e);
/* Whether the run may refer to something that was deleted, as far as is known
 * without looking at what it refers to. */
static inline bool
avoid_suspects(const struct avoid *a)
{
	return a->dead.n || a->unsure;
}

#define auto_avoid AUTO(avoid_release)

#endif
