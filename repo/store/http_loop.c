/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The thread that moves the bytes of all requests: curl's multi interface, and
 * two queues before it.  Whoever waits is let in at once, up to a number that
 * only bounds descriptors; of read-ahead only a few requests at a time, so that
 * it does not take all of the line.
 *
 * One loop serves the process.  After a fork the child finds that the loop is
 * its parent's and makes its own; the old one is left as it is, since letting
 * go of its connections would end them for the parent too.
 */
#include "repo/store/http_transfer.h"

#include <unistd.h>
#include "repo/base/clock.h"
#include "repo/base/thread.h"

#define ACTIVE_MAX 256
#define AHEAD_MAX 16
#define IDLE_CONNECTIONS_MAX 64L
#define POLL_MS 10000
#define POLL_QUEUED_MS 100

struct http_loop {
	pthread_mutex_t lock;
	struct http_transfers queue[2]; /* [1]: read-ahead; guarded by lock, */
	struct http_transfers active;	/* as all up to quit */
	unsigned n_active, n_ahead;
	bool stops; /* some have stop set */
	bool quit;

	/* immutable */
	CURLM *multi;
	CURLSH *share; /* TLS sessions; of the loop's thread only */
	pthread_t thread;
	pid_t pid;
};

static pthread_mutex_t one_lock = PTHREAD_MUTEX_INITIALIZER;
static struct http_loop *one; /* guarded by one_lock, as clients */
static unsigned clients;

/* -- The thread; lock is held unless it says otherwise -------------------- */

/* Tell whoever waits, who may free t at once. */
static void
finish(struct http_transfer *t)
{
	t->state = HTTP_TRANSFER_DONE;
	pthread_cond_signal(&t->done);
}

static void
finish_queued(struct http_loop *l, struct http_transfer *t,
	enum http_outcome outcome, const char *why)
{
	TAILQ_REMOVE(&l->queue[t->rq->ahead], t, link);
	http_transfer_end(t, outcome, why);
	finish(t);
}

static void
leave(struct http_loop *l, struct http_transfer *t)
{
	curl_multi_remove_handle(l->multi, t->easy);
	curl_easy_setopt(t->easy, CURLOPT_SHARE, NULL);
	TAILQ_REMOVE(&l->active, t, link);
	l->n_active--;
	l->n_ahead -= t->rq->ahead;
}

static void
stop_some(struct http_loop *l)
{
	struct http_transfer *t, *next;

	for (t = TAILQ_FIRST(&l->active); t; t = next) {
		next = TAILQ_NEXT(t, link);
		if (!t->stop)
			continue;
		leave(l, t);
		http_transfer_end(t, HTTP_CANCELLED, "cancelled");
		finish(t);
	}
	for (int ahead = 0; ahead < 2; ahead++)
		for (t = TAILQ_FIRST(&l->queue[ahead]); t; t = next) {
			next = TAILQ_NEXT(t, link);
			if (t->stop)
				finish_queued(
					l, t, HTTP_CANCELLED, "cancelled");
		}
	l->stops = false;
}

static void
start_one(struct http_loop *l, struct http_transfer *t)
{
	int64_t left = (t->rq->deadline_ns - clock_mono_ns()) / 1000000;

	if (left <= 0) {
		finish_queued(l, t, HTTP_TIMED_OUT, "no time was left for it");
		return;
	}
	TAILQ_REMOVE(&l->queue[t->rq->ahead], t, link);
	curl_easy_setopt(t->easy, CURLOPT_SHARE, l->share);
	curl_easy_setopt(t->easy, CURLOPT_TIMEOUT_MS,
		left < INT32_MAX ? (long)left : (long)INT32_MAX);
	TAILQ_INSERT_TAIL(&l->active, t, link);
	t->state = HTTP_TRANSFER_ACTIVE;
	l->n_active++;
	l->n_ahead += t->rq->ahead;
	if (curl_multi_add_handle(l->multi, t->easy) == CURLM_OK)
		return;
	leave(l, t);
	http_transfer_end(t, HTTP_BROKEN, "memory is exhausted");
	finish(t);
}

/* What has run out of time while it waited for its turn. */
static void
expire_queued(struct http_loop *l)
{
	int64_t now = clock_mono_ns();
	struct http_transfer *t, *next;

	for (int ahead = 0; ahead < 2; ahead++)
		for (t = TAILQ_FIRST(&l->queue[ahead]); t; t = next) {
			next = TAILQ_NEXT(t, link);
			if (t->rq->deadline_ns <= now)
				finish_queued(l, t, HTTP_TIMED_OUT,
					"its turn did not come in time");
		}
}

