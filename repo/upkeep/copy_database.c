/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A database, moment after moment: what is a snapshot there becomes a base here,
 * every other moment a delta of the pages that differ from the moment before.
 * In the end the hash of the whole database is compared.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "repo/base/auto.h"
#include "repo/base/buf.h"
#include "repo/base/hex.h"
#include "repo/base/state_dir.h"
#include "repo/crypto/id.h"
#include "repo/upkeep/copy_pages.h"
#include "repo/upkeep/copy_private.h"
#include "repo/write/delta_writer.h"

/* Moments asked for at once. */
#define MOMENTS 256

struct copying {
	struct copy_run *r;
	struct delta_writer *dw;
	struct copy_pages *last; /* as the target has it; NULL: not open */
	size_t generation;	 /* that it is of */
	uint64_t seq;		 /* its order in the source */
	char id[HISTORY_ID_MAX + 1];
	bool found; /* last is what the target's newest was copied from */
	bool newer; /* it is unknown: moments newer than that are copied */
	int64_t newer_ns;
	uint64_t unproved; /* deltas since the hash was compared */
};

static void
copying_release(struct copying *c)
{
	copy_pages_free(c->last);
	delta_writer_free(c->dw);
}

#define auto_copying AUTO(copying_release)

/* -- Opening ---------------------------------------------------------------------- */

/* Where hashes of the target's pages are kept from run to run. */
static char *
hash_dir(const struct copy_run *r)
{
	auto_free char *source = xasprintf("%s/%s", r->host, r->name);
	auto_free char *below = NULL;
	uint8_t hash[HASH_LEN];
	char hex[33], *path;

	sha256(source, strlen(source), hash);
	below = xasprintf("%s/copy/%s/hashes", r->c->to->id,
		hex_encode(hex, hash, 16));
	path = state_dir(below);
	state_dir_make(path);
	*strrchr(path, '/') = '\0';
	return path;
}

static int
open_writer(struct copying *c, const struct copy_pages *p, struct err *e)
{
	struct copy_run *r = c->r;
	auto_free char *dir = hash_dir(r);
	struct delta_writer_options o = { .host = r->host,
		.name = r->name,
		.file = p->file,
		.path = p->path,
		.state_dir = dir };

	if (!*dir)
		return err_set(e, ENOENT, "no directory to keep hashes in: set "
			"HOME or XDG_STATE_HOME");
	return delta_writer_open(r->c->w, &o, &c->dw, e);
}

static int
open_moment(struct copying *c, const struct history_point *p,
	struct copy_pages **pages, struct err *e)
{
	auto_view struct view *v = NULL;
	int r = history_open_moment(c->r->c->o.from, c->r->l, p, &v, e);

	return r ? r : copy_pages_open(v, pages, e);
}

/* -- One moment --------------------------------------------------------------------- */

static void
take(struct copying *c, struct copy_pages **now, const struct history_point *p)
{
	copy_pages_free(c->last);
	c->last = steal(*now);
	c->generation = p->generation;
	c->seq = p->seq;
	c->found = true;
}

static void
tell(struct copying *c, const struct history_point *p,
	const struct backup_result *b)
{
	const struct copy_event ev = { .host = c->r->host,
		.name = c->r->name,
		.point = p,
		.id = b->id,
		.new_bytes = b->new_bytes,
		.stored = b->stored };

	c->r->result->copied++;
	c->r->c->o.copied(c->r->c->o.ctx, &ev);
}

static int
make_base(struct copying *c, const struct history_point *p,
	struct copy_pages *now, const uint8_t *origin, struct err *e)
{
	const struct copy_options *o = &c->r->c->o;
	struct delta_writer_base b = { .pages = { .page_size = now->page_size,
						.n = now->n,
						.read = copy_pages_read,
						.ctx = now },
		.time_ns = p->time_ns,
		.continues = c->found && c->generation == p->generation,
		.opaque = origin,
		.opaque_len = COPY_ORIGIN_LEN,
		.mode = now->attr.mode & 0777,
		.uid = now->attr.uid,
		.gid = now->attr.gid,
		.limit_upload = o->limit_upload,
		.interrupted = o->interrupted,
		.progress = o->progress,
		.ctx = o->ctx };
	struct backup_result result = { .id = "" };
	int r = copy_pages_prove(now, e);

