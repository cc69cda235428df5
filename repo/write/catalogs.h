/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keeping the catalog (FORMAT, "Catalogs"): after each snapshot a tail with the
 * records since the last full one, now and then a full one, so that a mount
 * reads two objects however many snapshots there are.  Objects are only added.
 *
 * What another run left out, because it died or lost a race, is added: of the
 * own source each time, of all when a full one is made, which is also when
 * records that were removed are left out.
 *
 * Two may write catalogs at a time, and one of them remove records (FORMAT,
 * "Catalogs").  Each puts its own, then looks what others have put meanwhile,
 * so at least one of two sees the other: a run that sees that its catalog does
 * not count, or somebody else's full one, which may have been made because
 * records went away, looks and writes anew; who removes records writes until
 * no catalog that counts has one of them.
 */
#ifndef YORE_WRITE_CATALOGS_H
#define YORE_WRITE_CATALOGS_H

#include "repo/format/record.h"
#include "repo/native/repository.h"

/*
 * In two steps, of which the first, four round trips to a store that is far,
 * may be taken while the snapshot is still on its way: what catalogs there are,
 * and what they lack.  What fails is told by the second.
 */
struct catalogs;
struct catalogs *catalogs_look(
	struct repository *rp, const char *host, const char *name);
/* Note a new record of that source (left with the caller). */
int catalogs_put(struct catalogs *cs, struct sink *sink,
	const struct record *rec, const uint8_t hash[HASH_LEN], struct err *e);
void catalogs_free(struct catalogs *cs); /* NULL is allowed */

/* Both. */
int catalogs_add(struct repository *rp, struct sink *sink,
	const struct record *rec, const uint8_t hash[HASH_LEN], struct err *e);

/* Records were removed, or came back: make catalogs say what is below snap/.
 * Nothing is written when they do. */
int catalogs_settle(struct repository *rp, struct sink *sink, struct err *e);

#endif
