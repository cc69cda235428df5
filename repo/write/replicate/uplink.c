/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The side of a replication that uploads.  Each delta and base carries the
 * lineage of the queue and the number of the last unit in it, so that after any
 * death what the store has tells which units it still lacks.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include "repo/base/auto.h"
#include "repo/base/bytes.h"
#include "repo/base/clock.h"
#include "repo/base/log.h"
#include "repo/write/replicate/replication_private.h"

#define BACKOFF_MIN_NS NS_PER_S
#define BACKOFF_MAX_NS (60 * NS_PER_S)
#define OPAQUE_VERSION 1

/* -- What goes with a delta -------------------------------------------------
 */

static void
opaque_encode(struct replication *rp, uint64_t unit, const struct position *at,
	struct buf *b)
{
	uint8_t lineage[QUEUE_LINEAGE_LEN];

	queue_lineage(rp->queue, lineage);
	buf_u8(b, OPAQUE_VERSION);
	buf_append(b, lineage, sizeof(lineage));
	buf_be64(b, unit);
	position_encode(at, b);
}

/* Whether what the store has is of our lineage, and up to which unit. */
static bool
is_ours(struct replication *rp, const struct delta_writer_state *s,
	uint64_t *unit, int64_t *time_ns)
{
	struct reader in = reader_of(s->opaque, s->opaque_len);
	uint8_t lineage[QUEUE_LINEAGE_LEN];
	const uint8_t *theirs;
	struct position at;
	uint8_t version;

	if (!s->exists || !queue_is_begun(rp->queue))
		return false;
	version = read_u8(&in);
	theirs = read_bytes(&in, QUEUE_LINEAGE_LEN);
	*unit = read_be64(&in);
	position_decode(&in, &at);
	queue_lineage(rp->queue, lineage);
	if (in.bad || version != OPAQUE_VERSION ||
		memcmp(theirs, lineage, sizeof(lineage)))
		return false;
	*time_ns = at.time_ns;
	return true;
}

static int
stored(struct replication *rp, uint64_t unit, int64_t time_ns, struct err *e)
{
	int r = queue_remove(rp->queue, unit, e);

	auto_lock(&rp->lock);
	rp->stored_unit = unit;
	rp->stored_ns = time_ns;
	if (rp->captured_ns < time_ns)
		rp->captured_ns = time_ns;
	rp->o.wake(rp->o.ctx, REPLICATION_WAKE_NEWS);
	return r;
}

/* -- Bases --------------------------------------------------------------------
 */

/* A base in the making. */
struct base {
	struct delta_writer_base b;
	struct buf opaque;
	struct position at;
	uint64_t unit;	 /* last one it stands for */
	uint64_t number; /* of replication.need */
};

static void
set_base(struct replication *rp, struct base *base, struct pages *p,
	const struct stat *st)
{
	opaque_encode(rp, base->unit, &base->at, &base->opaque);
	base->b.pages = (struct delta_writer_pages){
		.page_size = base->at.page_size,
		.n = base->at.pages,
		.read = pages_read,
		.ctx = p,
	};
	base->b.time_ns = base->at.time_ns;
	base->b.opaque = base->opaque.data;
	base->b.opaque_len = base->opaque.len;
	base->b.mode = st->st_mode & 07777;
	base->b.uid = st->st_uid;
	base->b.gid = st->st_gid;
	base->b.limit_upload = rp->o.limit_upload;
	base->b.interrupted = rp->o.interrupted;
}

static void
base_begun(struct replication *rp, const struct base *base)
{
	auto_lock(&rp->lock);
	rp->basing = base->number;
	rp->epoch += !base->b.continues;
	rp->phase = REPLICATION_BASE;
	rp->o.wake(rp->o.ctx, REPLICATION_WAKE_CAPTURE);
}

static int
hold_base(struct replication *rp, struct base *base, struct stat *st,
	struct pages **p, struct err *e)
{
	int r = capture_hold(rp->capture, e);

	if (r == -ESTALE) {
		base->b.continues = false;
		r = 0;
	}
	if (!r)
		r = capture_stat(rp->capture, st, e);
	if (!r)
		r = capture_base_begin(rp->capture, !base->b.continues, p,
			&base->at, &base->unit, e);
	return r;
}

static int
begin_base(struct replication *rp, struct base *base, struct err *e)
{
	struct stat st;
	struct pages *p;

	auto_lock(&rp->capturing);
	int r = hold_base(rp, base, &st, &p, e);

	/* what was held is another file by now: then of the one that has its
	 * name */
	if (r == -ESTALE) {
		capture_rest(rp->capture);
		base->b.continues = false;
		r = hold_base(rp, base, &st, &p, e);
	}
	if (r)
		return r;
	set_base(rp, base, p, &st);
	rp->base_runs = true;
	base_begun(rp, base);
	return 0;
}

