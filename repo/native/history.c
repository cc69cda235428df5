/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdatomic.h>
#include "repo/fetch/cached.h"
#include "repo/native/database.h"
#include "repo/native/early.h"
#include "repo/native/history.h"
#include "repo/native/state.h"

#define MEMORY_LOCAL (60u << 20)
#define MEMORY_REMOTE (120u << 20) /* more has to be on its way */
#define INDEX_MEMORY_MAX (4u << 20)
#define LABEL_MAX (2 * 256 + HISTORY_TIME_MAX + 4)

static struct native_history *
native_history_of(struct history *h)
{
	return (struct native_history *)h; /* its first member */
}

static void
put(struct native_history *n)
{
	if (--n->refs > 0)
		return;
	if (n->listing)
		history_listing_put(&n->listing->l);
	page_cache_free(n->pages);
	fetch_free(n->fetch);
	moments_release(&n->moments);
	deltas_free(n->deltas);
	index_free(n->index);
	roster_release(&n->roster);
	repository_free(n->rp);
	pthread_mutex_destroy(&n->refresh_lock);
	pthread_mutex_destroy(&n->lock);
	free(n->history.name);
	free(n->history.local_path);
	free(n);
}

/* -- Listings ---------------------------------------------------------------------- */

static struct native_listing *
current(struct native_history *n)
{
	auto_lock(&n->lock);

	if (n->listing)
		history_listing_get(&n->listing->l);
	return n->listing;
}

static struct history_listing *
listing(struct history *h)
{
	return &current(native_history_of(h))->l;
}

static void
replace(struct native_history *n, struct native_listing *nl)
{
	struct native_listing *old;

	pthread_mutex_lock(&n->lock);
	old = n->listing;
	n->listing = nl;
	pthread_mutex_unlock(&n->lock);
	if (old)
		history_listing_put(&old->l);
}

/* The listing that an inventory comes to; NULL: the one before is as good. */
static struct native_listing *
new_listing(const struct inventory *iv, const struct native_listing *before)
{
	return iv->same ? NULL : native_listing_new(iv->r, iv->n, before);
}

/* Catalogs that lack what this user has seen lag behind, or somebody put the
 * store back: that is known once snap/ is listed. */
static int
look_again(struct native_history *n, const struct native_listing *before,
	struct inventory *iv, struct native_listing **nl, struct err *e)
{
	int r;

	if (!*nl || iv->whole || !state_is_behind(n->rp, *nl, before))
		return 0;
	history_listing_put(&(*nl)->l);
	r = roster_complete(&n->roster, before, iv, e);
	*nl = r ? NULL : new_listing(iv, before);
	return r;
}

static int
reload(struct native_history *n, struct err *e)
{
	auto_lock(&n->refresh_lock);
	auto_listing struct history_listing *held = NULL;
	auto_inventory struct inventory iv = { .n = 0 };
	struct native_listing *before = current(n), *nl;
	int r;

	held = before ? &before->l : NULL;
	r = roster_take(&n->roster, before, &iv, e);
	if (r)
		return r;
	nl = new_listing(&iv, before);
	r = look_again(n, before, &iv, &nl, e);
	if (r)
		return r;
	roster_keep(&n->roster, &iv);
	if (nl) {
		state_check(n->rp, nl, before);
		replace(n, nl);
	}
	return 0;
}

static int
refresh(struct history *h, struct err *e)
{
	struct native_history *n = native_history_of(h);
	int r;

	index_refresh(n->index);
	r = reload(n, e);
	if (r == 0) /* else the next question would wait for it, too */
		moments_refresh(&n->moments);
	return r;
}

/* -- Views ----------------------------------------------------------------------- */

/* A view of the history has lost its last reference. */
static void
view_gone(void *ctx, struct native_view *v)
{
	struct native_history *n = ctx;

	pthread_mutex_lock(&n->lock);
	for (struct native_view **at = &n->views; *at; at = &(*at)->next) {
		if (*at == v) {
			*at = v->next;
			break;
		}
	}
	pthread_mutex_unlock(&n->lock);
}

static void
view_freed(void *ctx)
{
	put(ctx);
}

/* Take a reference unless the last one is just being given up. */
static bool
try_get(struct native_view *v)
{
	int refs = v->view.refs;

	while (refs > 0) {
		if (atomic_compare_exchange_weak(&v->view.refs, &refs,
			    refs + 1))
			return true;
	}
	return false;
}

