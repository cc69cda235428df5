/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/fetch/together.h"

#include <pthread.h>
#include <stdatomic.h>

struct together {
	void (*run)(void *ctx, size_t i);
	void *ctx;
	size_t n;
	_Atomic size_t next;
};

static void *
run_some(void *arg)
{
	struct together *t = arg;
	size_t i;

	while ((i = t->next++) < t->n)
		t->run(t->ctx, i);
	return NULL;
}

void
together_run(
	size_t n, bool parallel, void (*run)(void *ctx, size_t i), void *ctx)
{
	struct together t = { .run = run, .ctx = ctx, .n = n };
	pthread_t threads[TOGETHER_MAX - 1];
	size_t started = 0;

	while (parallel && started < TOGETHER_MAX - 1 && started + 1 < n &&
		!pthread_create(&threads[started], NULL, run_some, &t))
		started++;
	run_some(&t);
	while (started > 0)
		pthread_join(threads[--started], NULL);
}