static int
end_base(struct replication *rp, struct base *base, int result, struct err *e)
{
	struct err ignored;
	int r = result;

	buf_release(&base->opaque);
	pthread_mutex_lock(&rp->capturing);
	capture_base_end(rp->capture);
	rp->base_runs = false;
	if (result && !base->b.continues) {
		queue_drop(rp->queue, &ignored);
		capture_rest(rp->capture);
	}
	pthread_mutex_unlock(&rp->capturing);
	if (!r)
		r = stored(rp, base->unit, base->at.time_ns, e);
	auto_lock(&rp->lock);
	rp->basing = 0;
	if (!result) {
		rp->based = base->number;
		rp->phase = replication_needs_base(rp) ? REPLICATION_BASE
						       : REPLICATION_RUNNING;
		rp->bases++;
		rp->o.wake(rp->o.ctx, REPLICATION_WAKE_CAPTURE);
	}
	return r;
}

/* It may be the state that is newest in the store: then no base is needed. */
static bool
may_adopt(const struct base *base, const struct delta_writer_state *s)
{
	return s->exists && !s->closed && !base->b.continues &&
	       s->page_size == base->at.page_size && s->pages == base->at.pages;
}

/* A delta without pages says whose the deltas are that follow. */
static int
adopt(struct replication *rp, struct base *base, struct err *e)
{
	const struct delta_writer_delta d = { .pages = base->at.pages,
		.time_ns = base->at.time_ns,
		.opaque = base->opaque.data,
		.opaque_len = base->opaque.len };
	int r = delta_writer_adopt(rp->dw, &base->b.pages, e);

	return r ? r : delta_writer_delta(rp->dw, &d, e);
}

static int
write_base(struct replication *rp, struct base *base, struct err *e)
{
	struct delta_writer_state s;
	struct backup_result result;
	int r = -ESTALE;

	delta_writer_state(rp->dw, &s);
	if (may_adopt(base, &s))
		r = adopt(rp, base, e);
	if (r == -ESTALE)
		r = delta_writer_base(rp->dw, &base->b, &result, e);
	return r;
}

static int
make_base(struct replication *rp, struct err *e)
{
	struct base base = { .opaque = BUF_INIT };
	int r;

	pthread_mutex_lock(&rp->lock);
	base.number = rp->need;
	base.b.continues = rp->continues;
	pthread_mutex_unlock(&rp->lock);
	r = begin_base(rp, &base, e);
	if (r == -ENOTSUP || r == -ENOENT) {
		auto_lock(&rp->lock);
		rp->phase = REPLICATION_WAITING;
	}
	if (r)
		return r;
	r = end_base(rp, &base, write_base(rp, &base, e), e);
	rp->based_ns = clock_wall_ns();
	return r;
}

/* -- Deltas -------------------------------------------------------------------
 */

static int
read_page(void *ctx, size_t i, void *buf, struct err *e)
{
	return queue_unit_read(ctx, i, buf, e);
}

static int
write_delta(struct replication *rp, struct queue_unit *u, struct err *e)
{
	auto_free uint32_t *pgno = xmalloc((u->n + 1) * sizeof(*pgno));
	auto_buf struct buf opaque = BUF_INIT;
	struct delta_writer_delta d = { .pgno = pgno,
		.n = u->n,
		.read = read_page,
		.ctx = u,
		.pages = u->at.pages,
		.time_ns = u->at.time_ns };

	for (size_t i = 0; i < u->n; i++)
		pgno[i] = u->pages[i].pgno;
	opaque_encode(rp, u->number, &u->at, &opaque);
	d.opaque = opaque.data;
	d.opaque_len = opaque.len;
	return delta_writer_delta(rp->dw, &d, e);
}

/* What the store has after all, though a call said that it failed. */
static int
go_on(struct replication *rp, struct err *e)
{
	struct delta_writer_state s;
	uint64_t unit;
	int64_t time_ns;

	delta_writer_state(rp->dw, &s);
	if (is_ours(rp, &s, &unit, &time_ns))
		return stored(rp, unit, time_ns, e);
	return err_set(e, EEXIST, "%s: the store has a delta of somebody else",
		rp->o.path);
}

/* What was put takes as long as it may, before anything else is. */
static void
slow_down(struct replication *rp)
{
	struct delta_writer_state s;
	int64_t ns;

	if (!rp->o.limit_upload)
		return;
	delta_writer_state(rp->dw, &s);
	ns = (int64_t)((double)s.len * NS_PER_S / (double)rp->o.limit_upload);
	rp->retry_ns = clock_mono_ns() + ns;
}

/* 1 a unit was stored, 0 there is none. */
static int
upload_unit(struct replication *rp, struct err *e)
{
	auto_queue_unit struct queue_unit u = QUEUE_UNIT_INIT;
	struct err why = ERR_INIT;
	int r = queue_oldest(rp->queue, &u, e);

	if (r)
		return r == -ENOENT ? 0 : r;
	r = write_delta(rp, &u, &why);
	switch (-r) {
	case 0:
		r = stored(rp, u.number, u.at.time_ns, e);
		slow_down(rp);
		pthread_mutex_lock(&rp->lock);
		rp->deltas++;
		pthread_mutex_unlock(&rp->lock);
		return r ? r : 1;
	case EALREADY:
		r = go_on(rp, e);
		return r ? r : 1;
	case ESTALE:
	case EOVERFLOW:
		log_info("%s: %s: a new base", rp->o.path, why.text);
		replication_need_base(rp, true, NULL);
		return 1;
	}
	*e = why;
	return r;
}

