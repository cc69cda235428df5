/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A state far behind its snapshot needs many logs, each of many small objects.
 * Those of one log follow each other, for where a segment begins is known when
 * the one before it has been decoded; but the logs need not wait for each
 * other.  What comes of it is found in what is kept.
 */
#include "repo/foreign/litestream03/log.h"

#include <stdatomic.h>
#include "repo/base/cancel.h"

#define THREADS 8

struct ahead {
	struct ls03 *r;
	const struct ls03_timeline *t;
	struct cancel *cancel;
	atomic_uint next;
	uint32_t last;
	atomic_bool failed;
};

static void *
work(void *ctx)
{
	struct ahead *a = ctx;

	cancel_set_current(a->cancel);
	while (!a->failed && !cancel_raised(a->cancel)) {
		auto_ls03_log struct ls03_log log = { .page_size = 0 };
		uint32_t index = atomic_fetch_add(&a->next, 1);
		size_t from, to;

		if (index >= a->last)
			break;
		ls03_timeline_log(a->t, index, &from, &to);
		if (ls03_log_load(a->r, a->t, index, to, &log, NULL) < 0)
			a->failed = true;
	}
	cancel_set_current(NULL);
	return NULL;
}

void
ls03_log_load_ahead(struct ls03 *r, const struct ls03_timeline *t,
	uint32_t first, uint32_t last)
{
	struct ahead a = { .r = r,
		.t = t,
		.cancel = cancel_current(),
		.next = first,
		.last = last };
	pthread_t threads[THREADS];
	unsigned n = 0;

	if (last - first < 2)
		return;
	while (n < THREADS && n < last - first &&
		pthread_create(&threads[n], NULL, work, &a) == 0)
		n++;
	while (n > 0)
		pthread_join(threads[--n], NULL);
}
