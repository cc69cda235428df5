/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/base/thread.h"

#include <signal.h>

int
thread_start(pthread_t *t, void *(*run)(void *), void *arg)
{
	sigset_t all, before;
	int r;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(t, NULL, run, arg);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return r;
}
