/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A repository opened for keeping it up: to read it and to remove from it.
 * What is decided here follows from what the store itself says: no disk cache
 * lies between.  Linked into tools only.
 */
#ifndef YORE_UPKEEP_UPKEEP_H
#define YORE_UPKEEP_UPKEEP_H

#include "repo/native/repository.h"

struct upkeep {
	struct repository *rp;
	struct sink *sink;
};

/* Open; zeroed before.  Errors as history_open_repository, -EROFS when its
 * must-write features are unknown, -EINVAL with o->offline. */
int upkeep_open(struct upkeep *u, const char *repo,
	const struct history_open_options *o, struct err *e);
void upkeep_release(struct upkeep *u);

/* What several threads do one thing of each with: the first failure is told,
 * and nothing more is begun after it.  run returns 0 or -errno. */
int upkeep_together(size_t n, int (*run)(void *ctx, size_t i, struct err *e),
	void *ctx, struct err *e);

#define auto_upkeep AUTO(upkeep_release)

#endif
