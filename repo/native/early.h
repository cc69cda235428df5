/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a mount will want of a repository, fetched while its keys are still being
 * looked for: which catalogs are the newest, of a remote one their sealed bytes,
 * and of a local one what is below snap/.  Each is given once, and not when it is
 * long ago, as when somebody has typed a passphrase meanwhile; what could not be
 * fetched is left to who asks.
 */
#ifndef YORE_NATIVE_EARLY_H
#define YORE_NATIVE_EARLY_H

#include "repo/native/newest.h"
#include "repo/native/records.h"

struct early {
	int64_t began_ns; /* of clock_mono_ns */
	bool listed;	  /* newest is right */
	bool has_records; /* records is */
	struct record_places records;
	struct repository *listed_in; /* borrowed, while the thread is there */
	pthread_t listing;
	bool is_listing;
	struct newest newest;
	struct {
		uint8_t *bytes; /* or NULL */
		size_t len;
	} catalog[NEWEST_MAX];
};

struct early *early_new(void);
/* Begin to list snap/, in a thread: it takes longest, and is wanted last. */
void early_list_records(struct early *ea, struct repository *rp);
/* List cat/. */
void early_list(struct early *ea, struct store *s);
/* Fetch the i-th of the newest catalogs; from several threads, each others. */
void early_get(struct early *ea, struct store *s, size_t i);

/* Whether the newest catalogs were listed, or the records (given), for which it
 * waits.  ea may be NULL. */
bool early_take_newest(struct early *ea, struct newest *nw);
bool early_take_records(struct early *ea, struct record_places *all);
/* The bytes of an object (given), or NULL.  ea may be NULL. */
uint8_t *early_take(struct early *ea, const char *name, size_t *len);
void early_free(struct early *ea);

#endif
