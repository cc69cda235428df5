/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Replicas of Litestream 0.5. */
#ifndef YORE_FOREIGN_LITESTREAM05_H
#define YORE_FOREIGN_LITESTREAM05_H

#include "repo/foreign/foreign.h"

extern const struct foreign_format litestream05_format;

/* One replica as a history of one source. */
int litestream05_open(struct foreign_place *place, const char *host,
	const struct foreign_root *root, struct history **history,
	struct err *e);
/* struct foreign_format's look. */
int litestream05_look(struct foreign_look *k, struct err *e);

#endif
