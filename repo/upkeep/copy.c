/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/upkeep/copy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "repo/base/auto.h"
#include "repo/base/buf.h"
#include "repo/crypto/id.h"
#include "repo/upkeep/copy_private.h"
#include "repo/write/learned.h"

/* Each waits for a frame of its own. */
#define THREADS_FAR 16

/* -- Opening ------------------------------------------------------------------- */

void
copy_free(struct copy *c)
{
	if (!c)
		return;
	learned_free(c->learned);
	writer_free(c->w);
	if (c->to)
		history_free(c->to);
	free(c);
}

int
copy_new(const struct copy_options *o, struct copy **out, struct err *e)
{
	auto_copy struct copy *c = xcalloc(1, sizeof(*c));
	int r = writer_open(o->to, o->to_open, &c->w, e);

	c->o = *o;
	if (!r)
		r = history_open_repository(o->to, o->to_open, &c->to, e);
	if (r)
		return r;
	if (!strcmp(c->to->id, o->from->id))
		return err_set(e, EINVAL, "%s and %s are one repository; to "
			"make another copy of it as it is, use --mirror",
			o->from->name, o->to);
	c->learned = learned_new();
	*out = steal(c);
	return 0;
}

/* -- Where a copy comes from ------------------------------------------------------ */

static const char origin_magic[8] = "YORECOPY";

void
copy_origin(const struct copy_run *r, const char *id,
	uint8_t out[COPY_ORIGIN_LEN])
{
	auto_buf struct buf b = BUF_INIT;
	uint8_t hash[HASH_LEN];

	buf_printf(&b, "%s\n%s\n", r->c->o.from->id, id);
	buf_append(&b, r->s->host, strlen(r->s->host) + 1);
	buf_append(&b, r->s->name, strlen(r->s->name) + 1);
	sha256(b.data, b.len, hash);
	memcpy(out, origin_magic, sizeof(origin_magic));
	memcpy(out + sizeof(origin_magic), hash,
		COPY_ORIGIN_LEN - sizeof(origin_magic));
}

bool
copy_is_wanted(const struct copy_run *r, size_t point)
{
	return !r->wanted || r->wanted[point - r->s->first_point];
}

bool
copy_interrupted(const struct copy *c)
{
	return c->o.interrupted && atomic_load(c->o.interrupted);
}

int
copy_fail(struct copy_run *r, const struct history_point *p, int code,
	struct err *e)
{
	if (code == -ECANCELED || code == -EINTR || copy_interrupted(r->c))
		return code;
	r->result->failed++;
	r->c->o.failed(r->c->o.ctx, p, e);
	return 0;
}

struct history_listing *
copy_target(struct copy_run *r, size_t *source)
{
	struct history_listing *l = history_listing(r->c->to);

	*source = history_find_source(l, r->host, r->name);
	return l;
}

/* -- Trees ------------------------------------------------------------------------- */

/* What the target's newest snapshot of a source is, and was copied from. */
struct tip {
	bool exists;
	int64_t time_ns;
	size_t from; /* point in the source's listing, or HISTORY_NONE */
	struct view *target, *before; /* before may be NULL */
	uint8_t origin[COPY_ORIGIN_LEN];
	bool has_origin;
};

static void
tip_release(struct tip *t)
{
	view_put(steal(t->target));
	view_put(steal(t->before));
}

#define auto_tip AUTO(tip_release)

static size_t
find_origin(const struct copy_run *r, const uint8_t origin[COPY_ORIGIN_LEN])
{
	for (size_t i = r->s->n_points; i-- > 0;) {
		uint8_t one[COPY_ORIGIN_LEN];

		copy_origin(r, r->l->points[r->s->first_point + i].id, one);
		if (!memcmp(one, origin, COPY_ORIGIN_LEN))
			return r->s->first_point + i;
	}
	return HISTORY_NONE;
}

/* The two views beside which the next one is walked, if they are alike. */
static void
look_before(struct copy_run *r, struct tip *t, struct view *before)
{
	struct view_about then, now;

	t->before = before ? view_get(before) : NULL;
	if (!before && t->from != HISTORY_NONE &&
		history_open(r->c->o.from, r->l, t->from, &t->before, NULL))
		t->before = NULL;
	if (!t->before)
		return;
	view_about(t->before, &then);
	view_about(t->target, &now);
	/* some of it was left out */
	if (then.n_errors != now.n_errors)
		view_put(steal(t->before));
}

static int
look_at_tip(struct copy_run *r, struct tip *t, struct view *before,
	struct err *e)
{
	size_t source, newest;
	auto_listing struct history_listing *l = copy_target(r, &source);
	struct view_about about;
	int rc;

	tip_release(t);
	*t = (struct tip){ .exists = source != HISTORY_NONE,
		.from = HISTORY_NONE };
	if (!t->exists)
		return 0;
	if (l->sources[source].kind == HISTORY_DATABASE)
		return err_set(e, EEXIST, "%s: %s/%s is a database there",
			r->c->o.to, r->host, r->name);
	newest = l->sources[source].first_point +
		 l->sources[source].n_points - 1;
	t->time_ns = l->points[newest].time_ns;
	rc = history_open(r->c->to, l, newest, &t->target, e);
	if (rc)
		return rc;
	view_about(t->target, &about);
	t->has_origin = about.opaque_len == COPY_ORIGIN_LEN;
	if (!t->has_origin)
		return 0;
	memcpy(t->origin, about.opaque, COPY_ORIGIN_LEN);
	t->from = find_origin(r, t->origin);
	look_before(r, t, before);
	return 0;
}