static struct view *
find_open(struct native_history *n, const uint8_t id[OBJECT_ID_LEN])
{
	auto_lock(&n->lock);

	for (struct native_view *v = n->views; v; v = v->next) {
		if (!memcmp(v->record.id, id, OBJECT_ID_LEN) && try_get(v))
			return &v->view;
	}
	return NULL;
}

/* The record must be the one the listing was made of. */
static int
load_record(struct native_history *n, const struct native_listing *nl,
	size_t point, const struct record_place *at, struct record *r,
	struct err *e)
{
	static const uint8_t unknown[HASH_LEN];
	const uint8_t *known = nl->extra[point].hash;
	uint8_t hash[HASH_LEN];
	int rc = records_load_one(n->rp, at, r, hash, e);

	if (rc == -ENOENT)
		return err_set(e, ESTALE, "%s: the snapshot has been removed",
			at->name);
	if (rc || !memcmp(known, unknown, HASH_LEN) ||
		!memcmp(known, hash, HASH_LEN))
		return rc;
	record_release(r);
	return err_set(e, EBADMSG, "%s: the record has been exchanged",
		at->name);
}

static int
open_view(struct native_history *n, const struct history_listing *l,
	size_t point, const struct record_place *at, struct record *r,
	struct view **view, struct err *e)
{
	const struct history_point *p = &l->points[point];
	const struct history_source *s = &l->sources[p->source];
	auto_free char *label =
		xasprintf("%s/%s@%s", s->host, s->name, p->name);
	const struct native_view_options o = { .pages = n->pages,
		.fetch = n->fetch,
		.label = label,
		.object = at->name,
		.gone = view_gone,
		.freed = view_freed,
		.ctx = n };
	struct native_view *v;
	int rc = native_view_new(&o, r, &v, e);

	if (rc)
		return rc;
	n->refs++;
	pthread_mutex_lock(&n->lock);
	v->next = n->views;
	n->views = v;
	pthread_mutex_unlock(&n->lock);
	*view = &v->view;
	return 0;
}

/* -- Databases --------------------------------------------------------------------- */

static void
database_options(struct native_history *n, const struct history_listing *l,
	const struct history_point *p, char *label,
	struct native_database_options *o)
{
	const struct history_source *s = &l->sources[p->source];

	snprintf(label, LABEL_MAX, "%s/%s@%s", s->host, s->name,
		*p->name ? p->name : p->id);
	*o = (struct native_database_options){ .deltas = n->deltas,
		.fetch = n->fetch,
		.pages = n->pages,
		.keys = n->rp->keys,
		.label = label,
		.time_ns = p->time_ns,
		.freed = view_freed,
		.ctx = n };
}

static int
database_view(struct native_history *n, struct native_database *d,
	struct view **view, struct err *e)
{
	n->refs++; /* given up by view_freed */
	return database_view_new(&d->database, view, e);
}

/* r is taken over. */
static int
open_base(struct native_history *n, const struct history_point *p,
	const struct history_listing *l, struct record *r, struct view **view,
	struct err *e)
{
	struct native_database_options o;
	struct native_database *d;
	char label[LABEL_MAX];
	int rc;

	database_options(n, l, p, label, &o);
	rc = native_database_base(&o, r, &d, e);
	record_release(r);
	return rc ? rc : database_view(n, d, view, e);
}

static int
open_moment(struct history *h, const struct history_listing *l,
	const struct history_point *p, struct view **view, struct err *e)
{
	struct native_history *n = native_history_of(h);
	auto_delta struct delta *top = NULL;
	struct native_database_options o;
	struct native_database *d;
	char label[LABEL_MAX];
	int r = moments_open(&n->moments, native_listing_of(l), p, &top, e);

	if (r)
		return r;
	database_options(n, l, p, label, &o);
	r = native_database_delta(&o, top, &d, e);
	return r ? r : database_view(n, d, view, e);
}

static int
each_moment(struct history *h, const struct history_listing *l,
	size_t generation, int64_t from_ns, history_each *each, void *ctx,
	struct err *e)
{
	return moments_each(&native_history_of(h)->moments,
		native_listing_of(l), generation, from_ns, each, ctx, e);
}

static int
moment_at(struct history *h, const struct history_listing *l, size_t source,
	int64_t t_ns, struct history_point *p, struct err *e)
{
	return moments_at(&native_history_of(h)->moments, native_listing_of(l),
		source, t_ns, p, e);
}