	if (!r)
		r = delta_writer_base(c->dw, &b, &result, e);
	if (!r)
		r = copy_pages_proved(now, e);
	if (!r)
		tell(c, p, &result);
	c->unproved = 0;
	return r;
}

static int
make_delta(struct copying *c, const struct history_point *p,
	struct copy_pages *now, const uint8_t *origin, struct err *e)
{
	struct copy_changes ch = { .now = now };
	struct delta_writer_delta d = { .read = copy_changes_read,
		.ctx = &ch,
		.pages = now->n,
		.time_ns = p->time_ns,
		.opaque = origin,
		.opaque_len = COPY_ORIGIN_LEN };
	int r = copy_changes_find(&ch, c->last, e);

	d.pgno = ch.pgno;
	d.n = ch.n;
	if (!r)
		r = delta_writer_delta(c->dw, &d, e);
	copy_changes_release(&ch);
	c->unproved += !r;
	return r;
}

static int
copy_moment(struct copying *c, const struct history_point *p, struct err *e)
{
	struct copy_run *r = c->r;
	uint8_t origin[COPY_ORIGIN_LEN];
	struct copy_pages *now = NULL;
	struct delta_writer_state s;
	bool base = history_moment_snapshot(r->l, p) != HISTORY_NONE;
	int rc;

	if (r->c->o.dry_run) {
		r->result->moments++;
		return 0;
	}
	rc = open_moment(c, p, &now, e);
	if (!rc && !c->dw)
		rc = open_writer(c, now, e);
	copy_origin(r, p->id, origin);
	if (!rc) {
		delta_writer_state(c->dw, &s);
		base = base || !c->last || c->generation != p->generation ||
		       !s.can_delta || s.page_size != now->page_size;
		rc = base ? make_base(c, p, now, origin, e)
			  : make_delta(c, p, now, origin, e);
		if (rc == -EOVERFLOW)
			rc = make_base(c, p, now, origin, e);
	}
	if (!rc) {
		r->result->moments++;
		take(c, &now, p);
	}
	copy_pages_free(now);
	return rc;
}

/* -- All of them ------------------------------------------------------------------------ */

struct batch {
	const struct copying *c;
	struct history_point p[MOMENTS];
	size_t n;
	uint64_t seq; /* the last one's */
	bool any;
};

static bool
add_moment(void *ctx, const struct history_point *p)
{
	struct batch *b = ctx;

	if (b->any && p->seq <= b->seq)
		return true;
	b->p[b->n++] = *p;
	b->seq = p->seq;
	b->any = true;
	return b->n < MOMENTS;
}

static bool
is_new(const struct copying *c, const struct history_point *p)
{
	if (c->newer)
		return p->time_ns > c->newer_ns;
	return !c->found || p->generation > c->generation ||
	       (p->generation == c->generation && p->seq > c->seq);
}

static int
copy_batch(struct copying *c, const struct batch *b, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < b->n && !r; i++) {
		if (copy_interrupted(c->r->c))
			return err_set(e, ECANCELED, "interrupted");
		if (!is_new(c, &b->p[i])) {
			c->r->result->skipped++;
			continue;
		}
		c->newer = false;
		r = copy_moment(c, &b->p[i], e);
		if (r)
			err_prefix(e, "%s", b->p[i].name);
	}
	return r;
}

/* Call f with the moments of all generations, some at a time. */
static int
each_batch(struct copying *c,
	int (*f)(struct copying *c, const struct batch *b, struct err *e),
	struct err *e)
{
	const struct copy_run *r = c->r;
	auto_free struct batch *b = xmalloc(sizeof(*b));
	int rc = 0;

