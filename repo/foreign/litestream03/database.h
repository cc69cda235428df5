/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A database in one of its states: the view of it, whose pages are those of its
 * logs and of the snapshot that they follow.
 *
 * Opening a state fetches and decodes what it needs of its logs, and proves
 * that nothing lacks; the snapshot is fetched when it is first read from, or
 * when it has to be looked at to know the state.
 */
#ifndef YORE_FOREIGN_LITESTREAM03_DATABASE_H
#define YORE_FOREIGN_LITESTREAM03_DATABASE_H

#include "repo/foreign/litestream03/log.h"
#include "repo/foreign/litestream03/snapshot.h"
#include "repo/view.h"

/* *view is given; r and t are counted.  Errors as of ls03_log_load and
 * ls03_snapshot_open. */
int ls03_database_open(struct ls03 *r, struct ls03_timeline *t, size_t state,
	struct view **view, struct err *e);
/* What such a view of a state of that time says of its root directory. */
void ls03_database_root_at(int64_t time_ns, struct view_attr *a);

/*
 * How many frames of a log a snapshot of its index needs, of which the first n
 * are a state: it may hold pages that the log had when it was made, beyond
 * those.  They are looked for among all frames of the log as it was loaded.
 * *doubtful: it may be of a later state; *needed is the number of frames of the
 * one it is of, or n where that is not sure.
 */
int ls03_database_settle(struct ls03 *r, const struct ls03_timeline *t,
	const struct ls03_log *log, struct ls03_snapshot *s, size_t n,
	size_t *needed, bool *doubtful, struct err *e);

/* Whether a snapshot is of a state behind the first n frames of its own log, by
 * pages that it has as later frames write them and not as those do: 1, 0,
 * -errno. */
int ls03_database_is_later(struct ls03 *r, const struct ls03_timeline *t,
	const struct ls03_log *log, struct ls03_snapshot *s, size_t n,
	struct err *e);

#endif
