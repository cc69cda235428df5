/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a zlayer replica consists of, from the names in the store:
 *
 *	PREFIX/snapshots/YYYYMMDD_HHMMSS.sqlite.zst	the database file (UTC)
 *	PREFIX/wal/NUMBER.wal.zst	a whole write-ahead log; the number, of
 *			20 digits, is how many frames the file had
 *
 * Numbers begin anew with the log, so they are no order: times are.
 */
#ifndef YORE_FOREIGN_ZLAYER_ROLL_H
#define YORE_FOREIGN_ZLAYER_ROLL_H

#include <pthread.h>
#include "repo/foreign/unpacked.h"

#define ZLAYER_STAMP_LEN 15
#define ZLAYER_DATABASE_MAX (1ULL << 42) /* decoded, as of logs */

struct zlayer_object {
	uint64_t size;
	int64_t modified_ns;
};

struct zlayer_snapshot {
	struct zlayer_object o;
	char stamp[ZLAYER_STAMP_LEN + 1];
	int64_t time_ns; /* what the stamp says */
};

struct zlayer_wal {
	struct zlayer_object o;
	uint64_t number;
};

struct zlayer_roll {
	_Atomic int refs;
	char *prefix;
	struct zlayer_snapshot *snapshots; /* by stamp */
	size_t n_snapshots;
	struct zlayer_wal *wals; /* by time of modification, then number */
	size_t n_wals;
	struct zlayer_proof *proof; /* what is known of them; zlayer_proof.h */
};

/* Two LISTs. */
int zlayer_roll_load(struct store *s, const char *prefix,
	struct zlayer_roll **roll, struct err *e);
/* Whether nothing has changed between two. */
bool zlayer_roll_same(const struct zlayer_roll *a, const struct zlayer_roll *b);
struct zlayer_roll *zlayer_roll_get(struct zlayer_roll *r);
void zlayer_roll_put(struct zlayer_roll *r);

/* Seconds since 1970 of an object's modification: what times are compared in.
 */
int64_t zlayer_roll_second(const struct zlayer_object *o);
/* Names of objects; given. */
char *zlayer_roll_snapshot_name(const struct zlayer_roll *r, size_t i);
char *zlayer_roll_wal_name(const struct zlayer_roll *r, size_t i);
/* What unpacks an object of that name, which is borrowed, as the store. */
void zlayer_roll_source(struct unpacked_source *src, struct store *s,
	struct kept *k, const char *name, const struct zlayer_object *o);

/* "YYYYMMDD_HHMMSS" and the time it says; false: it is none. */
bool zlayer_roll_parse_stamp(const char *text, int64_t *time_ns);
/* "snapshots/..." or "wal/..."; false: neither. */
bool zlayer_roll_is_name(const char *name);

#endif
