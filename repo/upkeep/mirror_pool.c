/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Threads that copy objects, a bounded queue before them. */
#include <errno.h>
#include <string.h>
#include <time.h>
#include "repo/base/auto.h"
#include "repo/base/buf.h"
#include "repo/base/clock.h"
#include "repo/upkeep/mirror_private.h"

#define PIECE (4u << 20)
#define WHOLE_MAX (8u << 20) /* put in one go */

bool
mirror_interrupted(const struct mirror *m)
{
	return m->o.interrupted && atomic_load(m->o.interrupted);
}

void
mirror_tell(struct mirror *m, enum mirror_action a, const char *name,
	uint64_t size)
{
	auto_lock(&m->lock);
	if (a == MIRROR_COPIED) {
		m->result->copied++;
		m->result->bytes += size;
	} else if (a == MIRROR_REMOVED) {
		m->result->removed++;
	} else {
		m->result->differ++;
	}
	if (m->o.each)
		m->o.each(m->o.ctx, a, name, size);
}

/* Whoever is ahead of the limit sleeps. */
static void
pace(struct mirror *m, uint64_t len)
{
	int64_t due, now;

	if (!m->o.limit_upload)
		return;
	pthread_mutex_lock(&m->lock);
	m->sent += len;
	due = m->began_ns + (int64_t)((double)m->sent * 1e9 /
				      (double)m->o.limit_upload);
	pthread_mutex_unlock(&m->lock);
	while (!mirror_interrupted(m) && (now = clock_mono_ns()) < due) {
		int64_t left = due - now < NS_PER_S / 10 ? due - now
							 : NS_PER_S / 10;
		struct timespec t = { .tv_nsec = left };

		nanosleep(&t, NULL);
	}
}

/* The bytes [off, off + len) of an object that has them. */
static int
get(struct mirror *m, const struct mirror_object *o, uint64_t off, size_t len,
	uint8_t *buf, struct err *e)
{
	if (mirror_interrupted(m))
		return err_set(e, ECANCELED, "interrupted");
	return store_get(m->from, o->name, off, len, buf, NULL, e);
}

static int
copy_whole(struct mirror *m, const struct mirror_object *o, struct err *e)
{
	auto_free uint8_t *buf = xmalloc(o->size + 1);
	size_t got = 0;
	int r = mirror_interrupted(m)
			? err_set(e, ECANCELED, "interrupted")
			: store_get(m->from, o->name, 0, o->size + 1, buf, &got,
				  e);

	if (!r && got != o->size)
		r = err_set(e, EBADMSG, "%s: not as long as it was listed",
			o->name);
	if (!r)
		r = sink_put(m->sink, o->name, buf, got, e);
	pace(m, got);
	return r;
}

static int
copy_pieces(struct mirror *m, const struct mirror_object *o, struct err *e)
{
	auto_free uint8_t *buf = xmalloc(PIECE);
	auto_upload struct upload *up = NULL;
	int r = sink_begin(m->sink, o->name, &up, e);

	for (uint64_t off = 0; off < o->size && !r; off += PIECE) {
		size_t len = o->size - off < PIECE ? (size_t)(o->size - off)
						   : PIECE;

		r = get(m, o, off, len, buf, e);
		if (!r)
			r = upload_append(up, buf, len, e);
		pace(m, len);
	}
	return r ? r : upload_commit(steal(up), e);
}

int
mirror_copy(struct mirror *m, const struct mirror_object *o, struct err *e)
{
	int r = 0;

	if (!m->o.dry_run)
		r = o->size <= WHOLE_MAX ? copy_whole(m, o, e)
					 : copy_pieces(m, o, e);
	if (r == -EEXIST)
		return 0;
	if (!r)
		mirror_tell(m, MIRROR_COPIED, o->name, o->size);
	return r;
}

static int
compare(struct mirror *m, const struct mirror_object *o, struct err *e)
{
	auto_free uint8_t *a = xmalloc(PIECE), *b = xmalloc(PIECE);
	int r = 0;

	for (uint64_t off = 0; off < o->size && !r; off += PIECE) {
		size_t len = o->size - off < PIECE ? (size_t)(o->size - off)
						   : PIECE;

		r = get(m, o, off, len, a, e);
		if (!r)
			r = store_get(m->to, o->name, off, len, b, NULL, e);
		if (!r && memcmp(a, b, len) != 0) {
			mirror_tell(m, MIRROR_DIFFERS, o->name, o->size);
			break;
		}
	}
	return r;
}

/* -- The threads ------------------------------------------------------------------ */

static bool
take(struct mirror *m, struct mirror_object *o)
{
	auto_lock(&m->lock);
	while (!m->n && !m->ended)
		pthread_cond_wait(&m->changed, &m->lock);
	if (!m->n)
		return false;
	*o = m->queue[m->first];
	m->first = (m->first + 1) % MIRROR_QUEUE;
	m->n--;
	m->busy++;
	pthread_cond_broadcast(&m->changed);
	return true;
}

static void
done(struct mirror *m, int r, const struct err *e)
{
	auto_lock(&m->lock);
	m->busy--;
	if (r == -ENOENT)
		m->gone = true;
	else if (r && !m->failed.code)
		m->failed = *e;
	if (m->failed.code)
		m->n = 0;
	pthread_cond_broadcast(&m->changed);
}

static void *
work(void *ctx)
{
	struct mirror *m = ctx;
	struct mirror_object o;

	while (take(m, &o)) {
		struct err e = ERR_INIT;
		int r = o.compare ? compare(m, &o, &e)
				  : mirror_copy(m, &o, &e);

		done(m, r, &e);
	}
	return NULL;
}

int
mirror_pool_start(struct mirror *m, struct err *e)
{
	while (m->n_threads < MIRROR_THREADS) {
		if (pthread_create(&m->threads[m->n_threads], NULL, work, m))
			return err_set(e, EAGAIN, "cannot start a thread");
		m->n_threads++;
	}
	return 0;
}

void
mirror_pool_stop(struct mirror *m)
{
	pthread_mutex_lock(&m->lock);
	m->ended = true;
	m->n = 0;
	pthread_cond_broadcast(&m->changed);
	pthread_mutex_unlock(&m->lock);
	for (unsigned i = 0; i < m->n_threads; i++)
		pthread_join(m->threads[i], NULL);
}

static int
failure(const struct mirror *m, struct err *e)
{
	if (m->failed.code && e)
		*e = m->failed;
	return -m->failed.code;
}

int
mirror_pool_add(struct mirror *m, const struct mirror_object *o, struct err *e)
{
	auto_lock(&m->lock);
	while (m->n == MIRROR_QUEUE && !m->failed.code)
		pthread_cond_wait(&m->changed, &m->lock);
	if (m->failed.code)
		return failure(m, e);
	m->queue[(m->first + m->n++) % MIRROR_QUEUE] = *o;
	pthread_cond_broadcast(&m->changed);
	return 0;
}

int
mirror_pool_wait(struct mirror *m, struct err *e)
{
	auto_lock(&m->lock);
	while (m->n || m->busy)
		pthread_cond_wait(&m->changed, &m->lock);
	return failure(m, e);
}