	for (uint32_t g = 0; g < r->s->n_generations && !rc; g++) {
		int64_t from = INT64_MIN;

		b->c = c;
		b->any = false;
		do {
			b->n = 0;
			rc = history_moments(r->c->o.from, r->l,
				r->s->first_generation + g, from, add_moment,
				b, e);
			if (b->n)
				from = b->p[b->n - 1].time_ns;
			if (!rc)
				rc = f(c, b, e);
		} while (!rc && b->n == MOMENTS);
	}
	return rc;
}

/* -- Where the last copy ended -------------------------------------------------------------- */

static int
find_in_batch(struct copying *c, const struct batch *b, struct err *e)
{
	struct delta_writer_state s;

	(void)e;
	delta_writer_state(c->dw, &s);
	for (size_t i = 0; i < b->n && s.opaque_len == COPY_ORIGIN_LEN; i++) {
		uint8_t origin[COPY_ORIGIN_LEN];

		copy_origin(c->r, b->p[i].id, origin);
		if (memcmp(origin, s.opaque, COPY_ORIGIN_LEN) != 0)
			continue;
		c->found = true;
		c->seq = b->p[i].seq;
		c->generation = b->p[i].generation;
		memcpy(c->id, b->p[i].id, sizeof(c->id));
	}
	return 0;
}

/* The state that the target has is what is there: deltas can follow. */
static int
go_on(struct copying *c, struct err *e)
{
	struct delta_writer_state s;
	struct history_point p;
	int r = history_moment_by_id(c->r->c->o.from, c->r->l, c->r->source,
		c->id, &p, e);

	if (!r)
		r = open_moment(c, &p, &c->last, e);
	if (r)
		return r;
	delta_writer_state(c->dw, &s);
	if (s.can_delta || s.closed || c->r->c->o.dry_run)
		return 0;
	r = copy_pages_adopt(c->last, c->dw, e);
	return r == -ESTALE ? 0 : r;
}

static int
begin(struct copying *c, struct err *e)
{
	const struct copy_run *r = c->r;
	const struct history_point *first = &r->l->points[r->s->first_point];
	struct copy_pages *pages = NULL;
	struct delta_writer_state s;
	int rc = open_moment(c, first, &pages, e);

	if (!rc)
		rc = open_writer(c, pages, e);
	copy_pages_free(pages);
	if (rc)
		return rc;
	delta_writer_state(c->dw, &s);
	if (!s.exists)
		return 0;
	rc = each_batch(c, find_in_batch, e);
	if (!rc && c->found)
		return go_on(c, e);
	c->newer = true;
	c->newer_ns = s.time_ns;
	return rc;
}

/* What was put together of deltas is, as a whole, what is there. */
static int
prove(struct copying *c, struct err *e)
{
	int r;

	if (!c->unproved)
		return 0;
	r = copy_pages_adopt(c->last, c->dw, e);
	if (r == -ESTALE)
		return err_set(e, EBADMSG, "%s/%s: the copy has not the hash of "
			"the database that was copied", c->r->host, c->r->name);
	return r;
}

int
copy_has_pages(struct copy_run *r, bool *pages, struct err *e)
{
	auto_view struct view *v = NULL;
	struct copy_pages *p = NULL;
	int rc = history_open(r->c->o.from, r->l, r->s->first_point, &v, e);

	if (!rc)
		rc = copy_pages_open(v, &p, e);
	*pages = !rc;
	copy_pages_free(p);
	return rc == -EUCLEAN ? 0 : rc;
}

int
copy_database(struct copy_run *r, struct err *e)
{
	auto_copying struct copying c = { .r = r };
	int rc = begin(&c, e);

	if (!rc)
		rc = each_batch(&c, copy_batch, e);
	if (!rc)
		rc = prove(&c, e);
	return rc;
}
