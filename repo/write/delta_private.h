/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the two files of the delta writer share. */
#ifndef YORE_WRITE_DELTA_PRIVATE_H
#define YORE_WRITE_DELTA_PRIVATE_H

#include "repo/format/record.h"
#include "repo/native/deltas.h"
#include "repo/write/delta_writer.h"
#include "repo/write/page_table.h"
#include "repo/write/run.h"

struct delta_writer {
	struct writer *w; /* borrowed */
	char *host, *name, *file, *path;
	struct page_table table;
	struct record base; /* host NULL: there is none */
	uint8_t base_hash[HASH_LEN];
	struct delta_base home;
	struct delta *last; /* the newest; NULL: only the base */
	/* Of the next object; drawn anew when it is not certain that nobody
	 * has seen what was sealed with it. */
	uint8_t writer[WRITER_ID_LEN];
	bool unsure; /* a put failed, and may have been done all the same: */
	uint8_t tried[WRITER_ID_LEN]; /* by this writer, */
	bool tried_closing;	      /* to close the base */
	bool base_unsure; /* likewise of a base: */
	uint64_t tried_seq; /* that follows this one */
	struct buf tried_opaque; /* with these bytes */
};

/* d (taken over, may be NULL) is the newest now. */
/* -EEXIST: another one goes on in its place, or (said instead of why) nobody
 * does, since the source was forgotten as a whole. */
int delta_writer_lost(
	const struct delta_writer *dw, const char *why, struct err *e);
void delta_writer_move(struct delta_writer *dw, struct delta *d);
/* The newest state in the store; there is one. */
const struct database_state *delta_writer_database(
	const struct delta_writer *dw);

#endif
