/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/upkeep/upkeep.h"

#include <errno.h>
#include <stdatomic.h>
#include "repo/fetch/together.h"
#include "repo/native/state.h"

int
upkeep_open(struct upkeep *u, const char *repo,
	const struct history_open_options *o, struct err *e)
{
	struct history_open_options how = *o;
	int r;

	if (o->offline)
		return err_set(e, EINVAL, "%s: cannot be changed offline", repo);
	how.cache_dir = "";
	r = repository_open(repo, &how, &u->rp, e);
	if (!r)
		r = state_pin(u->rp, e);
	if (!r && u->rp->header.must_write_unknown)
		r = err_set(e, EROFS,
			"%s: writing needs features this yore lacks; use a "
			"newer yore", u->rp->store->name);
	return r ? r : sink_open(repo, false, &u->sink, e);
}

void
upkeep_release(struct upkeep *u)
{
	if (u->sink)
		sink_free(u->sink);
	repository_free(u->rp);
	*u = (struct upkeep){ .rp = NULL };
}

struct together {
	int (*run)(void *ctx, size_t i, struct err *e);
	void *ctx;
	pthread_mutex_t lock;
	atomic_bool over;
	struct err failed; /* under lock */
};

static void
run_one(void *ctx, size_t i)
{
	struct together *t = ctx;
	struct err e = ERR_INIT;

	if (atomic_load(&t->over) || !t->run(t->ctx, i, &e))
		return;
	auto_lock(&t->lock);
	if (!atomic_exchange(&t->over, true))
		t->failed = e;
}

int
upkeep_together(size_t n, int (*run)(void *ctx, size_t i, struct err *e),
	void *ctx, struct err *e)
{
	struct together t = { .run = run, .ctx = ctx };

	pthread_mutex_init(&t.lock, NULL);
	together_run(n, n > 1, run_one, &t);
	pthread_mutex_destroy(&t.lock);
	if (!t.over)
		return 0;
	if (e)
		*e = t.failed;
	return -t.failed.code;
}
