/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Making the object `format` anew (FORMAT, "Repository header") when it is not
 * there or damaged.  What it says follows from the rest: objects say the id in
 * clear, and a key slot opens only under the right one; of features there are
 * none.  When the repository was made is not known any more.
 */
#ifndef YORE_UPKEEP_HEADER_H
#define YORE_UPKEEP_HEADER_H

#include "repo/native/repository.h"

/*
 * Look at the header of what repository_open refused.  1: it was (with write;
 * else would be) put anew; *how says what was wrong, one sentence without a
 * subject.  0: it is not the header, or there is no repository.
 * -EPROTONOSUPPORT it is of a newer yore, or may be; -EKEYREJECTED no slot opens
 * under any id that objects have; other -errno.
 */
int header_rebuild(const char *repo, const struct history_open_options *o,
	bool write, const char **how, struct err *e);

/* The same for who has the id and the root secret, from paper: rp has a store,
 * and gets header and keys.  0: `format` is what it should be now.  -EINVAL the
 * repository, or what objects there are, is of another id, -ENOENT there is
 * nothing, -EBADMSG snapshots are not of this key. */
int header_make_sure(struct repository *rp, struct sink *sink,
	const uint8_t id[REPOSITORY_ID_LEN], const uint8_t root[KEY_LEN],
	struct err *e);

#endif
