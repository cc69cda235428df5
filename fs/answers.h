/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What was found out about versions of paths, so that nobody waits for it
 * twice.  An answer holds for the snapshots it is of; when a source has more of
 * them since, only those are looked at.  The least recently used are forgotten
 * beyond ANSWERS_MAX of them or ANSWERS_BYTES_MAX.
 *
 * May be called from any thread, and may ask the store.  Its lock is a leaf.
 */
#ifndef YORE_FS_ANSWERS_H
#define YORE_FS_ANSWERS_H

#include "repo/base/auto.h"
#include "repo/versions/versions.h"

#define ANSWERS_MAX 512
#define ANSWERS_BYTES_MAX (8u << 20)

struct answers;

/* One answer; immutable and counted. */
struct answer {
	struct versions vs;
	struct versions_names names; /* of VERSIONS_OF_NAMES, if asked for */
	bool has_names;
	/* The rest is private to answers.c. */
	_Atomic int refs;
	enum versions_of of;
	char *host, *name, *path;
	char first[HISTORY_ID_MAX + 1], last[HISTORY_ID_MAX + 1];
	uint64_t version; /* of the listing, if it holds for that only */
	size_t cost;
	uint64_t used;
};

struct answers *answers_new(void);
void answers_free(struct answers *as);

/* For queries. */
struct versions_views *answers_views(struct answers *as);

/* The versions of a path, and (names) the names it had as a directory; *a is
 * given.  Errors as versions_find. */
int answers_get(struct answers *as, const struct versions_query *q, bool names,
	struct answer **a, struct err *e);
/* The same only if nothing has to be asked for; else NULL. */
struct answer *answers_peek(
	struct answers *as, const struct versions_query *q, bool names);
void answer_put(struct answer *a); /* NULL is allowed */

/* The version that begins at snapshot number `point` and is there, or NULL. */
const struct version *answer_version(const struct answer *a, uint32_t point);
/* Whether the names have that one; only if none is left out. */
bool answer_has_name(const struct answer *a, const char *name);

#define auto_answer AUTO(answer_auto_)
static inline void
answer_auto_(struct answer **a)
{
	answer_put(*a);
}

#endif
