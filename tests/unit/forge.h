/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Repositories made by hand: every frame, page and record as the test wants
 * it, also such as no writer makes.  Pages are tiny, so that maps are deep.
 */
#ifndef YORE_TESTS_FORGE_H
#define YORE_TESTS_FORGE_H

#include "tests/unit/unit.h"

#include "repo/format/record.h"
#include "repo/history.h"
#include "repo/native/repository.h"

struct forge_pack {
	uint8_t id[OBJECT_ID_LEN];
	struct object_key key;
	struct buf bytes;
};

struct forge {
	char dir[200]; /* the repository is in its "repo" */
	char *repo;
	struct repository *rp;
	struct sink *sink;
	struct forge_pack data, meta;
	uint32_t page_max; /* entries, extents or children a page has */
	/* Called with what an inner page is about to say of a child. */
	void (*lie)(struct forge *f, struct inner *in);
};

struct forge_chunk {
	const void *data;
	size_t len;
};

/* A new repository with an open slot, in a directory of its own, which is
 * also where state is kept from now on. */
void forge_init(struct forge *f, uint32_t page_max);
void forge_release(struct forge *f);

/* Chunks in one frame (of the given frame type), solid when there are more
 * than one; refs[i] says where. */
void forge_frame(struct forge *f, enum object_type object, uint8_t type,
	const struct forge_chunk *chunks, size_t n, struct ref *refs);
/* A page in a frame of its own. */
void forge_page(struct forge *f, const void *page, size_t len, struct ref *r);
/* The map of a directory's entries: fills in its content, ref, totals.
 * root_page (may be NULL) receives its root page. */
void forge_dir(struct forge *f, const struct entry *entries, size_t n,
	struct entry *dir, struct buf *root_page);
/* The map of a file's extents: fills in content, ref. */
void forge_extents(struct forge *f, const struct extent *x, size_t n,
	struct entry *file);
/* Write the packs and begin new ones. */
void forge_flush(struct forge *f);
/* Seal a record (its id is chosen) and write it; hash (may be NULL) is that of
 * the object.  name (may be NULL) receives where it lies. */
void forge_record(struct forge *f, struct record *r, uint8_t hash[HASH_LEN],
	char name[OBJECT_NAME_MAX * 2]);
/* Write a catalog of the given number and kind ('f', 't'). */
void forge_catalog(
	struct forge *f, uint64_t number, char kind, const struct catalog *c);

/* Open it as a history, or fail the test. */
struct history *forge_open(const struct forge *f, size_t memory);
/* The view at a point of the newest listing, or fail the test. */
struct view *forge_view(struct history *h, size_t point);
/* Change a byte of an object in place. */
void forge_damage(const struct forge *f, const char *name, size_t off,
	uint8_t xor);
char *forge_path(const struct forge *f, const char *name);

#endif
