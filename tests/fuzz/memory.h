/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A store in memory, and, in the place of repo/foreign/kept.c, what is kept in
 * memory: for targets that give whole replicas to their readers many times a
 * second.  One thread only.
 */
#ifndef YORE_TESTS_FUZZ_MEMORY_H
#define YORE_TESTS_FUZZ_MEMORY_H

#include "repo/base/bytes.h"
#include "repo/foreign/kept.h"
#include "repo/store/store.h"

/* Empty; freed by store_free. */
struct store *memory_store_new(void);
/* An object of this name (copied, as the data), instead of one that is there;
 * false: a store takes no such name. */
bool memory_put(struct store *s, const char *name, const void *data, size_t len,
	int64_t modified_ns);

/* What there is to keep things in; nothing is kept so far. */
struct kept *memory_kept(void);
/* One in so many things that are asked for is not kept any more; 0: none. */
void memory_kept_loses(struct kept *k, unsigned one_in);

#endif
