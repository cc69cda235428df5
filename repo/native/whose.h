/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Of which repository the objects in a store are, by what their clear headers
 * say (FORMAT, "Objects"): for when `format` is not there or not believed.  No
 * proof of anything: a key slot that opens under an id proves it.
 */
#ifndef YORE_NATIVE_WHOSE_H
#define YORE_NATIVE_WHOSE_H

#include "repo/crypto/id.h"
#include "repo/store/store.h"

#define WHOSE_MAX 4
#define WHOSE_LOOK_MAX 16

struct whose {
	uint8_t id[WHOSE_MAX][REPOSITORY_ID_LEN];
	unsigned count[WHOSE_MAX]; /* objects; the highest first */
	unsigned n;		   /* ids */
};

/* Look at the first n objects (at most WHOSE_LOOK_MAX) below snap/, cat/, meta/
 * and data/. */
int whose_look(struct store *s, unsigned n, struct whose *w, struct err *e);
bool whose_has(const struct whose *w, const uint8_t id[REPOSITORY_ID_LEN]);

#endif
