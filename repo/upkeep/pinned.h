/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Snapshots that no rule removes (FORMAT, "Pinned snapshots"): an empty object
 * each, gc/pin/<source>/<seq>.  It names source and number, so it holds also
 * for a database that is thinned, which keeps its number.
 */
#ifndef YORE_UPKEEP_PINNED_H
#define YORE_UPKEEP_PINNED_H

#include "repo/native/records.h"
#include "repo/upkeep/upkeep.h"

struct pinned_one {
	uint8_t source[SOURCE_KEY_LEN];
	uint64_t seq;
};

/* Zeroed is empty. */
struct pinned {
	struct pinned_one *p; /* sorted */
	size_t n, cap;
};

int pinned_list(struct repository *rp, struct pinned *all, struct err *e);
void pinned_release(struct pinned *all);
bool pinned_has(const struct pinned *all, const uint8_t source[SOURCE_KEY_LEN],
	uint64_t seq);

/* Pin a snapshot, or no longer; what is so already is well. */
int pinned_put(struct upkeep *u, const struct record_place *p, struct err *e);
int pinned_remove(struct upkeep *u, const struct record_place *p,
	struct err *e);

#define auto_pinned AUTO(pinned_release)

#endif
