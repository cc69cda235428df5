/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which snapshot records a repository has.
 *
 * A local one is asked: snap/ is listed.  A remote one would answer with a page
 * of 1,000 names after the other, so its newest catalogs are believed (FORMAT,
 * "Catalogs"): one LIST, and one GET of each that is new.  What they do not
 * know is the snapshot of a run that died before its catalog was written, and
 * the removal of a record by somebody who wrote none; for these snap/ is
 * listed now and then, and whenever the catalogs cannot be right: there are
 * none, one is damaged, or this user has seen more (state.h).
 */
#ifndef YORE_NATIVE_ROSTER_H
#define YORE_NATIVE_ROSTER_H

#include "repo/native/id_set.h"
#include "repo/native/listing.h"
#include "repo/native/newest.h"
#include "repo/native/records.h"

/* When snap/ of a remote repository is listed whole, by the refresh that comes
 * next: not while a mount gets going, then hourly.  10,000 snapshots are 10
 * requests then.  What waits for it is rare, and lost to nobody. */
#define ROSTER_FIRST_S 45
#define ROSTER_EVERY_S 3600

/* Not for several threads. */
struct roster {
	struct repository *rp;	       /* borrowed */
	int64_t due_ns;		       /* of clock_mono_ns: snap/ is listed */
	struct newest newest;	       /* the catalogs that were read last, */
	struct id_set ids[NEWEST_MAX]; /* and what is in each of them */
	struct id_set extra;	       /* below snap/, in none of them */
	struct id_set gone;	       /* in one of them, not below snap/ */
};

void roster_init(struct roster *ro, struct repository *rp);
void roster_release(struct roster *ro);

/* What an inventory found.  Zeroed to begin with. */
struct inventory {
	struct record_places places;
	struct loaded_record *r; /* n of them; r[i] is at places.p[i] */
	size_t n, cap;
	bool same;  /* as the listing before: there is no more to say */
	bool whole; /* snap/ was listed */
	struct newest newest; /* the rest is the roster's */
	struct id_set ids[NEWEST_MAX];
};

/*
 * Find out what there is now.  Records that the listing before knows (NULL:
 * there is none) are left RECORD_UNKNOWN.  Errors are the store's; what is
 * wrong with single records and catalogs is logged.
 */
int roster_take(struct roster *ro, const struct native_listing *before,
	struct inventory *iv, struct err *e);
/* It was not whole: make it so. */
int roster_complete(struct roster *ro, const struct native_listing *before,
	struct inventory *iv, struct err *e);
/* The listing is made: the next one begins where this one ended. */
void roster_keep(struct roster *ro, struct inventory *iv);
void inventory_release(struct inventory *iv);

#define auto_inventory AUTO(inventory_release)

#endif
