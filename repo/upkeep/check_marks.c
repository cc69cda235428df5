/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What cannot be read is marked as lost in the next state of pruning: writers
 * do not refer to it, so the next backup that still has it brings it again.
 *
 * A mark stays while the index or a snapshot names the frame, even when what
 * was in it lies elsewhere by then: without the mark a writer could take the
 * bad one for good again.  It goes when nothing names it any more, or when it
 * turns out to be good.
 */
#include "repo/upkeep/check_private.h"

#include <errno.h>
#include <string.h>
#include "repo/base/clock.h"
#include "repo/base/log.h"
#include "repo/format/object.h"
#include "repo/store/store.h"
#include "repo/write/gc_put.h"

static void
copy_packs(struct gc_packs *to, const struct gc_packs *from)
{
	for (size_t i = 0; i < from->n; i++)
		gc_packs_add(
			to, from->p[i].object, from->p[i].id, from->p[i].since);
}

/* Marks that something still met in this run. */
static void
keep_marks(struct check *c, struct gc_state *next)
{
	const struct gc_frames *lost = &c->state.lost;

	for (size_t i = 0; i < lost->n; i++) {
		struct frame_place at = { .off = lost->p[i].off,
			.len = lost->p[i].len,
			.object = lost->p[i].object };
		char name[OBJECT_NAME_MAX];
		const struct check_pack *p;

		memcpy(at.pack, lost->p[i].pack, OBJECT_ID_LEN);
		object_pack_name(name, at.object, at.pack);
		p = check_packs_find(&c->packs, at.object, at.pack);
		if (check_fault_find(c, name, at.off) ||
			(p && p->listed && at.off &&
				at.off + CHECK_END_LEN == p->size &&
				!c->o->read_data))
			gc_frames_add(&next->lost, &at);
		else
			c->res->unmarked++;
	}
}

static void
add_marks(struct check *c, struct gc_state *next)
{
	for (size_t i = 0; i < c->faults.n; i++) {
		const struct check_fault *f = c->faults.f[i];

		if (!f->is_frame || f->known)
			continue;
		gc_frames_add(&next->lost, &f->place);
		c->res->marked++;
	}
}

/* A store that lost the newest state cannot have another put in its place. */
static bool
can_follow(const struct check *c)
{
	for (size_t i = 0; i < c->faults.n; i++) {
		if (strncmp(c->faults.f[i]->object, "gc/", 3) == 0 &&
			strncmp(c->faults.f[i]->object, "gc/snap/", 8) != 0 &&
			c->state.n == 0)
			return false;
	}
	return true;
}

static int
put(struct check *c, const char *repo, struct gc_state *next, struct err *e)
{
	auto_sink struct sink *sink = NULL;
	int r = sink_open(repo, false, &sink, e);

	gc_state_sort(next);
	return r ? r : gc_put(c->rp, sink, next, NULL, e);
}

int
check_marks(struct check *c, const char *repo, struct err *e)
{
	struct gc_state next = { .n = c->state.n + 1,
		.time_ns = clock_wall_ns() };
	struct err why = ERR_INIT;
	int r = 0;

	(void)e;
	if (!can_follow(c))
		return 0;
	if (c->state.n)
		memcpy(next.previous, c->state_hash, HASH_LEN);
	copy_packs(&next.condemned, &c->state.condemned);
	copy_packs(&next.sentenced, &c->state.sentenced);
	copy_packs(&next.gone, &c->state.gone);
	keep_marks(c, &next);
	add_marks(c, &next);
	if (c->res->marked || c->res->unmarked)
		r = put(c, repo, &next, &why);
	if (r) {
		log_error("what is lost could not be marked: %s", why.text);
		c->res->marked = c->res->unmarked = 0;
	}
	gc_state_release(&next);
	return 0;
}
