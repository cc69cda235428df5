/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Index segments: sorted, immutable lists of id -> place (FORMAT, "Index
 * segments").  An object of frames: pages of entries, then one last frame, the
 * directory: packs, and the first id and place of each page.
 * Encode and decode only.
 */
#ifndef YORE_FORMAT_SEGMENT_H
#define YORE_FORMAT_SEGMENT_H

#include "repo/base/bytes.h"
#include "repo/base/err.h"
#include "repo/format/ref.h"

#define SEGMENT_PAGE_ENTRIES 512 /* about 16 KiB */
#define SEGMENT_PAGE_MAX (64u << 10)
#define SEGMENT_DIRECTORY_MAX (16u << 20)
#define SEGMENT_PACKS_MAX (1u << 20)

/* One entry; ref->place.pack is given as an index into the packs. */
struct segment_entry {
	uint8_t id[CHUNK_KEY_LEN];
	uint32_t pack;
	uint64_t frame_off;
	uint32_t frame_len;
	uint32_t chunk_off;
	uint32_t chunk_len;
};

/* A page: the entries' ids, then their places; n at most
 * SEGMENT_PAGE_ENTRIES. */
void segment_page_encode(const struct segment_entry *en, uint32_t n,
	struct buf *b);
/* *en (given) has *n entries, ids strictly ascending. */
int segment_page_decode(const uint8_t *data, size_t len,
	struct segment_entry **en, uint32_t *n, struct err *e);

struct segment_pack {
	uint8_t id[OBJECT_ID_LEN];
	uint8_t object; /* OBJECT_DATA or OBJECT_META */
};

struct segment_page {
	uint8_t first[CHUNK_KEY_LEN];
	uint64_t off; /* of its frame in the segment */
	uint32_t len; /* sealed */
};

struct segment_directory {
	struct segment_pack *packs;
	uint32_t n_packs;
	struct segment_page *pages;
	uint32_t n_pages;
	uint64_t n_entries;
	/* Segments this one contains whole: readers skip them. */
	uint8_t (*supersedes)[OBJECT_ID_LEN];
	uint32_t n_supersedes;
};

void segment_directory_release(struct segment_directory *d);
void segment_directory_encode(const struct segment_directory *d,
	struct buf *b);
int segment_directory_decode(const uint8_t *data, size_t len,
	struct segment_directory *d, struct err *e);

/* idx/<level>-<n, 12 digits>-<id>: level 0 is written by a backup, n is its
 * number of entries */
void segment_name(char out[96], unsigned level, uint64_t n,
	const uint8_t id[OBJECT_ID_LEN]);
int segment_name_parse(const char *name, unsigned *level,
	uint8_t id[OBJECT_ID_LEN]);

#endif
