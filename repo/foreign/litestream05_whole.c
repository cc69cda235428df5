/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is kept of a file is read from there, so that it is verified with the
 * rest; what is not is read from the store and not kept: reading a few pages
 * of a database is no reason to fill the cache with all of it.
 */
#include "repo/foreign/litestream05_whole.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include "repo/base/buf.h"
#include "repo/base/cancel.h"
#include "repo/base/clock.h"
#include "repo/base/log.h"
#include "repo/foreign/ltx_verify.h"

int64_t litestream05_whole_delay_ns = 30 * NS_PER_S;

enum state { WAITING, GOOD, DAMAGED, GIVEN_UP };

struct job {
	char *name, *key;
	uint64_t size;
	int64_t since_ns;
	enum state state;
	struct err e;
	struct job *next;
};

struct litestream05_whole {
	struct foreign_place *place;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct job *jobs;
	bool started, ending;
	pthread_t thread;
	struct cancel cancel;
};

struct litestream05_whole *
litestream05_whole_new(struct foreign_place *p)
{
	struct litestream05_whole *w = xcalloc(1, sizeof(*w));
	pthread_condattr_t monotonic;

	w->place = p;
	pthread_mutex_init(&w->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&w->changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
	return w;
}

void
litestream05_whole_free(struct litestream05_whole *w)
{
	cancel_raise(&w->cancel);
	pthread_mutex_lock(&w->lock);
	w->ending = true;
	pthread_cond_broadcast(&w->changed);
	pthread_mutex_unlock(&w->lock);
	if (w->started)
		pthread_join(w->thread, NULL);
	while (w->jobs) {
		struct job *j = w->jobs;

		w->jobs = j->next;
		free(j->name);
		free(j->key);
		free(j);
	}
	pthread_mutex_destroy(&w->lock);
	pthread_cond_destroy(&w->changed);
	free(w);
}

/* -- What is kept of it
 * ---------------------------------------------------------- */

static struct kept *
kept_of(const struct litestream05_whole *w)
{
	struct kept *k = NULL;

	if (w->place->store->local_path ||
		foreign_place_kept(w->place, &k, NULL) < 0)
		return NULL;
	return k;
}

static bool
was_good(const struct litestream05_whole *w, const char *key)
{
	auto_free char *name = xasprintf("%s/good", key);
	auto_free uint8_t *data = NULL;
	struct kept *k = kept_of(w);
	size_t len;

	return k && kept_get(k, name, 16, &data, &len) == 0;
}

static void
keep_good(const struct litestream05_whole *w, const char *key)
{
	auto_free char *name = xasprintf("%s/good", key);
	struct kept *k = kept_of(w);

	if (k)
		kept_put(k, name, "good", 4);
}

/* -- Verifying
 * -------------------------------------------------------------------- */

struct input {
	struct litestream05_whole *w;
	struct kept *kept;
	const struct job *job;
};

static int
read_store(const struct input *in, uint64_t off, size_t len, void *buf,
	struct err *e)
{
	const struct store_call call = {
		.ahead = true, .once = true, .cancel = &in->w->cancel
	};
	size_t got = 0;
	int rc = store_get_call(in->w->place->store, in->job->name, off, len,
		buf, &got, &call, e);

	if (rc == 0 && got < len)
		rc = err_set(e, EBADMSG, "it is shorter than it was listed");
	return rc;
}

/* Bytes up to the next piece that is kept, or of that piece. */
static int
read_some(const struct input *in, uint64_t off, size_t *len, uint8_t *buf,
	struct err *e)
{
	uint64_t piece = off / KEPT_PIECE;
	uint64_t end = (piece + 1) * KEPT_PIECE;
	uint8_t kept[KEPT_PIECE];
	size_t have, skip = (size_t)(off % KEPT_PIECE);

	if (!in->kept)
		return read_store(in, off, *len, buf, e);
	if (kept_has(in->kept, in->job->key, piece) &&
		kept_read(in->kept, in->job->key, piece, kept, &have) &&
		have > skip) {
		*len = *len < have - skip ? *len : have - skip;
		memcpy(buf, kept + skip, *len);
		return 0;
	}
	while (end < off + *len &&
		!kept_has(in->kept, in->job->key, end / KEPT_PIECE))
		end += KEPT_PIECE;
	if (end < off + *len)
		*len = (size_t)(end - off);
	return read_store(in, off, *len, buf, e);
}

static int
read_input(void *ctx, uint64_t off, size_t len, void *buf, struct err *e)
{
	uint8_t *to = buf;
	int rc = 0;

	while (rc == 0 && len > 0) {
		size_t n = len;

		rc = read_some(ctx, off, &n, to, e);
		off += n;
		to += n;
		len -= n;
	}
	return rc;
}

static void
verify(struct litestream05_whole *w, struct job *j)
{
	struct input own = { .w = w, .kept = kept_of(w), .job = j };
	const struct ltx_input in = {
		.size = j->size, .read = read_input, .ctx = &own
	};
	struct err e = ERR_INIT;
	struct ltx_header h;
	int rc = ltx_verify(&in, &h, NULL, NULL, &e);

	if (rc == 0)
		keep_good(w, j->key);
	if (rc == -EBADMSG || rc == -EUCLEAN)
		log_error("%s is damaged: %s", j->name, e.text);
	else if (rc < 0 && rc != -EINTR)
		log_warn("%s was not verified: %s", j->name, e.text);
	auto_lock(&w->lock);
	j->e = e;
	j->state = rc == 0			      ? GOOD
		   : rc == -EBADMSG || rc == -EUCLEAN ? DAMAGED
						      : GIVEN_UP;
}

/* The next job that is due; NULL: it is over. */
static struct job *
wait_for_job(struct litestream05_whole *w)
{
	auto_lock(&w->lock);

	while (!w->ending) {
		struct job *j = w->jobs;
		int64_t due;
		struct timespec t;

		while (j && j->state != WAITING)
			j = j->next;
		if (!j) {
			pthread_cond_wait(&w->changed, &w->lock);
			continue;
		}
		due = j->since_ns + litestream05_whole_delay_ns;
		if (clock_mono_ns() >= due)
			return j;
		t = (struct timespec){ .tv_sec = due / NS_PER_S,
			.tv_nsec = due % NS_PER_S };
		pthread_cond_timedwait(&w->changed, &w->lock, &t);
	}
	return NULL;
}

static void *
work(void *arg)
{
	struct litestream05_whole *w = arg;
	struct job *j;

	while ((j = wait_for_job(w)))
		verify(w, j);
	return NULL;
}

/* -- For readers
 * ------------------------------------------------------------------- */

static struct job *
find(struct litestream05_whole *w, const char *key)
{
	struct job *j = w->jobs;

	while (j && strcmp(j->key, key) != 0)
		j = j->next;
	return j;
}

/* The job of an object, made if need be; with the lock held. */
static struct job *
job_of(struct litestream05_whole *w, const struct pieces_object *o)
{
	struct job *j = find(w, o->key);

	if (j)
		return j;
	j = xcalloc(1, sizeof(*j));
	j->name = xstrdup(o->name);
	j->key = xstrdup(o->key);
	j->size = o->size;
	j->since_ns = clock_mono_ns();
	j->state = was_good(w, o->key) ? GOOD : WAITING;
	j->next = w->jobs;
	w->jobs = j;
	return j;
}

void
litestream05_whole_want(
	struct litestream05_replica *r, const struct pieces_object *o)
{
	struct litestream05_whole *w = r->whole;
	auto_lock(&w->lock);
	const struct job *j = job_of(w, o);

	if (j->state == WAITING && !w->started &&
		!foreign_place_offline(w->place))
		w->started = pthread_create(&w->thread, NULL, work, w) == 0;
	pthread_cond_broadcast(&w->changed);
}

bool
litestream05_whole_is_verified(
	struct litestream05_replica *r, const struct pieces_object *o)
{
	struct litestream05_whole *w = r->whole;
	auto_lock(&w->lock);
	const struct job *j = find(w, o->key);

	return j ? j->state == GOOD : was_good(w, o->key);
}

bool
litestream05_whole_is_damaged(struct litestream05_replica *r,
	const struct pieces_object *o, struct err *e)
{
	struct litestream05_whole *w = r->whole;
	auto_lock(&w->lock);
	const struct job *j = find(w, o->key);

	if (!j || j->state != DAMAGED)
		return false;
	err_set(e, EBADMSG, "%s is damaged: %s", j->name, j->e.text);
	return true;
}
