/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory that may be larger than a program should take: up to SCRATCH_SMALL it
 * is ordinary, beyond that it is mapped from a file that has no name any more,
 * so that the kernel can put it out of the way.  The file lies in $TMPDIR, else
 * in /var/tmp.
 */
#ifndef YORE_UPKEEP_SCRATCH_H
#define YORE_UPKEEP_SCRATCH_H

#include <stddef.h>
#include "repo/base/auto.h"
#include "repo/base/err.h"

#define SCRATCH_SMALL ((size_t)24 << 20)

struct scratch {
	void *data; /* zeros at first */
	size_t len;
};

/* -ENOSPC and other -errno of the file; *s is to be released. */
int scratch_new(struct scratch *s, size_t len, struct err *e);
/* The same bytes, and zeros behind them. */
int scratch_grow(struct scratch *s, size_t len, struct err *e);
void scratch_release(struct scratch *s);

/* A file of that kind, for reading and writing; the descriptor, or -errno. */
int scratch_file(struct err *e);

#define auto_scratch AUTO(scratch_release)

#endif
