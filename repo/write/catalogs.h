/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keeping the catalog (FORMAT, "Catalogs"): after each snapshot a tail with the
 * records since the last full one, now and then a full one, so that a mount
 * reads two objects however many snapshots there are.  Objects are only added.
 *
 * What another run left out, because it died or lost a race, is added: of the
 * own source each time, of all when a full one is made, which is also when
 * records that were removed are left out.
 */
#ifndef YORE_WRITE_CATALOGS_H
#define YORE_WRITE_CATALOGS_H

#include "repo/format/record.h"
#include "repo/native/repository.h"

/* Note a new record (left with the caller). */
int catalogs_add(struct repository *rp, struct sink *sink,
	const struct record *rec, const uint8_t hash[HASH_LEN], struct err *e);

#endif
