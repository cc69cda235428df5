/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Snapshots made by hand, for tests of repositories with many or large ones. */
#ifndef YORE_TESTS_WRITE_RECORD_H
#define YORE_TESTS_WRITE_RECORD_H

#include "repo/native/records.h"
#include "repo/store/store.h"

struct world {
	struct repository *rp;
	struct sink *sink;
	struct record newest;	/* of the only source */
	uint8_t hash[HASH_LEN]; /* of its object */
};

/* Open a local repository that has one source.  Ends the program when anything
 * fails, as all of these. */
void world_open(struct world *w, const char *repository);
void world_close(struct world *w);
/* Put `newest` away as a snapshot a minute later than it was. */
void world_put(struct world *w);
/* Note it in the catalogs, with those that were not noted before. */
void world_note(struct world *w);
void world_must(int r, const struct err *e);

#endif
