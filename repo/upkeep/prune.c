/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The order of steps, which is all that makes it safe (DESIGN, "Pruning"):
 * everything before the first state is put only looks; packs are deleted when
 * the state that sentences them can be seen by every writer, and what such a
 * writer may have put before it could see it has been looked at.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "repo/base/auto.h"
#include "repo/base/clock.h"
#include "repo/upkeep/compact.h"
#include "repo/upkeep/now.h"
#include "repo/upkeep/prune_private.h"
#include "repo/upkeep/stretch.h"

#define MEMORY (64u << 20)
#define FETCH_MEMORY (32u << 20)
#define INDEX_MEMORY (16u << 20)

int
prune_check_interrupted(const struct prune *p, struct err *e)
{
	if (p->o->interrupted && *p->o->interrupted)
		return err_set(e, EINTR, "interrupted");
	return 0;
}

static void
begin(struct prune *p)
{
	const struct prune_options *o = p->o;
	const struct fetch_options fo = { .memory = FETCH_MEMORY };

	p->grace_ns = o->grace_ns ? o->grace_ns : PRUNE_GRACE_NS;
	p->keep_ns = o->unsafe || p->grace_ns > PRUNE_KEEP_NS ? p->grace_ns
							      : PRUNE_KEEP_NS;
	o->rp->store = stretch_store(o->rp->store, false);
	p->index = index_new(o->rp, INDEX_MEMORY);
	p->fetch = fetch_new(o->rp->store, o->rp->keys, &fo);
	fetch_set_locator(p->fetch, index_locate, p->index);
}

static void
release(struct prune *p)
{
	live_free(p->live);
	fetch_free(p->fetch);
	index_free(p->index);
	gc_state_release(&p->state);
	stock_release(&p->stock);
	free(p->bases);
	free(p->old_gone.p);
}

static int
find_now(struct prune *p, struct err *e)
{
	if (p->o->dry_run) {
		p->now_ns = clock_wall_ns();
		return 0;
	}
	return now_by_store(p->o->rp->store, p->o->sink, &p->now_ns, e);
}

/* The newest snapshot of a source is never forgotten: that there is none at all
 * is no reason to delete everything. */
static int
check_any(const struct prune *p, struct err *e)
{
	if (p->stock.records.n || !p->stock.n_packs)
		return 0;
	return err_set(e, EUCLEAN,
		"%s: no snapshot is listed, but %zu packs are",
		p->o->rp->store->name, p->stock.n_packs);
}

/* Look at everything; nothing is changed. */
static int
look(struct prune *p, struct err *e)
{
	size_t n;
	int r = find_now(p, e);

	if (!r)
		r = stock_take(p->o->rp->store, &p->stock, e);
	if (!r)
		r = prune_load_state(p, e);
	if (!r)
		r = index_segments(p->index, &n, e);
	if (!r)
		r = stock_take_packs(p->o->rp->store, &p->stock, e);
	if (!r)
		r = prune_cross_check(p, e);
	if (!r)
		r = prune_check_named(p, e);
	if (!r)
		r = check_any(p, e);
	if (r)
		return r;
	prune_note_state(p);
	p->live = live_new(&p->stock, &p->state,
		p->o->memory ? p->o->memory : MEMORY);
	r = prune_walk(p, e);
	if (!r)
		r = live_settle(p->live, p->index, e);
	if (!r)
		r = prune_check_interrupted(p, e);
	return r;
}

/* The second phase, for what was condemned long ago. */
static int
finish(struct prune *p, struct err *e)
{
	int r = 0;

	prune_resurrect(p);
	r = prune_check_heirs(p, e);
	if (r || !prune_sentence(p) || p->o->dry_run)
		return r;
	r = prune_put_state(p, e);
	if (!r)
		r = prune_look_again(p, e);
	if (!r)
		r = prune_delete_packs(p, e);
	return r ? r : prune_put_state(p, e);
}

static int
compact(struct prune *p, struct err *e)
{
	const struct compact_options o = { .rp = p->o->rp,
		.sink = p->o->sink,
		.fetch = p->fetch,
		.stock = &p->stock,
		.live = p->live,
		.interrupted = p->o->interrupted,
		.data_pack_len = p->o->data_pack_len,
		.meta_pack_len = p->o->meta_pack_len,
		.memory = p->o->memory ? p->o->memory : MEMORY / 2 };
	struct compact_result res = { .packs = 0 };
	int r = compact_run(&o, &res, e);

	p->res->written.n = res.new_packs;
	p->res->written.bytes = res.new_bytes;
	return r;
}

/* The first phase. */
static int
condemn(struct prune *p, struct err *e)
{
	uint64_t before = p->state.condemned.n;
	int r = prune_choose(p, e);

	if (!r && !p->o->dry_run)
		r = compact(p, e);
	if (r)
		return r;
	prune_condemn(p);
	if (p->o->dry_run ||
		(!p->res->condemned.n && !p->res->copied.n &&
			!p->res->resurrected.n && before == p->state.condemned.n))
		return 0;
	return prune_put_state(p, e);
}

int
prune_run(const struct prune_options *o, struct prune_result *res,
	struct err *e)
{
	struct prune p = { .o = o, .res = res };
	int r;

	memset(res, 0, sizeof(*res));
	begin(&p);
	r = look(&p, e);
	if (!r)
		r = finish(&p, e);
	if (!r)
		r = prune_delete_others(&p, e);
	if (!r)
		r = condemn(&p, e);
	release(&p);
	return r;
}
