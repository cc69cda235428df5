/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Directory entries and extents, and the pages of sorted maps that hold them
 * (FORMAT, "Sorted maps", "Directory entries", "Extents").
 * Encode and decode only.
 */
#ifndef YORE_FORMAT_ENTRY_H
#define YORE_FORMAT_ENTRY_H

#include <stdbool.h>
#include "repo/base/bytes.h"
#include "repo/base/err.h"
#include "repo/format/ref.h"

#define NAME_LEN_MAX 255
#define SYMLINK_LEN_MAX 4095
#define INLINE_LEN_MAX 128   /* content kept in the entry itself */
#define INLINE_XATTRS_MAX 256
#define PAGE_LEN_MAX (512u << 10) /* refused when reading */
#define MAP_DEPTH_MAX 12

enum content_kind {
	CONTENT_NONE = 0,    /* empty file, or not a file */
	CONTENT_INLINE = 1,  /* bytes in the entry; also a symlink's target */
	CONTENT_CHUNK = 2,   /* one chunk is the whole file */
	CONTENT_MAP = 3,     /* root page of an extents map, or of a directory */
};

/* Totals below a directory, itself not counted. */
struct totals {
	uint64_t entries;
	uint64_t files;
	uint64_t bytes;
	int64_t newest_ns;
	uint8_t flags; /* TOTALS_* */
};
#define TOTALS_XATTRS 1
#define TOTALS_ACL 2

void totals_add(struct totals *t, const struct totals *more);

struct entry {
	const uint8_t *name; /* borrowed */
	uint32_t name_len;
	uint32_t mode; /* S_IFMT | permissions */
	uint32_t uid, gid;
	uint64_t size;
	uint64_t blocks;
	int64_t mtime_s, ctime_s;
	uint32_t mtime_ns, ctime_ns;
	uint32_t nlink;
	uint64_t rdev;
	uint64_t ino;  /* at the source; recognises unchanged files */
	uint64_t link; /* > 0: number shared by the names of one file */
	uint8_t content; /* enum content_kind */
	struct ref ref;	 /* CONTENT_CHUNK, CONTENT_MAP */
	const uint8_t *data; /* CONTENT_INLINE: size bytes, borrowed */
	const uint8_t *xattrs; /* encoded, borrowed; NULL when none or a chunk */
	uint32_t xattrs_len;
	const struct ref *xattrs_ref; /* they lie in a chunk of their own; NULL
				       * when none or inline; borrowed */
	/* Root page of a map of extents with what else there is of the file's
	 * content: interior pages of a database, put together (FORMAT,
	 * "Interior pages").  NULL: none; borrowed. */
	const struct ref *interior;
	struct totals totals; /* directories */
};

/* The entry's own contribution to its directory's totals. */
void entry_totals(const struct entry *en, struct totals *t);

struct extent {
	uint64_t off; /* in the file; of the first byte */
	uint64_t len;
	bool hole;
	struct ref ref; /* not of a hole; ref.chunk_len == len */
};

enum page_kind {
	PAGE_DIR_LEAF = 1,
	PAGE_DIR_INNER = 2,
	PAGE_EXTENT_LEAF = 3,
	PAGE_EXTENT_INNER = 4,
	PAGE_ROOT = 5, /* one nameless entry: the root in a snapshot record */
};

/* A child of an inner page. */
struct inner {
	const uint8_t *first; /* first name below it (directories), borrowed */
	uint32_t first_len;
	uint64_t n; /* map entries below it */
	uint64_t off; /* extents: file offset where it begins */
	uint64_t len; /* extents: bytes it covers */
	struct totals totals; /* directories: of all entries below it */
	struct ref ref;
};

/* -- Encoding: add entries in ascending order, then finish ---------------- */

struct page_encoder;
struct page_encoder *page_encoder_new(enum page_kind kind);
void page_encoder_free(struct page_encoder *pe);
void page_encoder_entry(struct page_encoder *pe, const struct entry *en);
void page_encoder_extent(struct page_encoder *pe, const struct extent *x);
void page_encoder_inner(struct page_encoder *pe, const struct inner *in);
/* Bytes the page has so far, nearly. */
size_t page_encoder_len(const struct page_encoder *pe);
uint32_t page_encoder_n(const struct page_encoder *pe);
/* Append the page to b and start an empty one. */
void page_encoder_finish(struct page_encoder *pe, struct buf *b);

/* -- Decoding --------------------------------------------------------------- */

/* A decoded page; everything in it borrows the bytes it was decoded from or
 * its own memory, and is immutable. */
struct page {
	enum page_kind kind;
	uint32_t n;
	union {
		struct entry *entries;
		struct extent_leaf *extents; /* page_extent */
		struct inner *inners;
	};
	uint64_t off, end; /* extents, and inner pages of them: what of the file
			    * they cover */
	/* leaf of a directory: number of nodes before entry i, counted from the
	 * page's first entry (an entry and all below it); inner: likewise
	 * before child i.  n + 1 values. */
	uint64_t *nodes_before;
	uint64_t *n_before; /* inner: map entries before child i; n + 1 values */
	size_t memory;	    /* bytes it occupies */
	uint8_t *names;	    /* own storage of front-coded names */
	struct ref *refs; /* own storage of entries' xattrs_ref and interior */
};

/*
 * Decode a page.  Checks everything that can be checked alone: bounds, order
 * of names, names without '/', NUL, ".", "..", sums that overflow.
 * *page is given; data must outlive it.
 */
int page_decode(const uint8_t *data, size_t len, struct page **page,
	struct err *e);

/* Extent number i < n of a leaf. */
void page_extent(const struct page *p, uint32_t i, struct extent *x);
/* The extent of a leaf that has the file's byte at off, which it covers; its
 * number. */
uint32_t page_extent_at(const struct page *p, uint64_t off, struct extent *x);
/* Ids of the packs they lie in, n of OBJECT_ID_LEN; borrowed. */
const uint8_t *page_extent_packs(const struct page *p, size_t *n);

void page_free(struct page *p);
/*
 * The one entry of a root page, without a page.  It has no name, and borrows
 * from data and from *refs, which is given, or NULL when there are none.
 */
int page_decode_root(const uint8_t *data, size_t len, struct entry *root,
	struct ref **refs, struct err *e);

/* -- Extended attributes: (name, value) blobs, sorted by name -- */

#define XATTRS_LEN_MAX (1u << 20)
void xattrs_encode(struct buf *b, const char *const *names,
	const void *const *values, const size_t *value_lens, size_t n);
/* Step through: 1 and the pair (name not terminated), 0 at the end, -EUCLEAN.
 * Begin with *pos == 0. */
int xattrs_next(const uint8_t *data, size_t len, size_t *pos,
	const uint8_t **name, size_t *name_len, const uint8_t **value,
	size_t *value_len);

#endif
