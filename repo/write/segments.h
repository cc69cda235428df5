/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writing index segments: what a run brought, and, when segments of a level
 * have become many, one of the next level that holds all of theirs and
 * supersedes them (they stay: only pruning removes objects).
 */
#ifndef YORE_WRITE_SEGMENTS_H
#define YORE_WRITE_SEGMENTS_H

#include "repo/format/segment.h"
#include "repo/write/avoid.h"

/* Segments of one level that are merged into one of the next. */
#define SEGMENTS_MERGED 12

/* Write n entries (ascending by key) as a segment of level 0; *stored grows by
 * its bytes. */
int segments_put(struct repository *rp, struct sink *sink,
	const struct segment_entry *en, size_t n,
	const struct segment_pack *packs, uint32_t n_packs, uint64_t *stored,
	struct err *e);

/* The same; name is set to what it is called. */
struct segments_new {
	const struct segment_entry *en;
	size_t n;
	const struct segment_pack *packs;
	uint32_t n_packs;
};
int segments_put_new(struct repository *rp, struct sink *sink,
	const struct segments_new *s, char name[STORE_NAME_MAX + 1],
	uint64_t *stored, struct err *e);

/* Whether a merge is due, after a run that wrote a segment: by what was listed
 * when it began, for nothing is asked. */
bool segments_merge_is_due(struct index *ix);
/* All borrowed. */
struct segments_merger {
	struct repository *rp;
	struct sink *sink;
	struct index *index;
	const struct avoid *avoid;
	uint64_t *stored; /* grows by what is written */
};

/* Merge every level that has SEGMENTS_MERGED segments or more, unless the
 * result were too big (FORMAT, "Bounds").  Of a chunk with several places one
 * stays, which is not avoided if there is such a one.  Memory: a page for each
 * of them and the directory of the result. */
int segments_merge(const struct segments_merger *m, struct err *e);

/* What is left out of segments. */
struct segments_drop {
	/* Whether a pack is gone, or about to be. */
	bool (*dead)(void *ctx, const struct segment_pack *p);
	/* Whether a segment exists: of those that are superseded, the names of
	 * others need not be carried on. */
	bool (*there)(void *ctx, const uint8_t id[OBJECT_ID_LEN]);
	void *ctx;
	unsigned share; /* of packs that are dead: one in so many */
};

/*
 * Write each segment in use anew, without the entries of dead packs, of whose
 * packs enough are dead; the old one is superseded.  *written (may be NULL)
 * counts them.
 */
int segments_drop(struct repository *rp, struct sink *sink, struct index *ix,
	const struct segments_drop *d, uint64_t *written, uint64_t *stored,
	struct err *e);

/* A segment that is written entry by entry, of any size. */
struct segments_stream;
struct segments_stream_options {
	struct repository *rp; /* borrowed, as sink */
	struct sink *sink;
	unsigned level;
	uint64_t n; /* entries that will come, for its name */
	const struct segment_pack *packs; /* what entries' pack counts in */
	uint32_t n_packs;
	uint8_t (*supersedes)[OBJECT_ID_LEN]; /* segments, borrowed */
	uint32_t n_supersedes;
};
/* *ss is given, and to be ended in any case. */
int segments_stream_begin(const struct segments_stream_options *so,
	struct segments_stream **ss, struct err *e);
/* Keys ascend. */
int segments_stream_add(struct segments_stream *ss,
	const struct segment_entry *en, struct err *e);
/* commit false: forget it. */
int segments_stream_end(struct segments_stream *ss, bool commit, struct err *e);

#endif
