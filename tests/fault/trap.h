/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The system calls by which the directory store writes, made to fail or to be
 * the last thing this process does.  Linked in place of write, fsync, linkat,
 * mkdirat, unlinkat (ld --wrap), so that what lies between two calls of a sink
 * can be tried as well.
 *
 * Counted from 1; a write counts twice: before it, and when half is written.
 */
#ifndef YORE_TESTS_TRAP_H
#define YORE_TESTS_TRAP_H

#include <stdbool.h>
#include <stdint.h>

enum trap {
	TRAP_NONE,
	TRAP_KILL,   /* SIGKILL instead of the call */
	TRAP_EIO,    /* this one call fails */
	TRAP_ENOSPC, /* this one and all that need room after it fail */
};

/* From now on, in this process. */
void trap_arm(enum trap kind, uint64_t at);
bool trap_happened(void);

#endif
