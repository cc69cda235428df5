/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Threads that leave signals to the program's own, and how many to start. */
#ifndef YORE_BASE_THREAD_H
#define YORE_BASE_THREAD_H

#include <pthread.h>

/* As pthread_create: 0, or an errno. */
int thread_start(pthread_t *t, void *(*run)(void *), void *arg);

/* Nobody waits for what this thread does: the others of the process go first,
 * where they do not leave it a processor.  Threads that it starts do likewise. */
void thread_step_back(void);

/* Processors that this thread may run on; at least 1. */
unsigned thread_processors(void);

#endif
