/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The state of a tito store at a point, as a sorted table (table.h) of paths:
 * what each key of the last put is, and the directories above.  It is made of
 * the nearest state before it that is kept, and the changelogs since; without
 * one, of the full backup.
 */
#ifndef YORE_FOREIGN_TITO_STATE_H
#define YORE_FOREIGN_TITO_STATE_H

#include "repo/foreign/table.h"
#include "repo/foreign/tito_roll.h"
#include "repo/view.h"

/* Where a value is: in a chunk of a stamp. */
struct tito_place {
	bool full; /* the stamp */
	uint64_t seconds;
	uint32_t chunk; /* number */
	uint64_t off;
	uint64_t len;
};

/* The place that a record's value says; false: the record is a directory. */
bool tito_state_place(const struct table_record *r, struct tito_place *p);
/* Totals of the whole state. */
void tito_state_totals(const struct table *t, struct view_totals *out);

/*
 * The table of a point of a roll, made if need be, or anew even if it is kept
 * (some of it was lost).  *t is given.  -EIO or -EBADMSG what it is made of is
 * missing or damaged; -EINTR; -errno there is no room for it.  One at a time
 * for each point.
 */
int tito_state_open(struct store *s, struct kept *k,
	const struct tito_roll *roll, size_t point, bool anew, struct table **t,
	struct err *e);

#endif
