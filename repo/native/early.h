/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a mount will want of a remote repository, fetched while its keys are
 * still being looked for: which catalogs are the newest, and their sealed
 * bytes.  Each is given once; what could not be fetched is left to who asks.
 */
#ifndef YORE_NATIVE_EARLY_H
#define YORE_NATIVE_EARLY_H

#include "repo/native/newest.h"

struct early {
	bool listed; /* newest is right */
	struct newest newest;
	struct {
		uint8_t *bytes; /* or NULL */
		size_t len;
	} catalog[NEWEST_MAX];
};

/* List cat/. */
void early_list(struct early *ea, struct store *s);
/* Fetch the i-th of the newest catalogs; from several threads, each others. */
void early_get(struct early *ea, struct store *s, size_t i);

/* Whether the newest catalogs were listed; told once. */
bool early_take_newest(struct early *ea, struct newest *nw);
/* The bytes of an object (given), or NULL.  ea may be NULL. */
uint8_t *early_take(struct early *ea, const char *name, size_t *len);
void early_free(struct early *ea);

#endif
