/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The deltas of databases (FORMAT, "Databases"), opened: their records, and
 * which of them say together where the pages of a point lie.  Never writes.
 *
 * A place in a delta (struct frame_place) has numbers that mean something in
 * one struct deltas only: that of the base, that of the writer, and n.  From
 * these the fetch learns name and id.  They grow with the bases and the runs of
 * replicators that this process has met, not with deltas.
 *
 * All functions may be called from any thread.
 */
#ifndef YORE_NATIVE_DELTAS_H
#define YORE_NATIVE_DELTAS_H

#include <string.h>
#include "repo/fetch/fetch.h"
#include "repo/format/delta.h"
#include "repo/format/delta_places.h"
#include "repo/format/delta_times.h"
#include "repo/native/repository.h"

struct deltas;

/* Borrows both; names the deltas of f. */
struct deltas *deltas_new(struct repository *rp, struct fetch *f);
/* Every delta has been put. */
void deltas_free(struct deltas *ds);

/* What it was made with. */
struct fetch *deltas_fetch(struct deltas *ds);
struct repository *deltas_repository(struct deltas *ds);

/* The snapshot that deltas build on. */
struct delta_base {
	uint8_t source[SOURCE_KEY_LEN];
	uint8_t id[OBJECT_ID_LEN];
	uint64_t seq;
	uint32_t epoch; /* as its record has it */
};

/* Delta n of a base, for its name. */
static inline struct delta_place
delta_place_of(const struct delta_base *b, uint64_t n)
{
	struct delta_place p = { .base_seq = b->seq,
		.epoch = b->epoch,
		.n = n };

	memcpy(p.source, b->source, SOURCE_KEY_LEN);
	return p;
}

/* A delta's record; immutable while held. */
struct delta {
	struct delta_record record;
	struct delta_tail tail;
	struct delta_base base;
	uint32_t writer;	/* its own, as deltas_place wants it; */
	const uint32_t *writers; /* and those of record.writers */
	struct deltas *all;
	/* The rest is private to deltas.c. */
	_Atomic int refs;
	uint32_t home;
	struct frame *frame; /* what the record borrows from */
	struct delta *next;
};

/*
 * The newest delta of a base; *d is given.  known: one that is there for sure,
 * or 0.  One LIST, and a GET unless the newest is in memory; a local store is
 * asked for names instead.  -ENOENT: there is none.  -ESTALE: it says that it
 * builds on another snapshot, which is damage unless there is another one of
 * that seq, because writers raced.
 */
int deltas_newest(struct deltas *ds, const struct delta_base *base,
	uint64_t known, struct delta **d, struct err *e);

/* How a delta's record is come by; NULL: it alone is asked for. */
struct delta_way {
	uint8_t *sealed; /* the record's frame as fetch_frame_from wants it */
	bool pages;	 /* of a small delta the pages come along */
};

/* Delta n of a base, by writer (deltas' number) and place. */
int deltas_open(struct deltas *ds, const struct delta_base *base,
	uint32_t writer, uint64_t n, const struct delta_tail *tail,
	const struct delta_way *way, struct delta **d, struct err *e);
/* A member of top's chain if somebody has it open, with a reference; NULL. */
struct delta *deltas_held(
	const struct delta *top, const struct delta_member *m);
struct delta *delta_get(struct delta *d);
void delta_put(struct delta *d); /* NULL is allowed */

/* The deltas whose spans follow each other from one down to the base, newest
 * first. */
struct delta_chain {
	struct delta *d[DELTA_CHAIN_MAX];
	unsigned n;
};

/* Fetches what lacks at once.  top stays the caller's. */
int deltas_chain(struct delta *top, struct delta_chain *c, struct err *e);
void delta_chain_release(struct delta_chain *c);

/* SHA-256 of a delta's record, for the one that follows. */
void deltas_record_hash(const struct delta *d, uint8_t hash[HASH_LEN]);

/* A frame in delta n of d's base, of one of d's writers. */
int deltas_place(const struct delta *d, uint64_t n, uint32_t writer,
	uint64_t off, uint32_t len, struct frame_place *at, struct err *e);
/* A frame in d itself. */
void deltas_own_place(const struct delta *d, uint64_t off, uint32_t len,
	struct frame_place *at);
/* Whether a frame of a delta has n pages from `first` on in slots that follow
 * each other (bytes of the pages, then their numbers); -EUCLEAN. */
int deltas_check_slots(const struct frame *fr, uint32_t page_size,
	uint32_t slot, uint32_t first, uint32_t n, struct err *e);
/* The number of a writer, and its id. */
uint32_t deltas_writer(struct deltas *ds, const uint8_t id[WRITER_ID_LEN]);
void deltas_writer_id(struct deltas *ds, uint32_t writer,
	uint8_t id[WRITER_ID_LEN]);

/* -- Finding (deltas_find.c) ----------------------------------------------- */

/* What the times say of a delta; of is the delta they are of. */
typedef bool deltas_each_fn(void *ctx, const struct delta *of,
	const struct delta_time *t);

/*
 * Call the deltas from number `from` on and not made before from_ns, ascending,
 * until it returns false, or newest (which is among them) was told.
 */
int deltas_each(struct delta *newest, uint64_t from, int64_t from_ns,
	deltas_each_fn *each, void *ctx, struct err *e);
/* Number of the newest delta, up to `newest`, made not later than t_ns; 0:
 * there is none. */
int deltas_at(struct delta *newest, int64_t t_ns, uint64_t *n, struct err *e);
/* What the times say of delta n, up to newest; -ENOENT. */
int deltas_time(struct delta *newest, uint64_t n, struct delta_time *t,
	struct err *e);
/* Open delta n, up to newest; *d is given. */
int deltas_number(struct delta *newest, uint64_t n, struct delta **d,
	struct err *e);

#define auto_delta AUTO(delta_auto_)
static inline void
delta_auto_(struct delta **d)
{
	delta_put(*d);
}

#define auto_delta_chain AUTO(delta_chain_release)

#endif
