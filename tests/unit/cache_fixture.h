/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A cache in a directory of its own, and objects whose every byte follows from
 * their name and its place, so that wrong bytes are found as unsealing finds
 * them.
 */
#ifndef YORE_TESTS_CACHE_FIXTURE_H
#define YORE_TESTS_CACHE_FIXTURE_H

#include "tests/unit/unit.h"

#include "repo/cache/cache.h"

#define KIB 1024ull
#define MIB (1024 * KIB)

extern char cache_root[200]; /* an empty directory */
extern char cache_dir[256];  /* where the cache of the test lies, below it */
extern const uint8_t cache_repository[REPOSITORY_ID_LEN];

int cache_set_up(void **state);
int cache_tear_down(void **state);

/* The cache; fails the test when it cannot be opened. */
struct cache *open_cache(void);
/* With this limit and nothing to be left free. */
struct cache *open_cache_of(uint64_t limit);

/* data/<xx>/<32 digits> of object number i; in a buffer that the 16th call
 * after it uses again. */
const char *pack_name(unsigned i);
/* The bytes of an object at a place; given. */
uint8_t *content_of(const char *name, uint64_t off, size_t len);
bool content_is(const char *name, uint64_t off, const void *data, size_t len);

/* Write content and wait until it is there. */
void keep(struct cache *c, const char *name, uint64_t off, size_t len);
/* Whether it is there; fails the test when it is there and wrong. */
bool is_kept(struct cache *c, const char *name, uint64_t off, size_t len);

enum outcome { OUT_HIT, OUT_MISS, OUT_BAD };
/* As a reader does: what lacks or is wrong is written; the outcome of the
 * first look. */
enum outcome read_through(
	struct cache *c, const char *name, uint64_t off, size_t len);

/*
 * Some of everything that a mount and its commands do: reads of three objects
 * of 8 MiB, forgetting, pins, evictions, and "format" in ever newer versions.
 * outcomes[] counts the reads.
 */
void cache_workload(struct cache *c, unsigned seed, unsigned rounds,
	unsigned outcomes[3]);
/* "format" as it is kept: its version, 0 when it is not there; fails the test
 * when it is none that was put. */
unsigned format_version(struct cache *c);

/* Bytes that the files below the cache's directory take on the disk. */
uint64_t disk_use(void);
/* The file of an object, in a buffer of its own. */
const char *file_of(const char *pack);
/* Flip one bit. */
void flip(const char *path, uint64_t off);

#define WITH_CACHE(test) \
	cmocka_unit_test_setup_teardown(test, cache_set_up, cache_tear_down)

#endif
