/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What encoding and decoding of pages share (FORMAT, "Pages"); private to
 * repo/format. */
#ifndef YORE_FORMAT_PAGE_H
#define YORE_FORMAT_PAGE_H

#include "repo/format/entry.h"

/* Flags of an entry. */
#define ENTRY_TYPE 0x7
#define ENTRY_SAME_PERM 0x8
#define ENTRY_SAME_OWNER 0x10
#define ENTRY_CTIME_IS_MTIME 0x20
#define ENTRY_LINKS 0x40
#define ENTRY_CONTENT_SHIFT 7 /* two bits */
#define ENTRY_XATTRS_INLINE 0x200
#define ENTRY_XATTRS_CHUNK 0x400
#define ENTRY_BLOCKS 0x800
#define ENTRY_EXTENSION 0x1000
#define ENTRY_KNOWN 0x1fff

/* Fields of an extension. */
#define EXTENSION_INTERIOR 2

/* Flags of a hint. */
#define HINT_SAME_FRAME 1 /* then 2: follows the chunk before */
#define HINT_FOLLOWS 2
#define HINT_SAME_PACK 2 /* a new frame: of the same pack, */
#define HINT_NEXT_FRAME 4 /* right behind the frame before, */
#define HINT_CHUNK_FIRST 8 /* and the chunk at its start */

/* The reference before, one for each object type. */
struct hint_state {
	struct frame_place place;
	uint32_t chunk_end;
	bool set;
};

/* The entry before, one for directories and one for all others. */
struct entry_state {
	uint32_t perm, uid, gid;
};

struct page_state {
	struct hint_state data, meta;
	struct entry_state dir, other;
	uint64_t ino;
	int64_t mtime_s, ctime_s;
};

/* Blocks that a file of this size has when nothing is special. */
static inline uint64_t
entry_usual_blocks(bool symlink, uint64_t size)
{
	if (symlink)
		return 0;
	return (size >> 12) * 8 + ((size & 4095) ? 8 : 0);
}

#endif
