/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is deleted while a run is under way.  There is no lock and no time in
 * it: gc/ is listed before anything else of the repository is asked for, and
 * again when the record has its name.  Who prunes makes the sentence visible,
 * then lists the records, then deletes; so one of the two sees the other.  A
 * look before the record finds most of what there is to be found without
 * anybody having seen the snapshot.
 *
 * Only if something was sentenced in between that this run did not avoid, which
 * takes longer than packs stay condemned, is it looked at what the snapshot
 * refers to.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include "repo/base/auto.h"
#include "repo/base/clock.h"
#include "repo/base/hex.h"
#include "repo/base/log.h"
#include "repo/native/gc_newest.h"
#include "repo/native/id_set.h"
#include "repo/write/catalogs.h"
#include "repo/write/refers.h"
#include "repo/write/run.h"

/* For so long what was listed is new enough to go by; that nothing is deleted
 * that is used does not depend on it. */
#define LISTED_NS (60 * NS_PER_S)
#define SORT_AT (64u << 10)

/* -- Beginning ------------------------------------------------------------- */

void
pruned_first_look(struct writer *w, struct store *s)
{
	w->gc_r = gc_newest_number(s, &w->gc_seen, &w->gc_e);
	w->gc_listed_ns = clock_mono_ns();
}

static bool
is_fresh(struct writer *w)
{
	int64_t listed_ns = w->gc_listed_ns;

	w->gc_listed_ns = 0; /* each run has a listing of its own */
	return listed_ns && clock_mono_ns() - listed_ns < LISTED_NS;
}

int
pruned_begin(struct run *run, struct err *e)
{
	struct writer *w = run->w;
	uint64_t newest = w->gc_seen;
	int r = 0;

	if (run_is_blind(run))
		return 0;
	/* without a first look nothing that came after it can be trusted */
	if (w->gc_r) {
		*e = w->gc_e;
		return w->gc_r;
	}
	if (!is_fresh(w))
		r = gc_newest_number(w->rp->store, &newest, e);
	return r ? r : avoid_begin(&run->avoid, w->rp, w->gc_seen, newest, e);
}

/* -- Looking ---------------------------------------------------------------- */

static void *
look_main(void *arg)
{
	struct run *run = arg;

	run->pruned_r = avoid_look(&run->avoid, run->w->rp, &run->pruned_e);
	return NULL;
}

void
pruned_look(struct run *run)
{
	if (run_is_blind(run) || run->o->dry_run)
		return;
	run->pruned_looking = run->w->stash &&
			      !pthread_create(&run->pruned_looker, NULL,
				      look_main, run);
	if (!run->pruned_looking)
		look_main(run);
}

static void
end_looking(struct run *run)
{
	if (run->pruned_looking)
		pthread_join(run->pruned_looker, NULL);
	run->pruned_looking = false;
}

void
pruned_release(struct run *run)
{
	end_looking(run);
	avoid_release(&run->avoid);
	free(run->segment_packs);
}

/* -- Checking ---------------------------------------------------------------- */

struct check {
	const struct avoid *avoid;
	struct id_set packs; /* referred to, some several times; if unsure */
	size_t sort_at; /* so many of them are too many */
	struct frame_place last[2]; /* told last, by type */
};

static void
note_used(struct check *c, const uint8_t id[OBJECT_ID_LEN])
{
	id_set_add(&c->packs, id);
	if (c->packs.n < c->sort_at)
		return;
	id_set_sort(&c->packs);
	c->sort_at = 2 * c->packs.n + SORT_AT;
}

static int
refuse(uint8_t object, const uint8_t *id, struct err *e)
{
	char name[OBJECT_NAME_MAX];

	object_pack_name(name, (enum object_type)object, id);
	return err_set(e, EAGAIN, "%s, which this snapshot needs, was pruned "
		"meanwhile: run it again", name);
}

static int
check_ref(void *ctx, const struct ref *r, struct err *e)
{
	struct check *c = ctx;
	const struct frame_place *at = &r->place;
	struct frame_place *last = &c->last[at->object == OBJECT_META];

	if (last->len && !memcmp(last->pack, at->pack, OBJECT_ID_LEN))
		return 0;
	*last = *at;
	if (gc_packs_find(&c->avoid->dead, at->object, at->pack))
		return refuse(at->object, at->pack, e);
	if (c->avoid->unsure)
		note_used(c, at->pack);
	return 0;
}

static bool
note_pack(void *ctx, const struct store_object *o)
{
	const char *base = strrchr(o->name, '/');
	uint8_t id[OBJECT_ID_LEN];

	if (base && !hex_decode(id, OBJECT_ID_LEN, base + 1))
		id_set_add(ctx, id);
	return true;
}

/* All packs are there, of which nobody could be asked what became of them. */
static int
check_there(struct run *run, struct check *c, struct err *e)
{
	auto_id_set struct id_set there = { .n = 0 };
	struct store *s = run->w->rp->store;
	int r = store_list_objects(s, "data/", "", note_pack, &there, e);

	if (!r)
		r = store_list_objects(s, "meta/", "", note_pack, &there, e);
	id_set_sort(&there);
	for (size_t i = 0; i < c->packs.n && !r; i++) {
		if (!id_set_has(&there, c->packs.ids[i]))
			r = refuse(OBJECT_DATA, c->packs.ids[i], e);
	}
	return r;
}

/* What the index segment of this run names will be believed by others. */
static int
check_segment(const struct run *run, struct err *e)
{
	for (uint32_t i = 0; i < run->n_segment_packs; i++) {
		const struct segment_pack *p = &run->segment_packs[i];

		if (gc_packs_find(&run->avoid.dead, p->object, p->id))
			return refuse(p->object, p->id, e);
	}
	return 0;
}

int
pruned_check(struct run *run, struct err *e)
{
	struct check c = { .avoid = &run->avoid, .sort_at = SORT_AT };
	int r;

	end_looking(run);
	r = run->pruned_r;
	if (r) {
		*e = run->pruned_e;
		return err_prefix(e, "cannot tell what was pruned meanwhile");
	}
	if (!avoid_suspects(&run->avoid))
		return 0;
	log_info("packs were deleted since this run began: looking whether "
		 "the snapshot refers to them");
	r = check_segment(run, e);
	if (!r)
		r = refers_walk(run->w->fetch, &run->root, check_ref, &c, e);
	if (!r && run->avoid.unsure)
		r = check_there(run, &c, e);
	id_set_release(&c.packs);
	return r;
}

/* -- Withdrawing --------------------------------------------------------------- */

int
pruned_withdraw(struct run *run, struct err *e)
{
	struct sink *sink = run->w->sink;
	struct err late = ERR_INIT;
	int r = sink_remove(sink, run->record_name, &late);

	if (r && r != -ENOENT) {
		struct err why = *e;

		return err_set(e, why.code, "%s; %s may not be whole and "
			"cannot be removed: %s", why.text, run->record_name,
			late.text);
	}
	if (*run->segment_name && check_segment(run, NULL) &&
		sink_remove(sink, run->segment_name, &late))
		log_warn("%s names packs that were pruned: %s",
			run->segment_name, late.text);
	if (catalogs_settle(run->w->rp, sink, &late))
		log_warn("a catalog may still have the snapshot that was "
			 "withdrawn: %s", late.text);
	return -e->code;
}
