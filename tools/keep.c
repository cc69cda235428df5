/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/keep.h"

#include <errno.h>
#include <sys/stat.h>
#include "repo/base/log.h"
#include "tools/walk.h"

/* A whole object is small: a snapshot's record. */
#define WHOLE_MAX (16u << 20)
/* Decoded frames: room for a window of read-ahead whose content compresses
 * well. */
#define MEMORY (192u << 20)

static int
no_cache(const struct keep *k, const struct options *o)
{
	struct err e = ERR_INIT;

	if (k->history->local_path)
		err_set(&e, EINVAL,
			"%s: lies on this machine, so nothing of it"
			" is cached",
			o->repo);
	else if (!k->keys)
		err_set(&e, EINVAL,
			"%s: only of repositories of yore's is"
			" anything kept on purpose",
			o->repo);
	else
		err_set(&e, EINVAL, "%s: there is no disk cache", o->repo);
	return tool_fail(&e);
}

int
keep_open(struct keep *k, struct options *o, bool looking)
{
	int status;

	o->patient = true;
	o->memory = MEMORY;
	status = spot_open_repository(o, &k->history);
	if (status)
		return status;
	k->listing = history_listing(k->history);
	k->cache = keep_cache(k->history);
	k->keys = keep_keys(k->history);
	return k->cache || looking ? 0 : no_cache(k, o);
}

void
keep_release(struct keep *k)
{
	places_release(&k->places);
	history_listing_put(steal(k->listing));
	history_free(steal(k->history));
}

/* -- Gathering ---------------------------------------------------------------
 */

static void
add(void *ctx, const struct view_place *p)
{
	struct keep *k = ctx;

	places_add(&k->places, p);
}

/* Returns r when no other place will be read either. */
static int
survive(struct keep *k, int r, const struct err *e)
{
	if (r == 0)
		return 0;
	log_error("%s", e->text);
	k->failed = true;
	return r == -ENETDOWN || r == -EINTR ? r : 0;
}

/* *gone: it cannot be read. */
static int
gather_node(
	struct keep *k, struct view *v, const struct view_attr *a, bool *gone)
{
	struct err e = ERR_INIT;
	int r;

	k->entries++;
	*gone = false;
	if (!S_ISDIR(a->mode) && !a->has_xattrs &&
		!(S_ISREG(a->mode) && a->size > 0))
		return 0;
	r = view_places(v, a->node, VIEW_OWN, add, k, &e);
	*gone = r < 0;
	return survive(k, r, &e);
}

static int
gather_below(struct keep *k, const struct spot *p)
{
	auto_walk struct walk *w = walk_new(p->view, p->attr.node);
	const struct walk_entry *entry;
	struct err e = ERR_INIT;
	int r;

	while ((r = walk_next(w, &entry, &e)) != 0) {
		bool gone = false;

		if (r < 0)
			r = survive(k, r, &e);
		else if (entry->leaving)
			continue;
		else
			r = gather_node(k, p->view, &entry->attr, &gone);
		if (r < 0)
			return r;
		if (gone && S_ISDIR(entry->attr.mode))
			walk_skip(w);
	}
	return 0;
}

int
keep_gather(struct keep *k, const char *address, bool way)
{
	auto_spot struct spot p = { .view = NULL };
	struct err e = ERR_INIT;
	bool gone = false;
	int r = spot_open(k->history, k->listing, address, &p, &e);

	if (r == 0 && way)
		r = view_places(p.view, p.attr.node, VIEW_WAY, add, k, &e);
	if (r < 0)
		return tool_fail(&e);
	r = gather_node(k, p.view, &p.attr, &gone);
	if (r == 0 && S_ISDIR(p.attr.mode) && !gone)
		r = gather_below(k, &p);
	places_sort(&k->places);
	return r < 0 ? STATUS_FAILED : STATUS_DONE;
}

/* -- What is there -----------------------------------------------------------
 */

uint64_t
keep_cached(const struct keep *k, const struct view_place *p)
{
	struct cache_gaps gaps;
	uint64_t lacks = 0;

	if (!k->cache)
		return 0;
	if (p->len == UINT64_MAX) {
		auto_free uint8_t *data = NULL;
		size_t len;

		return cache_get(k->cache, p->object, WHOLE_MAX, &data, &len)
			       ? 0
			       : len;
	}
	if (cache_read(
		    k->cache, p->object, p->off, (size_t)p->len, NULL, &gaps))
		return p->len;
	for (unsigned i = 0; i < gaps.n; i++)
		lacks += gaps.gap[i].len;
	return p->len - lacks;
}

uint64_t
keep_missing(const struct keep *k)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < k->places.n; i++) {
		const struct view_place *p = &k->places.at[i];

		if (p->len != UINT64_MAX)
			sum += p->len - keep_cached(k, p);
	}
	return sum;
}