static void
tell(struct copy_run *r, const struct history_point *p,
	const struct backup_result *b)
{
	const struct copy_event ev = { .host = r->host,
		.name = r->name,
		.point = p,
		.id = b->id,
		.new_bytes = b->new_bytes,
		.stored = b->stored };

	r->result->copied++;
	r->c->o.copied(r->c->o.ctx, &ev);
}

static bool
begins_generation(const struct copy_run *r, const struct tip *t, size_t point)
{
	return t->from != HISTORY_NONE &&
	       r->l->points[t->from].generation !=
		       r->l->points[point].generation;
}

static int
copy_view(struct copy_run *r, const struct tip *t, size_t point, struct view *v,
	struct backup_result *result, struct err *e)
{
	const struct history_point *p = &r->l->points[point];
	const struct copy_options *o = &r->c->o;
	uint8_t origin[COPY_ORIGIN_LEN];
	struct view_about about;
	struct backup_copy copy = { .view = v,
		.before = t->before,
		.target = t->target,
		.before_opaque = t->origin,
		.before_opaque_len = t->has_origin ? COPY_ORIGIN_LEN : 0,
		.learned = r->c->learned,
		.begins = begins_generation(r, t, point),
		.lenient = o->lenient,
		.opaque = origin,
		.opaque_len = COPY_ORIGIN_LEN };
	struct backup_options b = { .host = r->host,
		.name = r->name,
		.tags = p->tags,
		.n_tags = p->n_tags,
		.time_ns = p->time_ns,
		.copy = &copy,
		.dry_run = o->dry_run,
		.limit_upload = o->limit_upload,
		.threads = o->from->local_path ? 0 : THREADS_FAR,
		.interrupted = o->interrupted,
		.report = o->report,
		.progress = o->progress,
		.ctx = o->ctx };

	view_about(v, &about);
	copy_origin(r, p->id, origin);
	copy.began_ns = about.began_ns;
	copy.ended_ns = about.ended_ns;
	copy.n_errors = about.n_errors;
	b.path = about.path;
	return writer_backup(r->c->w, &b, result, e);
}

/* Copy one; then that is what the next one follows. */
static int
copy_point(struct copy_run *r, struct tip *t, size_t point, struct err *e)
{
	const struct history_point *p = &r->l->points[point];
	auto_view struct view *v = NULL;
	struct backup_result result = { .id = "" };
	int rc = history_open(r->c->o.from, r->l, point, &v, e);

	if (rc)
		return rc;
	if (!r->c->o.dry_run)
		rc = copy_view(r, t, point, v, &result, e);
	r->result->errors += result.errors;
	if (rc)
		return rc;
	tell(r, p, &result);
	if (r->c->o.dry_run)
		return 0;
	rc = history_refresh(r->c->to, e);
	return rc ? rc : look_at_tip(r, t, v, e);
}

/* Where to go on: behind what was copied last, or what is newer than all. */
static size_t
first_to_copy(const struct copy_run *r, const struct tip *t)
{
	size_t i = r->s->first_point, end = i + r->s->n_points;

	if (t->from != HISTORY_NONE)
		return t->from + 1;
	while (t->exists && i < end && r->l->points[i].time_ns <= t->time_ns)
		i++;
	return i;
}

static int
copy_tree(struct copy_run *r, struct err *e)
{
	auto_tip struct tip t = { .from = HISTORY_NONE };
	size_t end = r->s->first_point + r->s->n_points, i;
	int rc = look_at_tip(r, &t, NULL, e);

	if (rc)
		return rc;
	i = first_to_copy(r, &t);
	for (size_t k = r->s->first_point; k < i; k++)
		r->result->skipped += copy_is_wanted(r, k);
	for (; i < end && !rc; i++) {
		if (!copy_is_wanted(r, i))
			continue;
		rc = copy_interrupted(r->c) ? err_set(e, ECANCELED, "interrupted")
					    : copy_point(r, &t, i, e);
		if (rc)
			rc = copy_fail(r, &r->l->points[i], rc, e);
	}
	return rc;
}

int
copy_source(struct copy *c, const struct history_listing *l, size_t source,
	const bool *wanted, struct copy_result *result, struct err *e)
{
	struct copy_run r = { .c = c,
		.l = l,
		.s = &l->sources[source],
		.source = source,
		.host = c->o.host ? c->o.host : l->sources[source].host,
		.name = c->o.name ? c->o.name : l->sources[source].name,
		.wanted = wanted,
		.result = result };

	bool pages = false;
	int rc = 0;

	if (r.s->kind == HISTORY_DATABASE)
		rc = copy_has_pages(&r, &pages, e);
	if (rc)
		return rc;
	return pages ? copy_database(&r, e) : copy_tree(&r, e);
}
