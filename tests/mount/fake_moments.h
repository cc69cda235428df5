/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The database of a fake history, web2/orders.db.  Four moments a second from
 * 2026-01-01T23:50:00Z, of which the third falls into the same millisecond as
 * the second: .000, .001, .001 and .500.  Two generations: the second begins
 * with the moment in the middle.  orders.db and orders.db.raw hold the number
 * of the moment.
 */
#ifndef YORE_TESTS_FAKE_MOMENTS_H
#define YORE_TESTS_FAKE_MOMENTS_H

#include <pthread.h>
#include "tests/mount/fake_tree.h"

struct fake_moments {
	struct fake_tree tree;
	unsigned int half; /* the second generation's first moment */
	const char *control;
	pthread_mutex_t lock; /* guards what follows */
	unsigned int n;
	bool fails;
	bool hangs; /* until interrupted */
};

/* control: file with "n [fail|hang]", read at every refresh; or NULL. */
void fake_moments_init(
	struct fake_moments *m, unsigned int n, const char *control);
void fake_moments_release(struct fake_moments *m);
void fake_moments_refresh(struct fake_moments *m);

/* Append source, generations and snapshots, for which there is room. */
void fake_moments_list(const struct fake_moments *m, struct history_listing *l);

/* As in struct history_ops. */
int fake_moments_tell(struct fake_moments *m, const struct history_listing *l,
	size_t generation, int64_t from_ns, history_each *each, void *ctx,
	struct err *e);
int fake_moments_at(struct fake_moments *m, const struct history_listing *l,
	size_t source, int64_t t_ns, struct history_point *p, struct err *e);
int fake_moments_by_id(struct fake_moments *m, const struct history_listing *l,
	size_t source, const char *id, struct history_point *p, struct err *e);
struct view *fake_moments_open(
	const struct fake_moments *m, const struct history_point *p);

#endif