static int
moment_by_id(struct history *h, const struct history_listing *l, size_t source,
	const char *id, struct history_point *p, struct err *e)
{
	return moments_by_id(&native_history_of(h)->moments,
		native_listing_of(l), source, id, p, e);
}

static int
open_point(struct history *h, const struct history_listing *l, size_t point,
	struct view **view, struct err *e)
{
	struct native_history *n = native_history_of(h);
	const struct native_listing *nl = native_listing_of(l);
	struct record_place at;
	struct record r;
	int rc;

	native_listing_place(nl, point, &at);
	*view = find_open(n, at.id);
	if (*view)
		return 0;
	rc = load_record(n, nl, point, &at, &r, e);
	if (rc)
		return rc;
	if (r.is_database)
		return open_base(n, &l->points[point], l, &r, view, e);
	return open_view(n, l, point, &at, &r, view, e);
}

/* -- The rest --------------------------------------------------------------------- */

static void
stats(struct history *h, struct history_stats *s)
{
	struct native_history *n = native_history_of(h);
	struct cache *cache = cached_cache(n->rp->store);
	struct cache_counts c = { .hits = 0 };
	struct store_stats st;
	struct fetch_stats f;

	if (cache)
		cache_counts(cache, &c);
	store_stats(n->rp->store, &st);
	fetch_stats(n->fetch, &f);
	*s = (struct history_stats){ .store_lists = st.lists,
		.store_gets = st.gets,
		.store_bytes = st.bytes,
		.store_errors = st.errors,
		.store_retries = st.retries,
		.store_seconds = st.seconds,
		.cache_hits = c.hits,
		.cache_misses = c.misses,
		.cache_read_bytes = c.read_bytes,
		.cache_written_bytes = c.written_bytes,
		.cache_dropped_bytes = c.dropped_bytes,
		.frames_unsealed = f.unsealed,
		.memory_hits = f.memory_hits,
		.joined = f.joined,
		.ahead_frames = f.ahead_frames,
		.ahead_unused = f.ahead_unused,
		.ahead_bytes = f.ahead_bytes,
		.ahead_unread_bytes = f.ahead_unread_bytes,
		.memory_bytes = f.memory_bytes + page_cache_memory(n->pages) };
}

static void
free_(struct history *h)
{
	put(native_history_of(h));
}

static const struct history_ops ops = {
	.listing = listing,
	.refresh = refresh,
	.open = open_point,
	.stats = stats,
	.free = free_,
	.moments = each_moment,
	.moment_at = moment_at,
	.moment_by_id = moment_by_id,
	.open_moment = open_moment,
};

struct native_history *
native_history_if(struct history *h)
{
	return h->ops == &ops ? native_history_of(h) : NULL;
}

/* Half for frames, a third for pages: what they leave is for the allocator
 * and what readers hold. */
static void
share_memory(struct native_history *n, size_t memory)
{
	struct fetch_options o = { .memory = memory / 2 };
	size_t for_index = memory / 16;

	n->fetch = fetch_new(n->rp->store, n->rp->keys, &o);
	n->pages = page_cache_new(n->fetch, memory / 3);
	n->index = index_new(n->rp, for_index < INDEX_MEMORY_MAX
					    ? for_index
					    : INDEX_MEMORY_MAX);
}

int
native_history_new(struct repository *rp, size_t memory, struct history **h,
	struct err *e)
{
	struct native_history *n = xcalloc(1, sizeof(*n));
	int r;

	n->history.ops = &ops;
	n->history.name = xstrdup(rp->store->name);
	memcpy(n->history.id, rp->id_text, sizeof(rp->id_text));
	if (rp->store->local_path)
		n->history.local_path = xstrdup(rp->store->local_path);
	n->rp = rp;
	n->refs = 1;
	pthread_mutex_init(&n->refresh_lock, NULL);
	pthread_mutex_init(&n->lock, NULL);
	roster_init(&n->roster, rp);
	if (memory == 0)
		memory = n->history.local_path ? MEMORY_LOCAL : MEMORY_REMOTE;
	share_memory(n, memory);
	fetch_set_locator(n->fetch, index_locate, n->index);
	n->deltas = deltas_new(rp, n->fetch);
	moments_init(&n->moments, n->deltas);
	r = reload(n, e);
	early_free(steal(rp->early));
	if (r)
		put(n);
	else
		*h = &n->history;
	return r;
}
