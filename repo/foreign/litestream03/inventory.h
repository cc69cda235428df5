/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a replica holds now, by its listings: generations and their snapshots;
 * the segments of a generation when they are asked for, and then only what is
 * new of them.  Locks itself; nothing is locked while the store is asked.
 */
#ifndef YORE_FOREIGN_LITESTREAM03_INVENTORY_H
#define YORE_FOREIGN_LITESTREAM03_INVENTORY_H

#include "repo/foreign/litestream03/replica.h"

struct ls03_inventory;

struct ls03_inventory *ls03_inventory_new(struct ls03 *r); /* counted */
void ls03_inventory_free(struct ls03_inventory *v);
struct ls03 *ls03_inventory_replica(struct ls03_inventory *v);

/* List generations and snapshots: a LIST, and one a generation. */
int ls03_inventory_refresh(struct ls03_inventory *v, struct err *e);

/* Of one generation, borrowed for the call: at least one snapshot, by index. */
struct ls03_seen {
	const char *name;
	unsigned slot; /* below LS03_SLOTS: a number for it, and no other one */
	const struct ls03_object *snapshots;
	size_t n;
};
#define LS03_SLOTS 128
/* Call for each generation, by the time of its first snapshot. */
void ls03_inventory_each(struct ls03_inventory *v,
	void (*each)(void *ctx, const struct ls03_seen *g), void *ctx);

/*
 * All of a generation; *t is given, *slot as above.  Lists its segments, the
 * first time after a refresh; when that fails, what was known before serves.
 * -ESTALE there is no such generation.
 */
int ls03_inventory_timeline(struct ls03_inventory *v, const char *generation,
	struct ls03_timeline **t, unsigned *slot, struct err *e);

#endif