/* -- One step
 * ------------------------------------------------------------------ */

static int
open_store(struct replication *rp, struct writer *w, struct err *e)
{
	const struct delta_writer_options o = { .host = rp->o.host,
		.name = rp->o.name,
		.file = rp->file,
		.path = rp->o.path,
		.state_dir = rp->delta_dir };

	rp->settled = false;
	return delta_writer_open(w, &o, &rp->dw, e);
}

/* Compare the queue with what the store has. */
static int
settle(struct replication *rp, struct err *e)
{
	struct delta_writer_state s;
	uint64_t unit;
	int64_t time_ns;
	int r = 0;

	delta_writer_state(rp->dw, &s);
	rp->based_ns = s.exists ? s.time_ns : clock_wall_ns();
	rp->settled = true;
	if (is_ours(rp, &s, &unit, &time_ns)) {
		r = stored(rp, unit, time_ns, e);
		if (!r && !s.can_delta)
			replication_need_base(rp, true, NULL);
	} else {
		replication_need_base(rp, false, NULL);
	}
	return r;
}

static bool
needs_base(struct replication *rp, bool *continues)
{
	auto_lock(&rp->lock);
	*continues = rp->continues;
	return replication_needs_base(rp);
}

/* Units of ours that follow what the store has go first, whatever comes. */
static bool
can_upload(struct replication *rp)
{
	struct delta_writer_state s;
	uint64_t unit;
	int64_t time_ns;

	delta_writer_state(rp->dw, &s);
	return s.can_delta && is_ours(rp, &s, &unit, &time_ns);
}

static bool
base_is_due(struct replication *rp)
{
	struct delta_writer_state s;

	delta_writer_state(rp->dw, &s);
	return s.n > 0 && clock_wall_ns() - rp->based_ns >= rp->o.snapshot_ns;
}

/* 1 there may be more to do, 0 nothing. */
static int
step(struct replication *rp, struct writer *w, struct err *e)
{
	bool continues;
	int r = rp->dw ? 0 : open_store(rp, w, e);

	if (!r && !rp->settled)
		r = settle(rp, e);
	if (!r && can_upload(rp))
		r = upload_unit(rp, e);
	if (r)
		return r;
	if (!needs_base(rp, &continues)) {
		if (!base_is_due(rp))
			return 0;
		replication_need_base(rp, true, NULL);
	}
	r = make_base(rp, e);
	return r ? r : 1;
}

static void
lose(struct replication *rp, const struct err *e)
{
	log_error("%s: %s", rp->o.path, e->text);
	auto_lock(&rp->lock);
	rp->phase = REPLICATION_LOST;
	rp->upload_failed = true;
	err_set(&rp->upload_error, EEXIST,
		"%s: %s", rp->o.path, e->text);
	replication_keep_error(rp, &rp->upload_error);
	rp->o.wake(rp->o.ctx, REPLICATION_WAKE_CAPTURE);
}

/* What is wrong with the database itself is looked at again soon. */
static int64_t
back_off(struct replication *rp, int code)
{
	if (code == ENOTSUP || code == ENOENT || code == EBUSY)
		return 2 * BACKOFF_MIN_NS;
	if (!rp->backoff_ns)
		return BACKOFF_MIN_NS;
	return rp->backoff_ns * 2 > BACKOFF_MAX_NS ? BACKOFF_MAX_NS
						   : rp->backoff_ns * 2;
}

static int64_t
fail(struct replication *rp, const struct err *e)
{
	if (!rp->backoff_ns && !rp->o.silent)
		log_warn("%s", e->text);
	rp->backoff_ns = back_off(rp, e->code);
	rp->retry_ns = clock_mono_ns() + rp->backoff_ns;
	auto_lock(&rp->lock);
	rp->upload_failed = true;
	rp->upload_error = *e;
	replication_keep_error(rp, e);
	rp->o.wake(rp->o.ctx, REPLICATION_WAKE_NEWS);
	return rp->retry_ns;
}

int64_t
replication_upload(struct replication *rp, struct writer *w)
{
	struct err e = ERR_INIT;
	int64_t now = clock_mono_ns();
	int r;

	pthread_mutex_lock(&rp->lock);
	r = rp->phase == REPLICATION_LOST;
	pthread_mutex_unlock(&rp->lock);
	if (r)
		return REPLICATION_NEVER;
	if (now < rp->retry_ns)
		return rp->retry_ns;
	r = step(rp, w, &e);
	if (r == -EEXIST)
		return lose(rp, &e), REPLICATION_NEVER;
	if (r < 0)
		return fail(rp, &e);
	if (rp->backoff_ns)
		log_info("%s: uploads go on", rp->o.path);
	rp->backoff_ns = 0;
	pthread_mutex_lock(&rp->lock);
	rp->upload_failed = false;
	pthread_mutex_unlock(&rp->lock);
	return r ? now : REPLICATION_NEVER;
}

void
replication_upload_end(struct replication *rp)
{
	delta_writer_free(rp->dw);
	rp->dw = NULL;
}
