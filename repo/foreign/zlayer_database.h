/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A database of a zlayer replica: a snapshot, with a log laid over it or none.
 */
#ifndef YORE_FOREIGN_ZLAYER_DATABASE_H
#define YORE_FOREIGN_ZLAYER_DATABASE_H

#include "repo/foreign/zlayer_log.h"
#include "repo/foreign/zlayer_proof.h"
#include "repo/sqlite/database_view.h"

/* Snapshot i, with log w over it unless that is ZLAYER_NONE; *d is given.  The
 * roll is counted; store and kept are borrowed.  Proves nothing.  Decodes both
 * objects once.  name is copied. */
int zlayer_database_new(const struct zlayer_replica *z, size_t i, size_t w,
	const char *name, struct database **d, struct err *e);
/* Bytes [off, off + len) of it, which lie inside. */
int zlayer_database_read(
	struct database *d, uint64_t off, size_t len, void *to, struct err *e);
/* Have release called with ctx when d is freed. */
void zlayer_database_on_free(
	struct database *d, void (*release)(void *ctx), void *ctx);

#endif
