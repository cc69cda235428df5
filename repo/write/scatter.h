/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What of a snapshot's content lies alone, and what is done about it.  Each run
 * puts the files that changed into a pack of its own, and what did not change
 * stays where it was while what lay beside it goes out of use: who reads the
 * whole tree asks for as many stretches of packs.  A record names the small ones
 * of its snapshot; when there are more than SCATTER_MAX, the next run stores the
 * files in them again, beside what is new.
 *
 * A stretch that is as big as all smaller ones together waits until there are
 * more of its size, so that no file is stored more often than a few times,
 * however small runs are.
 */
#ifndef YORE_WRITE_SCATTER_H
#define YORE_WRITE_SCATTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "repo/format/entry.h"
#include "repo/format/record.h"

#define SCATTER_MAX 4
#define SCATTER_LITTLE (1u << 20) /* sealed bytes of a small stretch */
#define SCATTER_GAP (512u << 10) /* between two stretches */

struct scatter_frame;
struct scatter_pack;

struct scatter {
	/* Stretches whose files are stored again.  Immutable. */
	struct scattered gather[RECORD_SCATTERED_MAX];
	uint32_t n_gather;
	/* whoever places: frames that the snapshot uses, */
	struct scatter_frame *frames;
	size_t n, cap;
	uint8_t (*packs)[OBJECT_ID_LEN];
	uint32_t n_packs;
	bool off; /* too many, or not a tree that was walked */
};

/* What the snapshot before says; zeros: there is none.  off: neither gather nor
 * note anything. */
void scatter_init(struct scatter *s, const struct record *parent, bool off);
void scatter_release(struct scatter *s);

/* Whether an unchanged file is to be stored again.  From any thread. */
bool scatter_gathers(const struct scatter *s, const struct entry *en);

/* The snapshot uses a frame of content; movable: for nothing but files that
 * would be gathered. */
void scatter_use(struct scatter *s, const struct frame_place *at, bool movable);
/* The same of what an entry refers to, if that is content. */
void scatter_use_entry(struct scatter *s, const struct entry *en);
/* What the record is to say.  Sorts the frames. */
void scatter_note(struct scatter *s, struct record *r);

#endif
