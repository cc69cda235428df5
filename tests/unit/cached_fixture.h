/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A disk cache before the fixture's store, which also lists and lets go. */
#ifndef YORE_TESTS_CACHED_FIXTURE_H
#define YORE_TESTS_CACHED_FIXTURE_H

#include "tests/unit/fetch_fixture.h"
#include "repo/fetch/cached.h"

#define CACHED_FRAME_LEN 100000u

extern struct fixture x;
extern struct pack *pack; /* 12 frames of content */
extern unsigned lists;	  /* made of the store */

/* With the cache of this test, which may have something in it. */
struct store *open_cached(bool offline);
int set_up(void **state);
int tear_down(void **state);

#endif
