/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between mirror.c, which says what is copied when, mirror_pool.c, which copies,
 * and mirror_remove.c. */
#ifndef YORE_UPKEEP_MIRROR_PRIVATE_H
#define YORE_UPKEEP_MIRROR_PRIVATE_H

#include <pthread.h>
#include "repo/store/store.h"
#include "repo/upkeep/mirror.h"

#define MIRROR_THREADS 8
#define MIRROR_QUEUE 64

struct mirror_object {
	char name[STORE_NAME_MAX + 1];
	uint64_t size;
	int64_t modified_ns;
	bool compare; /* it is there: compare it */
};

struct mirror {
	struct mirror_options o;
	struct store *from, *to;
	struct sink *sink;
	int64_t began_ns;

	pthread_mutex_t lock; /* guards all below */
	pthread_cond_t changed;
	struct mirror_object queue[MIRROR_QUEUE];
	size_t first, n; /* in the queue */
	unsigned busy;	 /* threads at work */
	bool ended;
	bool gone; /* something vanished from the source */
	uint64_t sent;
	struct err failed;
	struct mirror_result *result;
	pthread_t threads[MIRROR_THREADS];
	unsigned n_threads;
};

/* -- mirror_pool.c ------------------------------------------------------------ */

int mirror_pool_start(struct mirror *m, struct err *e);
void mirror_pool_stop(struct mirror *m);
/* Have an object copied, or compared; waits for room. */
int mirror_pool_add(struct mirror *m, const struct mirror_object *o,
	struct err *e);
/* Wait until all is done. */
int mirror_pool_wait(struct mirror *m, struct err *e);
/* Copy one now; -ENOENT: it has vanished. */
int mirror_copy(struct mirror *m, const struct mirror_object *o,
	struct err *e);
bool mirror_interrupted(const struct mirror *m);
void mirror_tell(struct mirror *m, enum mirror_action a, const char *name,
	uint64_t size);

/* -- mirror_list.c: what lies below a prefix, in order, some at a time ----------- */

struct mirror_list {
	struct store *store;
	const char *prefix;
	char after[STORE_NAME_MAX + 1];
	struct mirror_object *batch;
	size_t n, i;
	bool ended;
};

void mirror_list_begin(struct mirror_list *l, struct store *s,
	const char *prefix);
void mirror_list_end(struct mirror_list *l);
/* The object at hand, *o, or NULL. */
int mirror_list_peek(struct mirror_list *l, const struct mirror_object **o,
	struct err *e);
static inline void
mirror_list_next(struct mirror_list *l)
{
	l->i++;
}

/* Names in memory, sorted. */
struct mirror_names {
	struct mirror_object *o;
	size_t n, cap;
};

int mirror_names_load(struct mirror_names *all, struct store *s,
	const char *prefix, struct err *e);
void mirror_names_add(struct mirror_names *all, const struct mirror_object *o);
void mirror_names_release(struct mirror_names *all);
/* One that begins so. */
const struct mirror_object *mirror_names_find(
	const struct mirror_names *all, const char *prefix);

/* -- mirror_remove.c ---------------------------------------------------------------- */

int mirror_remove(struct mirror *m, struct err *e);

#endif
