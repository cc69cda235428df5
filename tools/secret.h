/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Asking for a repository's secret when an open needs it. */
#ifndef YORE_TOOLS_SECRET_H
#define YORE_TOOLS_SECRET_H

#include "repo/unlock.h"

/* The secret outlives the callback that found it, until the open is done;
 * then the caller owes unlock_release(&asker.secret). */
struct secret_asker {
	const struct unlock *unlock;
	struct slot_secret secret;
};

/* For history_open_options: ctx is a struct secret_asker. */
static inline int
secret_ask(void *ctx, struct slot_secret *out, struct err *e)
{
	struct secret_asker *a = ctx;
	int r = unlock_secret(a->unlock, false, &a->secret, e);

	*out = a->secret;
	return r;
}

#endif
