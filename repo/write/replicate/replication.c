/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include "repo/base/auto.h"
#include "repo/base/clock.h"
#include "repo/base/log.h"
#include "repo/write/replicate/replication_private.h"

#define MS_NS 1000000LL
/*
 * Somebody who copies the log into the database may wait for our reader with
 * the writer's lock, to see all commits or to need no log any more.  So after
 * any change ours is made younger, often at first, until nothing has changed
 * for a while; what was committed is taken less often.
 */
#define SETTLE_NS (1000 * MS_NS)
#define SETTLE_STEP_MIN_NS (1 * MS_NS)
#define SETTLE_STEP_MAX_NS (40 * MS_NS)
#define TAKE_NS (40 * MS_NS)
/* Without a change for so long, let go of a database that nobody else uses. */
#define REST_NS (5 * NS_PER_S)
#define BUSY_NS (20 * MS_NS)
#define RETRY_NS (5 * NS_PER_S)

static int
make_dir(const char *path, struct err *e)
{
	if (mkdir(path, 0700) && errno != EEXIST)
		return err_sys(e, errno, "%s", path);
	return 0;
}

static void
copy_options(struct replication *rp, const struct replication_options *o)
{
	rp->o = *o;
	rp->o.path = xstrdup(o->path);
	rp->o.host = xstrdup(o->host);
	rp->o.name = xstrdup(o->name);
	rp->o.state_dir = xstrdup(o->state_dir);
	rp->file = xstrdup(strrchr(o->path, '/') + 1);
	rp->queue_dir = xasprintf("%s/queue", o->state_dir);
	rp->delta_dir = xasprintf("%s/pages", o->state_dir);
}

int
replication_new(const struct replication_options *o, struct replication **out,
	struct err *e)
{
	struct replication *rp = xcalloc(1, sizeof(*rp));
	struct position last;
	int r;

	pthread_mutex_init(&rp->capturing, NULL);
	pthread_mutex_init(&rp->lock, NULL);
	copy_options(rp, o);
	r = make_dir(rp->queue_dir, e);
	if (!r)
		r = make_dir(rp->delta_dir, e);
	if (!r)
		r = queue_open(rp->queue_dir, o->queue_limit, &rp->queue, e);
	if (r) {
		replication_free(rp);
		return r;
	}
	rp->capture = capture_new(rp->o.path, rp->queue);
	rp->idle_ns = clock_mono_ns();
	if (queue_is_begun(rp->queue)) {
		queue_last(rp->queue, &last);
		rp->captured_ns = last.time_ns;
	} else {
		replication_need_base(rp, false, NULL);
	}
	*out = rp;
	return 0;
}

void
replication_free(struct replication *rp)
{
	if (!rp)
		return;
	replication_upload_end(rp);
	capture_free(rp->capture);
	queue_free(rp->queue);
	free((void *)(uintptr_t)rp->o.path);
	free((void *)(uintptr_t)rp->o.host);
	free((void *)(uintptr_t)rp->o.name);
	free((void *)(uintptr_t)rp->o.state_dir);
	free(rp->file);
	free(rp->queue_dir);
	free(rp->delta_dir);
	pthread_mutex_destroy(&rp->capturing);
	pthread_mutex_destroy(&rp->lock);
	free(rp);
}

const char *
replication_path(const struct replication *rp)
{
	return rp->o.path;
}

const char *
replication_name(const struct replication *rp)
{
	return rp->o.name;
}

void
replication_keep_error(struct replication *rp, const struct err *e)
{
	rp->last_error = *e;
	rp->last_error_ns = clock_wall_ns();
}

void
replication_need_base(
	struct replication *rp, bool continues, const struct err *why)
{
	auto_lock(&rp->lock);
	if (!replication_needs_base(rp)) {
		rp->need_since_ns = clock_wall_ns();
		rp->continues = continues;
	}
	rp->continues &= continues;
	/* one that is being made already does not do */
	rp->need = (rp->basing > rp->based ? rp->basing : rp->based) + 1;
	if (rp->phase != REPLICATION_LOST)
		rp->phase = REPLICATION_BASE;
	if (why) {
		replication_keep_error(rp, why);
		log_warn("%s: a new generation begins", why->text);
	}
	rp->o.wake(rp->o.ctx, REPLICATION_WAKE_UPLOAD);
}

/* -- Capturing ----------------------------------------------------------------
 */

static void
set_phase(struct replication *rp, enum replication_phase phase)
{
	auto_lock(&rp->lock);
	if (rp->phase != REPLICATION_LOST)
		rp->phase = phase;
}

