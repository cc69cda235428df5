/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the reading and the writing half of the fault store (fault.h). */
#ifndef YORE_STORE_FAULT_PLAN_H
#define YORE_STORE_FAULT_PLAN_H

#include "repo/store/fault.h"

enum fault_kind {
	FAULT_NONE,
	FAULT_EIO,
	FAULT_ENOSPC,
	FAULT_ENOENT,
	FAULT_SHORT,
	FAULT_FLIP,
	FAULT_DELAY,
	FAULT_KILL,
};

/* Count a call on an object and say what is to happen to it.  Delays and kills
 * have happened when it returns, and count as FAULT_NONE. */
enum fault_kind fault_next(struct fault *f);

/* The error of a call that fails: EIO for kinds that are not an errno. */
int fault_error(enum fault_kind kind, const char *name, struct err *e);

/* Whether kind is one of those that fail a call outright. */
bool fault_fails(enum fault_kind kind);

#endif
