/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libfuse's loop ends when the session is marked as left and its main thread
 * is woken from a semaphore; the signal thread does both, again and again
 * until it is heard, because a single wake-up can come too early.
 */
#include <errno.h>
#include <string.h>
#include "repo/base/log.h"
#include "fs/detach.h"
#include "fs/refresh.h"
#include "fs/serve.h"

#define MAX_THREADS 128
#define NAP_MS 20

struct serving {
	struct mount *m;
	struct refresh *refresh;
	pthread_t main_thread;
	_Atomic bool done;
};

static void
signal_set(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGHUP);
}

void
serve_block_signals(sigset_t *old)
{
	sigset_t set;

	signal_set(&set);
	pthread_sigmask(SIG_BLOCK, &set, old);
	signal(SIGPIPE, SIG_IGN);
}

static void
wake_up(int sig)
{
	(void)sig;
}

static void
nap(void)
{
	struct timespec t = { .tv_nsec = NAP_MS * 1000000L };

	nanosleep(&t, NULL);
}

static void
stop(struct serving *s)
{
	for (int ms = 0; ms < SERVE_PATIENCE_S * 1000; ms += NAP_MS) {
		if (s->done)
			return;
		fuse_session_exit(s->m->session);
		pthread_kill(s->main_thread, SIGUSR1);
		nap();
	}
	log_warn("leaving requests that still wait for the store");
	detach_lazily(s->m->options->mountpoint);
	_exit(0);
}

static void *
take_signals(void *arg)
{
	struct serving *s = arg;
	sigset_t set;
	int sig;

	signal_set(&set);
	while (!s->done) {
		if (sigwait(&set, &sig) != 0 || s->done)
			continue;
		if (sig == SIGHUP)
			refresh_kick(s->refresh);
		else
			stop(s);
	}
	return NULL;
}

static int
answer_requests(struct mount *m)
{
	struct fuse_loop_config *config = fuse_loop_cfg_create();
	int rc;

	fuse_loop_cfg_set_clone_fd(config, 1);
	fuse_loop_cfg_set_max_threads(config, MAX_THREADS);
	rc = fuse_session_loop_mt(m->session, config);
	fuse_loop_cfg_destroy(config);
	/* told to leave, and the mount having gone, are both a good end */
	return rc < 0 && rc != -ENODEV ? rc : 0;
}

int
serve_until_told(struct mount *m)
{
	struct serving s = { .m = m, .main_thread = pthread_self() };
	struct sigaction wake = { .sa_handler = wake_up };
	pthread_t signals;
	int rc;

	sigaction(SIGUSR1, &wake, NULL);
	s.refresh = refresh_start(m);
	rc = pthread_create(&signals, NULL, take_signals, &s);
	if (rc == 0)
		rc = answer_requests(m);
	else
		rc = -rc;
	refresh_stop(s.refresh);
	s.done = true;
	pthread_kill(signals, SIGTERM);
	pthread_join(signals, NULL);
	return rc;
}
