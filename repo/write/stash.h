/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a writer keeps on its own disk of a remote repository, so that a key
 * which may only put suffices to back up into it (DESIGN, "Writers that cannot
 * read").
 *
 * All of it is as the repository has it, sealed and under the same names:
 *
 *   <state>/<repository id>/stash/<address>/   (0700, files 0600; <state> and
 *                              <address>, of which each copy of a repository
 *                              has its own: state.h)
 *     format, keys/<id>        the header and the key slots
 *     snap/<source>/<record>   the newest record of each source from here
 *     idx/<segment>            index segments written from here, for 60 days
 *     new                      there: the repository was made from here, so a
 *                              source that nothing is kept of is a new one
 *     <source>/pages/<pack>    directories of the newest snapshot: sparse,
 *                              bytes at their offset in the metadata pack
 *     <source>/ends/<pack>     first and last bytes of packs that no segment
 *                              names yet: what a killed run leaves
 *     <source>/tended          there: all packs that a run from here left
 *                              without a segment are below ends/
 *     <source>/pending         a record on its way to the repository
 *     <source>/marked          there: readers know that no catalog is written
 *
 * Nothing of it is believed before it is verified, as if the store had sent it;
 * who has no right to read cannot get better, but neither worse than a store
 * that lies.  With rights the store is asked as ever, but for what of index
 * segments, records and pages lies here, and for packs without a segment, which
 * are not looked for among all of data/ and meta/.  Nothing kept is missed but by such keys, and losing
 * all of it takes one backup with a key that reads.
 */
#ifndef YORE_WRITE_STASH_H
#define YORE_WRITE_STASH_H

#include "repo/crypto/id.h"
#include "repo/format/ref.h"
#include "repo/native/repository.h"

struct stash;

/* Of the repository that was last at the address of a store (which is not
 * local). */
struct stash *stash_new(const struct store *s);
void stash_free(struct stash *k);

/* A store over `inner`, which it takes over, and what is kept.  k outlives it. */
struct store *stash_store(struct stash *k, struct store *inner);
/* A sink over `inner`, likewise, that keeps what is written. */
struct sink *stash_sink(struct stash *k, struct sink *inner);

/*
 * Ask for what a repository is opened with, all at once; what comes is at hand
 * when it is asked for again.  Whether reading or listing is denied is known
 * from here on.
 */
void stash_probe(struct stash *k, struct store *s);
/* This key may not read: all that is known of the repository is kept here. */
bool stash_is_blind(const struct stash *k);
/* The repository is unlocked: keep its header and its key slots. */
void stash_know(struct stash *k, struct repository *rp);

/* Key slots have been added or removed: what is kept of the repository, if
 * anything is, has those that are there now. */
void stash_slots(struct repository *rp);

/*
 * A run begins.  If it cannot read and the last one did not hear whether its
 * record arrived, the record is put again (not with s NULL, on a dry run).
 * -errno of the sink.
 */
int stash_begin(struct stash *k, struct sink *s,
	const uint8_t source[SOURCE_KEY_LEN], struct err *e);
/* Nothing is known of the source: 0 if it is a new one, else -EACCES. */
int stash_first(const struct stash *k, const char *host, const char *name,
	struct err *e);
/* Whether readers know that this source has no catalogs; then note it. */
bool stash_is_marked(const struct stash *k);
void stash_mark(const struct stash *k);
/* The run is over: of directories these n places are in use, and no others
 * (they are sorted). */
void stash_end(struct stash *k, struct store *s, struct frame_place *pages,
	size_t n);

/* A repository has just been made: its header and its one slot. */
void stash_made(const struct repository *rp, const struct buf *header,
	const char *slot_name, const struct buf *slot);

#endif
