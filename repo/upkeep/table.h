/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading the table of contents of a pack: what it has, by its own word. */
#ifndef YORE_UPKEEP_TABLE_H
#define YORE_UPKEEP_TABLE_H

#include "repo/format/object.h"
#include "repo/native/repository.h"

/* size: of the pack, as listed.  *toc (initialised) is given.  Errors of the
 * store, -EBADMSG, -EUCLEAN; the sentence names the pack. */
int table_load(struct repository *rp, uint8_t object,
	const uint8_t id[OBJECT_ID_LEN], uint64_t size, struct toc *toc,
	struct err *e);

#endif
