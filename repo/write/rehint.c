/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/write/rehint.h"

#include <errno.h>
#include "repo/base/auto.h"

static int
move(struct run *run, struct ref *r)
{
	return avoid_move(&run->avoid, run->w->index, r);
}

/* The extents of a file of size bytes, by the root page of their map. */
static enum rehint
look_at_map(struct run *run, struct parent_walk *pw, const struct ref *root,
	uint64_t size)
{
	struct parent_dir *pd = parent_extents_open(pw, root);
	enum rehint how = REHINT_AS_IS;
	const struct extent *x;
	uint64_t off = 0;

	while (how != REHINT_LOST && (x = parent_extents_next(pd))) {
		struct ref r = x->ref;

		off += x->len;
		if (off > size)
			break;
		if (x->hole || !avoid_has(&run->avoid, &r.place))
			continue;
		how = move(run, &r) ? REHINT_LOST : REHINT_MAP;
	}
	if (off != size || !parent_extents_whole(pd))
		how = REHINT_LOST;
	else if (how == REHINT_AS_IS && parent_extents_avoided(pd))
		how = REHINT_MAP;
	parent_dir_free(pd);
	return how;
}

static enum rehint
look_at_interior(
	struct run *run, struct parent_walk *pw, const struct entry *old)
{
	return old->interior ? look_at_map(run, pw, old->interior, old->size)
			     : REHINT_AS_IS;
}

enum rehint
rehint_content(struct run *run, struct parent_walk *pw,
	const struct entry *old, struct ref *ref)
{
	/* a copy would have to read the file elsewhere */
	bool gathers = !run->o->copy && spread_gathers(&run->spread, old);
	enum rehint how;

	if (!run->rehint && !gathers)
		return REHINT_AS_IS;
	if (old->content == CONTENT_CHUNK)
		return move(run, ref) ? REHINT_LOST : REHINT_AS_IS;
	if (old->content != CONTENT_MAP)
		return REHINT_AS_IS;
	how = look_at_map(run, pw, &old->ref, old->size);
	if (how == REHINT_AS_IS && look_at_interior(run, pw, old) != how)
		how = REHINT_MAP;
	return how == REHINT_AS_IS && gathers ? REHINT_MAP : how;
}

static int
room_for_item(struct run *run, struct err *e)
{
	return run->job && run->job->n_items >= JOB_ITEMS - 2
		       ? run_flush(run, e)
		       : 0;
}

static int
add_item(struct run *run, const struct extent *x, struct err *e)
{
	struct item *it;
	int r = room_for_item(run, e);

	if (r)
		return r;
	it = run_item(run, x->hole ? ITEM_HOLE : ITEM_CHUNK);
	it->en.size = x->len;
	if (x->hole)
		return 0;
	it->en.ref = x->ref;
	return move(run, &it->en.ref) ? -EIO : 0;
}

/* Interior pages, as far as they are still there all together. */
static int
add_interior(struct run *run, struct parent_walk *pw, const struct entry *old,
	struct err *e)
{
	struct parent_dir *pd;
	const struct extent *x;
	uint64_t off = 0;
	int r = 0;

	if (!old->interior || look_at_interior(run, pw, old) == REHINT_LOST)
		return 0;
	pd = parent_extents_open(pw, old->interior);
	while (!r && (x = parent_extents_next(pd))) {
		if (!x->hole) {
			struct item *it;

			r = room_for_item(run, e);
			if (r)
				break;
			it = run_item(run, ITEM_INTERIOR);
			it->off = off;
			it->en.size = x->len;
			it->en.ref = x->ref;
		}
		off += x->len;
	}
	parent_dir_free(pd);
	return r;
}

int
rehint_items(struct run *run, struct parent_walk *pw, const struct entry *old,
	struct err *e)
{
	struct parent_dir *pd = parent_extents_open(pw, &old->ref);
	const struct extent *x;
	uint64_t off = 0;
	int r = 0;

	while (!r && off < old->size && (x = parent_extents_next(pd))) {
		off += x->len;
		r = add_item(run, x, e);
	}
	if (r == -EIO || (!r && off != old->size))
		r = err_set(e, EIO, "the extents of a file of the snapshot "
			"before can no longer be read");
	parent_dir_free(pd);
	return r ? r : add_interior(run, pw, old, e);
}
