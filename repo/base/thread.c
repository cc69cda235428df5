/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/base/thread.h"

#include <signal.h>
#include <sys/resource.h>

#define NICE 5

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

void
thread_step_back(void)
{
	/* of a thread, in Linux */
	setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + NICE);
}
