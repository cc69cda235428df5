/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The order of things.  Records are listed before packs, so that all that they
 * need is in the listing of packs; what is bad is known before trees are
 * walked, so that one walk names everything; the index comes last, since it is
 * compared with what the walk has met.
 */
#include "repo/upkeep/check_private.h"

#include <errno.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/base/clock.h"
#include "repo/native/gc_newest.h"
#include "repo/upkeep/stretch.h"

#define FETCH_MEMORY (8u << 20)
#define PAGES_MEMORY (2u << 20)
#define INDEX_MEMORY (8u << 20)
#define SORTER_MEMORY (16u << 20)
#define TELL_NS (NS_PER_S / 5)

/* -- What the parts share
 * -------------------------------------------------------- */

int
check_tick(struct check *c, uint64_t done, uint64_t total, struct err *e)
{
	struct check_progress p = { c->phase, done, total };
	int64_t now;

	if (c->o->interrupted && *c->o->interrupted)
		return err_set(e, ECANCELED, "interrupted");
	if (!c->o->progress)
		return 0;
	now = clock_mono_ns();
	if (now - c->told_ns < TELL_NS)
		return 0;
	c->told_ns = now;
	c->o->progress(c->o->ctx, &p);
	return 0;
}

bool
check_is_fault(int r)
{
	return r == -ENOENT || r == -EBADMSG || r == -EUCLEAN ||
	       r == -EPROTONOSUPPORT;
}

const char *
check_reason(const char *object, const struct err *why)
{
	size_t len = strlen(object);

	if (strncmp(why->text, object, len) || why->text[len] != ':')
		return why->text;
	return why->text + len + 2;
}

char *
check_label(const struct record *rec)
{
	char time[HISTORY_TIME_MAX + 1];

	history_print_time(time, rec->time_ns);
	return xasprintf("%s/%s@%s", rec->host, rec->name, time);
}

/* -- The end
 * ------------------------------------------------------------------------ */

static void
tell(struct check *c, const struct check_fault *f)
{
	const struct check_finding found = { .what = f->what,
		.cost = f->cost,
		.object = f->object,
		.off = f->off,
		.len = f->len,
		.text = f->text,
		.touched = f->touched,
		.n_touched = f->n_touched,
		.n_all = f->n_all,
		.known = f->known };

	if (c->o->found)
		c->o->found(c->o->ctx, &found);
}

/* What is marked and costs nobody anything is healed. */
static void
count(struct check *c, const struct check_fault *f)
{
	if (f->cost == CHECK_LOST)
		c->res->lost++;
	if (f->known && f->cost < CHECK_FORGOTTEN)
		c->res->known++;
	else if (f->what == CHECK_MISSING)
		c->res->missing++;
	else
		c->res->damaged++;
}

static void
tell_all(struct check *c)
{
	for (size_t i = 0; i < c->faults.n; i++) {
		count(c, c->faults.f[i]);
		tell(c, c->faults.f[i]);
	}
	c->res->truncated = c->faults.dropped > 0;
}

/* Packs that nothing needs: orphans of runs that were killed, and what prune
 * has yet to take away. */
static void
tell_unreferenced(struct check *c)
{
	for (uint32_t i = 0; i < c->packs.n; i++) {
		const struct check_pack *p = &c->packs.p[i];
		char name[OBJECT_NAME_MAX];
		struct check_finding f = { .what = CHECK_UNREFERENCED,
			.object = name,
			.text = "no snapshot needs the pack" };

		c->res->packs += p->listed;
		if (!p->listed || p->used)
			continue;
		c->res->unreferenced++;
		c->res->unreferenced_bytes += p->size;
		object_pack_name(name, p->object, p->id);
		if (c->o->found)
			c->o->found(c->o->ctx, &f);
	}
	c->res->pack_bytes = c->packs.bytes;
}

/* -- A run
 * ---------------------------------------------------------------------------
 */

static void
prepare(struct check *c)
{
	struct fetch_options fo = { .memory = FETCH_MEMORY };

	c->rp->store = stretch_store(c->rp->store, true);
	c->index = index_new(c->rp, INDEX_MEMORY);
	c->fetch = fetch_new(c->rp->store, c->rp->keys, &fo);
	c->deltas = deltas_new(c->rp, c->fetch);
	c->page_cache = page_cache_new(c->fetch, PAGES_MEMORY);
	c->refs = sorter_new(
		sizeof(struct check_ref), check_ref_compare, SORTER_MEMORY);
}

static int
list(struct check *c, struct err *e)
{
	uint64_t strange = 0;
	int r;

	c->phase = "listing";
	r = records_list(c->rp, "snap/", &c->places, e);
	for (size_t i = 1; i < c->places.n && !r; i++) {
		if (strcmp(c->places.p[i].name, c->places.p[i - 1].name) <= 0)
			check_listing_fault(c, c->places.p[i].name,
				"was listed twice or out of order");
	}
	if (!r)
		r = check_packs_list(&c->packs, c->rp->store, &strange, e);
	return r;
}

static int
run(struct check *c, const char *repo, struct err *e)
{
	int r = list(c, e);

	if (!r)
		r = check_states(c, e);
	if (!r)
		r = check_slots(c, e);
	if (!r && c->o->read_data)
		r = check_read(c, e);
	c->phase = "snapshots";
	if (!r)
		r = check_records(c, e);
	if (!r && c->o->read_data)
		check_read_end(c);
	c->phase = "forgotten";
	if (!r)
		r = check_trash(c, e);
	c->phase = "index";
	if (!r)
		r = check_index(c, e);
	if (!r && *c->packs.fault)
		r = err_set(e, EIO, "%s: the store's listing is wrong: %s",
			c->rp->store->name, c->packs.fault);
	if (!r && c->o->mark && repo)
		r = check_marks(c, repo, e);
	if (r)
		return r;
	tell_all(c);
	tell_unreferenced(c);
	return 0;
}

static void
release(struct check *c)
{
	check_faults_release(&c->faults);
	check_packs_release(&c->packs);
	scratch_release(&c->pages.table);
	record_places_release(&c->places);
	record_places_release(&c->trash);
	gc_state_release(&c->state);
	sorter_free(c->refs);
	page_cache_free(c->page_cache);
	deltas_free(c->deltas);
	fetch_free(c->fetch);
	index_free(c->index);
	repository_free(c->rp);
	free(c->bad.r);
	check_resume_release(&c->reading.resume);
}

static int
check_opened(struct check *c, const char *repo, struct err *e)
{
	int r;

	prepare(c);
	r = run(c, repo, e);
	release(c);
	return r;
}

int
check_run(const char *repo, const struct history_open_options *open,
	const struct check_options *o, struct check_result *result,
	struct err *e)
{
	struct check c = { .o = o, .res = result };
	struct history_open_options how = *open;
	int r;

	*result = (struct check_result){ .snapshots = 0 };
	how.cache_dir = ""; /* the store itself is to be proven */
	r = repository_open(repo, &how, &c.rp, e);
	return r ? r : check_opened(&c, repo, e);
}

int
check_run_on(struct store *s, const struct history_open_options *open,
	const struct check_options *o, struct check_result *result,
	struct err *e)
{
	struct check c = { .o = o, .res = result };
	int r;

	*result = (struct check_result){ .snapshots = 0 };
	r = repository_open_on(s, open, &c.rp, e);
	return r ? r : check_opened(&c, NULL, e);
}
