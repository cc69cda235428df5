/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a packed object of a foreign store holds, decoded as it is read, from
 * its beginning to its end: memory does not grow with it.  What was read may
 * be wrong until unpack_read has said that it has ended, because sums come
 * last: nothing may be shown to anybody before.
 */
#ifndef YORE_FOREIGN_UNPACK_H
#define YORE_FOREIGN_UNPACK_H

#include <sys/types.h>
#include "repo/store/store.h"

/* LZ4: a frame with a sum of its content; PLAIN: as it is. */
enum unpack_kind { UNPACK_GZIP, UNPACK_ZSTD, UNPACK_LZ4, UNPACK_PLAIN };

struct unpack;

/* An object of size bytes, as the listing said, decodes to at most max bytes.
 * s and name are borrowed until unpack_free.  Asks for nothing yet. */
struct unpack *unpack_new(struct store *s, const char *name, uint64_t size,
	enum unpack_kind kind, uint64_t max);
void unpack_free(struct unpack *u);

/*
 * Up to len more bytes, as read(2): 0 only at the end, when the object was
 * whole and nothing followed in it.  -EBADMSG damaged, cut off, or not as long
 * as listed; -EUCLEAN decodes to more than max; -EINTR cancelled
 * (cancel_current); errors of store_get.
 */
ssize_t unpack_read(struct unpack *u, void *buf, size_t len, struct err *e);
/* Bytes read so far. */
uint64_t unpack_off(const struct unpack *u);

#define auto_unpack AUTO(unpack_auto_)
static inline void
unpack_auto_(struct unpack **u)
{
	unpack_free(*u);
}

#endif
