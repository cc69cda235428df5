/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keeping the catalog: after each snapshot a tail (cat/<n>-t-<id>) with the
 * records since the last full one, now and then a full one (cat/<n>-f-<id>), so
 * that a mount reads two objects however many snapshots there are.  Objects
 * are only added; n is the number of records they stand for together.
 */
#ifndef YORE_WRITE_CATALOGS_H
#define YORE_WRITE_CATALOGS_H

#include "repo/format/record.h"
#include "repo/native/repository.h"

/* Note a new record (left with the caller).  Losing the race against another
 * writer loses nothing: readers find what no catalog has. */
int catalogs_add(struct repository *rp, struct sink *sink,
	const struct record *rec, const uint8_t hash[HASH_LEN], struct err *e);

#endif
