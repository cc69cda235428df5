/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Puts the disk cache before a remote store.  The cache is one of a
 * repository, and which one that is stands in its header: who has been here
 * before takes the id he saw last, so that nothing need be asked, and begins
 * anew without that when it turns out to be wrong.
 */
#ifndef YORE_NATIVE_REMOTE_H
#define YORE_NATIVE_REMOTE_H

#include "repo/open.h"
#include "repo/store/store.h"

/*
 * Before the first request: replace *s by a store with the cache of the
 * repository that was last at its address, if one is known.  Returns whether
 * it did.
 */
bool remote_guess(struct store **s, const struct history_open_options *o);

/*
 * The header has been read, and says whose objects these are: replace *s by a
 * store with the cache of that repository, unless it has one, and keep the
 * header.  Offline nothing may be asked, so -ENETDOWN when there is none.
 */
int remote_known(struct store **s, const struct history_open_options *o,
	const uint8_t *id, const void *header, size_t header_len,
	struct err *e);

/* Ask the store itself, past the cache, for the header: -ESTALE when it is not
 * this one. */
int remote_confirm(struct store *s, const void *header, size_t header_len,
	struct err *e);

#endif
