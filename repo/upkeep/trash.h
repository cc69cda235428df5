/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The trash (FORMAT, "Trash"): records of snapshots that were removed, byte for
 * byte as they were, until prune takes them.  What is in it is shown by
 * nobody; a record that is below snap/ too exists, whatever the trash says.
 *
 * Every step may be repeated after any death: a record is always in one of the
 * two places, or in both.
 */
#ifndef YORE_UPKEEP_TRASH_H
#define YORE_UPKEEP_TRASH_H

#include "repo/native/records.h"
#include "repo/upkeep/upkeep.h"

#define TRASH_PREFIX "gc/snap/"

struct trash_entry {
	struct record_place place; /* where it was: its name below snap/ */
	int64_t since_ns;	   /* by the store's clock; or
				    * STORE_TIME_UNKNOWN */
	uint64_t size;
};

/* What is in the trash, in the order of names: by source, then number.
 * Zeroed is empty. */
struct trash {
	struct trash_entry *e;
	size_t n, cap;
};

int trash_list(struct repository *rp, struct trash *t, struct err *e);
void trash_release(struct trash *t);
/* The entry of a record that was there, or NULL. */
const struct trash_entry *trash_find(
	const struct trash *t, const char *name);

/* Whether it is so old that nobody can just be about to remove the record. */
bool trash_is_stale(const struct trash_entry *en);

/* gc/snap/<source>/<name> of a record snap/<source>/<name>. */
void trash_name(char out[STORE_NAME_MAX + 1], const struct record_place *p);

/* A record that is to go. */
struct trash_item {
	struct record_place place;
	uint8_t hash[HASH_LEN]; /* of its object; zeros: it is damaged, and goes
				 * as it is */
};

/*
 * Copy n records into the trash, see that all are there, and only then remove
 * them below snap/: one get and one put each, one request a thousand to list
 * and to remove.  One that is gone already is none less.  -EBADMSG a record is
 * not the one that was listed.  Catalogs are the caller's (catalogs_settle).
 */
int trash_put(struct upkeep *u, const struct trash_item *items, size_t n,
	struct err *e);

/*
 * Put n records back below snap/, as they were; they are left in the trash.
 * -ENOENT it is not there any more; one that is back already is well.
 * trash_remove is to follow when all that belongs to them is certain.
 */
int trash_restore(struct upkeep *u, const struct record_place *places,
	size_t n, struct err *e);
int trash_remove(struct upkeep *u, const struct record_place *places, size_t n,
	struct err *e);

/* Remove n records below snap/, of which no copy is kept. */
int trash_withdraw(struct upkeep *u, const struct record_place *places,
	size_t n, struct err *e);

#define auto_trash AUTO(trash_release)

#endif
