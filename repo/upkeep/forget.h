/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Forgetting snapshots: what there is, what is to become of each, and doing it.
 *
 *	forget_open(u, &f, e)
 *	forget_by_rules(f, source, rules)   and / or   forget_name(f, point, e)
 *	... f->why[point], f->goes[point] ...
 *	forget_carry_out(f, e)
 *
 * The newest snapshot of a source is never forgotten (DESIGN, "Forgetting"),
 * unless the source goes as a whole (forget_all), nor the newest that can be read, nor, by a rule, one that is damaged: who
 * cannot see what it was should not decide.  With a database's snapshot go the
 * points that follow it, up to the next snapshot, since they build on it.
 *
 * Backups and mounts may go on meanwhile.
 */
#ifndef YORE_UPKEEP_FORGET_H
#define YORE_UPKEEP_FORGET_H

#include "repo/native/listing.h"
#include "repo/upkeep/pinned.h"
#include "repo/upkeep/retention.h"
#include "repo/upkeep/trash.h"

struct forget {
	struct upkeep *u;	   /* borrowed */
	struct native_listing *nl; /* what is below snap/ */
	struct pinned pinned;
	/* One a point of the listing: */
	uint32_t *why;	/* RETENTION_...: why it stays */
	bool *asked;	/* it has been decided about; */
	bool *goes;	/* then, whether it goes */
	size_t n_going;
	bool *ends; /* one a source: it goes as a whole */
};

struct forget_rules {
	struct retention retention;
	const char *const *tags; /* snapshots with any of these stay */
	size_t n_tags;
	int64_t now_ns;
};

/* List what there is; *f is given.  -EIO a record cannot be had now. */
int forget_open(struct upkeep *u, struct forget **f, struct err *e);
void forget_free(struct forget *f); /* NULL is allowed */

/* Decide about a source.  Rules that hold nothing but the newest are refused
 * by the caller: they are a mistake. */
void forget_by_rules(
	struct forget *f, size_t source, const struct forget_rules *rules);
/*
 * Let a snapshot go.  -EPERM it is the newest of its source, or pinned, or one
 * of two of the same number, which go together: the listing takes one for what
 * the next snapshot continues.
 */
int forget_name(struct forget *f, size_t point, struct err *e);
/*
 * Let a source go as a whole.  -EPERM a snapshot of it is pinned, or it is
 * written with a key that cannot read (and that key has not been withdrawn):
 * its owner would go on and refer to what is deleted.
 */
int forget_all(
	struct forget *f, size_t source, bool key_withdrawn, struct err *e);
struct writer;
/* Before forget_carry_out, and after it (of keys that were withdrawn), if any
 * source goes as a whole.  w: of the same repository; NULL if none of these
 * sources is a database. */
int forget_end(struct forget *f, struct writer *w, struct err *e);
int forget_end_marks(struct forget *f, struct err *e);
/* What forget_name refuses when all have been named. */
int forget_check(const struct forget *f, struct err *e);

/*
 * Do it: into the trash, then away, then catalogs, which are looked at also
 * when nothing goes, so that what died in between is made good.  May be
 * repeated after any death and any error.
 */
int forget_carry_out(struct forget *f, struct err *e);

#define auto_forget AUTO(forget_auto_)
static inline void
forget_auto_(struct forget **f)
{
	forget_free(*f);
}

#endif
