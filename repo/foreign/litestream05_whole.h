/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Big LTX files are served before they have been read as a whole: an LZ4 block
 * has no sum, and the file's covers all of it.  So they are verified in the
 * background, one after the other, some time after somebody began to read
 * them (a look at a few rows is not worth the whole file).  Until then
 * user.yore.unverified says so; what turns out to be damaged gives errors from
 * then on.  Of remote files it is kept that they are good.
 */
#ifndef YORE_FOREIGN_LITESTREAM05_WHOLE_H
#define YORE_FOREIGN_LITESTREAM05_WHOLE_H

#include "repo/foreign/litestream05_replica.h"
#include "repo/foreign/pieces.h"

struct litestream05_whole;

/* How long after it was first wanted a file's verification begins; for tests
 * to change. */
extern int64_t litestream05_whole_delay_ns;

/* Of a place, which outlives it. */
struct litestream05_whole *litestream05_whole_new(struct foreign_place *p);
/* Interrupts what is under way. */
void litestream05_whole_free(struct litestream05_whole *w);

/* Have an object verified. */
void litestream05_whole_want(
	struct litestream05_replica *r, const struct pieces_object *o);
bool litestream05_whole_is_verified(
	struct litestream05_replica *r, const struct pieces_object *o);
/* Whether it is known to be damaged; then e says how. */
bool litestream05_whole_is_damaged(struct litestream05_replica *r,
	const struct pieces_object *o, struct err *e);

#endif
