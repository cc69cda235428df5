/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A place is named to libfuse by its number and the count of requests it has
 * served, so that a late call means nothing.
 *
 * Locks: watch_lock is a leaf.  A place's lock is held while its waiters are
 * woken, which takes locks of repo/fetch and repo/store; none of those is held
 * here.
 */
#include "fs/interrupt.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "repo/base/auto.h"
#include "repo/base/cancel.h"

#define PLACES 256
#define WATCH_NS 50000000L

struct place {
	pthread_mutex_t lock;
	bool taken; /* by a thread */
	uint64_t turn;
	pid_t pid; /* that was ignored and is looked after, or 0 */
	struct cancel cancel;
};

static struct place places[PLACES];
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t at_exit;
static _Thread_local struct place *mine;

static pthread_mutex_t watch_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t watch_wake = PTHREAD_COND_INITIALIZER;
static unsigned n_watched; /* guarded by watch_lock, as is the next */
static bool watching;

/* -- Signals ------------------------------------------------------------------ */

static uint64_t
bit(int sig)
{
	return 1ULL << (sig - 1);
}

/* Whether the thread is to stop; also when it is gone. */
static bool
must_stop(pid_t pid)
{
	const uint64_t stops = bit(SIGINT) | bit(SIGTERM) | bit(SIGQUIT) |
			       bit(SIGHUP) | bit(SIGKILL);
	uint64_t set, pending = 0, blocked = 0;
	char path[32], line[256], name[8];

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	FILE *f = fopen(path, "re");
	if (!f)
		return true;
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%7[A-Za-z]: %" SCNx64, name, &set) != 2)
			continue;
		if (strcmp(name, "SigPnd") == 0 || strcmp(name, "ShdPnd") == 0)
			pending |= set;
		else if (strcmp(name, "SigBlk") == 0)
			blocked = set;
	}
	fclose(f);
	return (pending & ~blocked & stops) != 0;
}

/* -- Those whose signal was ignored ------------------------------------------- */

/* With the place's lock. */
static void
look_after(struct place *p, pid_t pid)
{
	if (p->pid != 0 || pid == 0)
		return;
	p->pid = pid;
	auto_lock(&watch_lock);
	n_watched++;
	pthread_cond_signal(&watch_wake);
}

/* With the place's lock. */
static void
leave_alone(struct place *p)
{
	if (p->pid == 0)
		return;
	p->pid = 0;
	auto_lock(&watch_lock);
	n_watched--;
}

static void
look_at_all(void)
{
	for (int i = 0; i < PLACES; i++) {
		struct place *p = &places[i];
		auto_lock(&p->lock);

		if (p->pid != 0 && must_stop(p->pid)) {
			leave_alone(p);
			cancel_raise(&p->cancel);
		}
	}
}

static void *
watch(void *arg)
{
	const struct timespec nap = { .tv_nsec = WATCH_NS };

	for (;;) {
		pthread_mutex_lock(&watch_lock);
		while (n_watched == 0)
			pthread_cond_wait(&watch_wake, &watch_lock);
		pthread_mutex_unlock(&watch_lock);
		look_at_all();
		nanosleep(&nap, NULL);
	}
	return arg;
}

/* One thread, for good, with the first signal that is ignored. */
static void
start_watching(void)
{
	auto_lock(&watch_lock);
	sigset_t all, before;
	pthread_t t;

	if (watching)
		return;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	watching = pthread_create(&t, NULL, watch, NULL) == 0;
	if (watching)
		pthread_detach(t);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* -- Places ------------------------------------------------------------------ */

static void
give_back(void *arg)
{
	struct place *p = arg;
	auto_lock(&p->lock);

	p->taken = false;
}

static void
set_up(void)
{
	for (int i = 0; i < PLACES; i++) {
		pthread_mutex_init(&places[i].lock, NULL);
		places[i].cancel = (struct cancel)CANCEL_INIT;
	}
	pthread_key_create(&at_exit, give_back);
}

static struct place *
my_place(void)
{
	pthread_once(&once, set_up);
	for (int i = 0; i < PLACES && !mine; i++) {
		auto_lock(&places[i].lock);

		if (places[i].taken)
			continue;
		places[i].taken = true;
		mine = &places[i];
		pthread_setspecific(at_exit, mine);
	}
	return mine;
}

/* -- Requests ----------------------------------------------------------------- */

static void
on_interrupt(fuse_req_t req, void *token)
{
	struct place *p = &places[(uintptr_t)token % PLACES];
	pid_t pid = fuse_req_ctx(req)->pid;
	bool stop = must_stop(pid);
	auto_lock(&p->lock);

	if (p->turn != (uintptr_t)token / PLACES)
		return;
	if (stop) {
		cancel_raise(&p->cancel);
	} else {
		start_watching();
		look_after(p, pid);
	}
}

void
interrupt_begin(fuse_req_t req)
{
	struct place *p = my_place();

	/* the turn is even between requests, and odd during one */
	if (!p || p->turn % 2)
		return;
	pthread_mutex_lock(&p->lock);
	uintptr_t token = (uintptr_t)++p->turn * PLACES +
			  (uintptr_t)(p - places);
	pthread_mutex_unlock(&p->lock);
	cancel_set_current(&p->cancel);
	fuse_req_interrupt_func(req, on_interrupt, (void *)token);
}

void
interrupt_end(void)
{
	struct place *p = mine;

	if (!p || p->turn % 2 == 0)
		return;
	cancel_set_current(NULL);
	auto_lock(&p->lock);
	p->turn++;
	leave_alone(p);
	atomic_store(&p->cancel.raised, false);
}