static void
start_some(struct http_loop *l)
{
	struct http_transfer *t;

	while (l->n_active < ACTIVE_MAX && (t = TAILQ_FIRST(&l->queue[0])))
		start_one(l, t);
	while (l->n_active < ACTIVE_MAX && l->n_ahead < AHEAD_MAX &&
		(t = TAILQ_FIRST(&l->queue[1])))
		start_one(l, t);
	expire_queued(l);
}

/* Lock is not held.  False when the thread is to end; *wait_ms is how long it
 * may sleep otherwise. */
static bool
admit(struct http_loop *l, int *wait_ms)
{
	auto_lock(&l->lock);

	if (l->stops)
		stop_some(l);
	start_some(l);
	*wait_ms = TAILQ_EMPTY(&l->queue[0]) && TAILQ_EMPTY(&l->queue[1])
			   ? POLL_MS
			   : POLL_QUEUED_MS;
	return !l->quit;
}

/* Lock is not held.  Whether there was any. */
static bool
reap(struct http_loop *l)
{
	struct CURLMsg *m;
	bool any = false;
	int left;

	while ((m = curl_multi_info_read(l->multi, &left))) {
		CURLcode code = m->data.result;
		struct http_transfer *t;

		if (m->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &t);
		http_transfer_settle(t, code);
		auto_lock(&l->lock);
		leave(l, t);
		finish(t);
		any = true;
	}
	return any;
}

static void *
run(void *arg)
{
	struct http_loop *l = arg;
	int wait_ms, running;

	while (admit(l, &wait_ms)) {
		curl_multi_perform(l->multi, &running);
		if (!reap(l))
			curl_multi_poll(l->multi, NULL, 0, wait_ms, NULL);
	}
	return NULL;
}

/* -- The loop itself; one_lock is held ------------------------------------ */

static void
loop_free(struct http_loop *l)
{
	if (l->multi)
		curl_multi_cleanup(l->multi);
	if (l->share)
		curl_share_cleanup(l->share);
	pthread_mutex_destroy(&l->lock);
	free(l);
}

static struct http_loop *
loop_new(void)
{
	struct http_loop *l = xcalloc(1, sizeof(*l));

	pthread_mutex_init(&l->lock, NULL);
	TAILQ_INIT(&l->queue[0]);
	TAILQ_INIT(&l->queue[1]);
	TAILQ_INIT(&l->active);
	l->pid = getpid();
	l->multi = curl_multi_init();
	l->share = curl_share_init();
	if (!l->multi || !l->share)
		goto failed;
	curl_share_setopt(
		l->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
	curl_multi_setopt(l->multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
	curl_multi_setopt(l->multi, CURLMOPT_MAXCONNECTS, IDLE_CONNECTIONS_MAX);
	if (!thread_start(&l->thread, run, l))
		return l;
failed:
	loop_free(l);
	return NULL;
}

static void
loop_end(struct http_loop *l)
{
	pthread_mutex_lock(&l->lock);
	l->quit = true;
	pthread_mutex_unlock(&l->lock);
	curl_multi_wakeup(l->multi);
	pthread_join(l->thread, NULL);
	loop_free(l);
}

/* -- For requests and clients --------------------------------------------- */

void
http_loop_get(void)
{
	auto_lock(&one_lock);

	clients++;
}

void
http_loop_put(void)
{
	auto_lock(&one_lock);

	if (--clients > 0 || !one)
		return;
	if (one->pid == getpid())
		loop_end(one);
	one = NULL;
}

static struct http_loop *
loop_of_process(void)
{
	auto_lock(&one_lock);

	if (!one || one->pid != getpid())
		one = loop_new();
	return one;
}

void
http_loop_add(struct http_transfer *t)
{
	struct http_loop *l = t->loop = loop_of_process();

	if (!l) {
		http_transfer_end(t, HTTP_BROKEN, "cannot start a thread");
		return;
	}
	pthread_mutex_lock(&l->lock);
	t->state = HTTP_TRANSFER_QUEUED;
	TAILQ_INSERT_TAIL(&l->queue[t->rq->ahead], t, link);
	pthread_mutex_unlock(&l->lock);
	curl_multi_wakeup(l->multi);
}

void
http_loop_stop(struct http_transfer *t)
{
	struct http_loop *l = t->loop;

	if (!l)
		return;
	pthread_mutex_lock(&l->lock);
	t->stop = l->stops = true;
	pthread_mutex_unlock(&l->lock);
	curl_multi_wakeup(l->multi);
}

void
http_loop_wait(struct http_transfer *t)
{
	struct http_loop *l = t->loop;

	if (!l)
		return;
	auto_lock(&l->lock);
	while (t->state != HTTP_TRANSFER_DONE)
		pthread_cond_wait(&t->done, &l->lock);
}