static void
note_failure(struct replication *rp, const struct err *e)
{
	pthread_mutex_lock(&rp->lock);
	rp->capture_failed = true;
	rp->capture_error = *e;
	replication_keep_error(rp, e);
	rp->o.wake(rp->o.ctx, REPLICATION_WAKE_NEWS);
	pthread_mutex_unlock(&rp->lock);
	if (!rp->complained && !rp->o.silent)
		log_warn("%s", e->text);
	rp->complained = true;
}

static void
note_success(struct replication *rp)
{
	auto_lock(&rp->lock);
	rp->capture_failed = false;
	rp->complained = false;
	if (rp->phase != REPLICATION_LOST && !replication_needs_base(rp))
		rp->phase = REPLICATION_RUNNING;
}

/* End a unit and make it durable; wanted: by whoever asked for a sync before
 * anything was taken. */
static int
cut(struct replication *rp, uint64_t wanted, struct err *e)
{
	struct position last;
	uint64_t unit;
	int r = queue_cut(rp->queue, &unit, e);

	if (!r)
		r = queue_sync(rp->queue, e);
	if (r)
		return r;
	rp->cut_ns = clock_mono_ns();
	queue_last(rp->queue, &last);
	auto_lock(&rp->lock);
	rp->captured_ns = last.time_ns;
	rp->seen_unit = unit;
	rp->seen_epoch = rp->epoch;
	rp->seen = wanted;
	rp->o.wake(rp->o.ctx, REPLICATION_WAKE_UPLOAD);
	return 0;
}

static uint64_t
wanted_sync(struct replication *rp, bool *pending)
{
	auto_lock(&rp->lock);
	*pending = rp->wanted != rp->seen;
	return rp->wanted;
}

/* Hold, take, cut if it is time, keep the log short. */
static int
take(struct replication *rp, bool all, bool *taken, struct err *e)
{
	struct queue_stats s;
	struct capture_stats cs;
	bool pending;
	uint64_t wanted = wanted_sync(rp, &pending);
	int r = capture_hold(rp->capture, e);

	rp->taken_ns = clock_mono_ns();
	if (!r)
		r = capture_take(rp->capture, taken, e);
	queue_stats(rp->queue, &s);
	if (!r && (all || pending ||
			  (s.open && clock_mono_ns() - rp->cut_ns >=
					     rp->o.sync_ns)))
		r = cut(rp, wanted, e);
	if (!r)
		r = capture_checkpoint(rp->capture, false, e);
	capture_stats(rp->capture, &cs);
	auto_lock(&rp->lock);
	rp->locked_ns_max = cs.locked_ns_max;
	return r;
}

/* Whether there is nothing to be done but to read what is there now: the file
 * is the one it was, and all was taken not long ago. */
static bool
may_refresh(struct replication *rp, int64_t now)
{
	auto_lock(&rp->lock);
	return now - rp->taken_ns < TAKE_NS &&
	       rp->file_changed_ns < rp->taken_ns && rp->wanted == rp->seen;
}

static int
look(struct replication *rp, bool all, bool *more, struct err *e)
{
	int r;

	if (!all && capture_holds(rp->capture) &&
		may_refresh(rp, clock_mono_ns())) {
		r = capture_refresh(rp->capture, more, e);
		if (r != -EAGAIN)
			return r;
	}
	return take(rp, all, more, e);
}

/* Told before, so that no change goes by unseen. */
static void
rest(struct replication *rp)
{
	pthread_mutex_lock(&rp->lock);
	rp->rests = true;
	pthread_mutex_unlock(&rp->lock);
	capture_rest(rp->capture);
}

/* Whoever waits sleeps longer each time, so the first looks matter most. */
static int64_t
settle_step(int64_t quiet_ns)
{
	int64_t step = quiet_ns / 8;

	return step < SETTLE_STEP_MIN_NS ? SETTLE_STEP_MIN_NS :
	       step > SETTLE_STEP_MAX_NS ? SETTLE_STEP_MAX_NS :
					   step;
}

/* When to look again after all went well. */
static int64_t
next_look(struct replication *rp, int64_t now)
{
	struct queue_stats s;
	int64_t changed;

	pthread_mutex_lock(&rp->lock);
	changed = rp->file_changed_ns;
	pthread_mutex_unlock(&rp->lock);
	queue_stats(rp->queue, &s);
	if (changed < rp->idle_ns)
		changed = rp->idle_ns;
	if (now - changed < SETTLE_NS)
		return now + settle_step(now - changed);
	if (s.open)
		return now + rp->o.sync_ns;
	if (!capture_holds(rp->capture))
		return REPLICATION_NEVER;
	if (now - rp->idle_ns < REST_NS)
		return rp->idle_ns + REST_NS + MS_NS;
	if (!rp->base_runs && !capture_is_shared(rp->capture)) {
		rest(rp);
		return REPLICATION_NEVER;
	}
	return now + 60 * NS_PER_S;
}

