/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The index and the times of a new delta, merged from those of the deltas whose
 * spans its own takes in (FORMAT, "Places", "Times").  Nothing is held of them
 * but a leaf each.
 */
#ifndef YORE_WRITE_DELTA_INDEX_H
#define YORE_WRITE_DELTA_INDEX_H

#include "repo/native/deltas.h"
#include "repo/write/delta_object.h"

/* Where the new delta's own pages lie. */
struct delta_own {
	const uint32_t *pgno; /* ascending; borrowed */
	size_t n;
	struct delta_frame {
		uint64_t off;
		uint32_t len;
		size_t end; /* behind its last page, in pgno */
	} *frames; /* in the order of pages; owned */
	size_t n_frames, cap;
	/* Pages from here to the end are zeros unless they are among these. */
	uint32_t zeros_from;
};

/* The record in the making. */
struct delta_index {
	struct delta_record *record;	  /* borrowed; n and state are set */
	struct delta_object *object;	  /* borrowed */
	const struct delta_chain *before; /* of delta n - 1; borrowed */
	struct buf writers;		  /* ids; what record->writers is */
	uint32_t *number; /* in writers, + 1, by deltas' number */
	uint32_t n_number;
	struct buf times, places; /* the one leaf that stays in the record */
};

/* writer: the delta's own, deltas' number. */
void delta_index_init(struct delta_index *ix, struct delta_record *record,
	struct delta_object *object, const struct delta_chain *before,
	const uint8_t writer[WRITER_ID_LEN]);
void delta_index_release(struct delta_index *ix);

/* Put what does not stay in the record into frames: first times, then places
 * and their set.  Fill in record->times, places, writers and chain. */
int delta_index_write(struct delta_index *ix, struct delta_own *own,
	struct err *e);

/* The number of a writer of d in the new record; -EOVERFLOW. */
int delta_index_writer(struct delta_index *ix, const struct delta *d,
	uint32_t writer, uint32_t *number, struct err *e);

#define auto_delta_index AUTO(delta_index_release)

#endif
