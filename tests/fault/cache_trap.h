/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The system calls by which the cache writes (SQLite's own apart), made to fail
 * or to be the last thing this process does; linked in their place (ld --wrap).
 * Counted from 1; a write counts twice: before it, and when half is written.
 */
#ifndef YORE_TESTS_CACHE_TRAP_H
#define YORE_TESTS_CACHE_TRAP_H

#include <stdbool.h>

/* From now on, call number `at` fails with code, or with code 0 kills this
 * process; with `lasting` all calls after it, too.  at 0: none.  EOPNOTSUPP is
 * what punching holes fails with, always, and nothing else. */
void cache_trap_arm(int code, unsigned at, bool lasting);
/* To be called once, before the next file is removed; NULL: nothing. */
extern void (*cache_trap_before_removal)(void);
/* Calls counted since then. */
unsigned cache_trap_calls(void);

#endif