/* What went wrong says what comes next. */
static int64_t
judge(struct replication *rp, int r, struct err *e, int64_t now)
{
	struct err ignored;

	switch (-r) {
	case EBUSY:
	case EAGAIN:
		if (now - rp->idle_ns > 100 * RETRY_NS)
			note_failure(rp, e);
		return now + BUSY_NS;
	case ESTALE:
	case ENOSPC:
		/* what is in the queue is whole, and goes to the store first */
		queue_cut(rp->queue, NULL, &ignored);
		queue_sync(rp->queue, &ignored);
		if (!rp->base_runs)
			capture_rest(rp->capture);
		replication_need_base(rp, false, e);
		return REPLICATION_NEVER;
	case ENOTSUP:
	case ENOENT:
		capture_rest(rp->capture);
		set_phase(rp, REPLICATION_WAITING);
		note_failure(rp, e);
		return now + RETRY_NS;
	default:
		note_failure(rp, e);
		return now + RETRY_NS;
	}
}

/* Nothing is to be captured: the queue has to begin anew, with a base that is
 * not being made yet. */
static bool
waits(struct replication *rp)
{
	auto_lock(&rp->lock);
	return rp->phase == REPLICATION_LOST ||
	       (replication_needs_base(rp) && !rp->continues &&
		       rp->need != rp->basing);
}

int64_t
replication_capture(struct replication *rp, bool all)
{
	struct err e = ERR_INIT;
	int64_t now = clock_mono_ns();
	bool more = false;
	int r;

	auto_lock(&rp->capturing);
	if (waits(rp)) {
		if (!rp->base_runs)
			capture_rest(rp->capture);
		return REPLICATION_NEVER;
	}
	pthread_mutex_lock(&rp->lock);
	rp->rests = false;
	pthread_mutex_unlock(&rp->lock);
	r = look(rp, all, &more, &e);
	now = clock_mono_ns();
	if (more)
		rp->idle_ns = now;
	if (r)
		return judge(rp, r, &e, now);
	note_success(rp);
	return next_look(rp, now);
}

int64_t
replication_changed(struct replication *rp, bool database)
{
	int64_t now = clock_mono_ns();

	auto_lock(&rp->lock);
	if (database)
		rp->file_changed_ns = now;
	/* A resting one is taken hold of at once, before whoever has written
	 * closes it. */
	return rp->rests ? now : now + SETTLE_STEP_MIN_NS;
}

/* -- Status
 * -------------------------------------------------------------------- */

void
replication_status(struct replication *rp, struct replication_status *s)
{
	struct queue_stats q;

	queue_stats(rp->queue, &q);
	auto_lock(&rp->lock);
	*s = (struct replication_status){
		.phase = rp->phase,
		.captured_ns = rp->captured_ns,
		.stored_ns = rp->stored_ns,
		.behind_ns = q.since_ns			  ? q.since_ns
			     : replication_needs_base(rp) ? rp->need_since_ns
							  : 0,
		.queue_bytes = q.bytes,
		.deltas = rp->deltas,
		.bases = rp->bases,
		.locked_ns_max = rp->locked_ns_max,
		.capture_failed = rp->capture_failed,
		.upload_failed = rp->upload_failed,
		.last_error = rp->last_error,
		.last_error_ns = rp->last_error_ns,
	};
	if (rp->upload_failed)
		s->error = rp->upload_error;
	else if (rp->capture_failed)
		s->error = rp->capture_error;
}

uint64_t
replication_sync(struct replication *rp)
{
	auto_lock(&rp->lock);
	return ++rp->wanted;
}

int
replication_synced(
	struct replication *rp, uint64_t number, bool stored, struct err *e)
{
	auto_lock(&rp->lock);
	if (rp->phase == REPLICATION_LOST) {
		*e = rp->upload_error;
		return -e->code;
	}
	/* a base is begun by who uploads */
	if (rp->upload_failed && (stored || replication_needs_base(rp))) {
		*e = rp->upload_error;
		return -e->code;
	}
	if (rp->capture_failed) {
		*e = rp->capture_error;
		return -e->code;
	}
	if (replication_needs_base(rp) || rp->seen < number)
		return 0;
	return !stored || rp->epoch > rp->seen_epoch ||
	       rp->stored_unit >= rp->seen_unit;
}
