/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One run of check, and what its parts share; private to repo/upkeep/check*.c.
 *
 *   check.c          the order of things, and the interests of the caller
 *   check_faults.c   what was found, and what it touches
 *   check_packs.c    which packs there are
 *   check_read.c     all bytes of packs (read_data)
 *   check_records.c  records, catalogs, what this user has seen of them
 *   check_states.c   key slots, states of pruning
 *   check_trash.c    what was forgotten
 *   check_tree.c     everything below a record
 *   check_index.c    the index against what was referred to
 *   check_deltas.c   databases: deltas, their chain and their indexes
 *   check_deltas_list.c   which deltas there are
 *   check_places.c   the index of a delta
 *   check_points.c   which points of a database a fault touches
 *   check_proof.c    the hash of each point
 *   check_marks.c    what is lost, in the states of pruning
 */
#ifndef YORE_UPKEEP_CHECK_PRIVATE_H
#define YORE_UPKEEP_CHECK_PRIVATE_H

#include "repo/fetch/fetch.h"
#include "repo/format/gc.h"
#include "repo/native/deltas.h"
#include "repo/native/index.h"
#include "repo/native/pages.h"
#include "repo/native/records.h"
#include "repo/upkeep/check.h"
#include "repo/upkeep/check_packs.h"
#include "repo/upkeep/check_resume.h"
#include "repo/upkeep/scratch.h"
#include "repo/upkeep/sorter.h"

/* What was found; of a frame of a pack, a whole pack, or another object. */
struct check_fault {
	uint32_t number; /* in faults */
	char *object;
	char *text;
	enum check_what what;
	enum check_cost cost;
	uint64_t off, len;
	bool known;
	bool is_frame;		  /* of a pack; then */
	struct frame_place place; /* off and len 0: all of it */
	struct check_touched *touched;
	size_t n_touched;
	uint64_t n_all;
	uint64_t last; /* hash of what was told last */
};

/* Faults are kept until the end; more are counted only. */
#define CHECK_FAULTS_MAX 100000

struct check_faults {
	struct check_fault **f; /* which stay where they are */
	size_t n, cap;
	uint32_t *slots; /* number + 1, by object and offset */
	size_t n_slots;
	uint64_t dropped;
};

/* Pages that were looked at: what they are, in a few bytes. */
struct check_pages {
	struct scratch table;
	size_t n, cap;
};

/* Bytes of a file that cannot be read, and why: a fault's number. */
struct check_ranges {
	struct check_range {
		uint64_t off, len;
		uint32_t fault;
	} * r;
	size_t n, cap;
};

/* Reading data: how far, and how far it may go. */
struct check_reading {
	struct check_resume resume;
	uint64_t max;	    /* bytes of this run; 0: no limit */
	int64_t until_ns;   /* of the monotonic clock; 0: no limit */
	uint64_t all, done; /* bytes there are, and those read in this round */
	bool left;	    /* something was not read: the limit came first */
};

struct check {
	const struct check_options *o;
	struct check_result *res;
	struct repository *rp;
	struct index *index;
	struct fetch *fetch;
	struct deltas *deltas;
	struct page_cache *page_cache;
	struct check_packs packs;
	struct check_faults faults;
	struct check_pages pages;
	struct sorter *refs; /* what snapshots refer to, and the index knows */
	struct gc_state state; /* the newest; n 0: there is none */
	uint8_t state_hash[HASH_LEN];
	struct record_places places; /* of records, in the order of names */
	struct record_places trash;
	struct check_reading reading;
	struct check_ranges bad; /* of the base that is being walked */
	bool forgotten;		 /* what is walked is in the trash */
	uint64_t lacks;		 /* chunks that the index does not know */
	bool bad_index;		 /* what it lacks is in a damaged segment */
	const char *phase;
	int64_t told_ns; /* progress, of the monotonic clock */
};

/* -- check.c ------------------------------------------------------------------
 */

/* -ECANCELED once it is to end.  Tells the progress now and then. */
int check_tick(struct check *c, uint64_t done, uint64_t total, struct err *e);
/* Whether an error says that bytes are wrong or gone, not that the store gave
 * up. */
bool check_is_fault(int r);
/* An error's sentence without the object's name before it. */
const char *check_reason(const char *object, const struct err *why);
/* host/name@time of a record; given. */
char *check_label(const struct record *rec);

/* -- check_faults.c
 * ------------------------------------------------------------ */

/* The fault of an object (NULL: none there yet). */
struct check_fault *check_fault_find(
	struct check *c, const char *object, uint64_t off);
/* Note a fault, or find it again; the worst cost stays.  NULL: there are too
 * many, it was counted. */
struct check_fault *check_fault(struct check *c, enum check_what what,
	enum check_cost cost, const char *object, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));
/* The same of some bytes of an object that is no pack. */
struct check_fault *check_fault_at(struct check *c, enum check_what what,
	const char *object, uint64_t off, uint64_t len, const char *text);
/* The same of a frame of a pack, or (off and len 0) of all of it. */
struct check_fault *check_fault_frame(struct check *c, enum check_what what,
	const struct frame_place *at, const char *text);
/* It touches that; strings are copied.  Its cost is CHECK_LOST from
 * now on, or (while c->forgotten) at least CHECK_FORGOTTEN. */
void check_fault_touches(
	struct check *c, struct check_fault *f, const struct check_touched *t);
void check_faults_release(struct check_faults *all);

/* What is wrong with a pack's header, table or trailer stands for itself in its
 * last bytes, so many (as a frame has at least). */
#define CHECK_END_LEN FRAME_OVERHEAD

/* A listing lies, or is older than what was asked since: the run will say so,
 * and nothing of what it seems to have found. */
void check_listing_fault(struct check *c, const char *name, const char *what);
/* Ask for a pack itself, once, whatever was listed. */
int check_pack_ask(struct check *c, struct check_pack *p, struct err *e);

/* How a place of a frame looks from here. */
enum check_place { PLACE_GOOD, PLACE_DAMAGED, PLACE_MISSING };
/* Without reading it: whether its pack is there and long enough, and whether
 * the frame was found bad, or is marked.  What is wrong becomes a fault, *f. */
enum check_place check_place(struct check *c, const struct frame_place *at,
	struct check_fault **f, struct err *e);
/* A place of the index's at which the chunk (r->id, chunk_len) can be read, to
 * all that is known; into *better.  False: there is none. */
bool check_elsewhere(struct check *c, const struct ref *r, struct ref *better);

/* -- The parts
 * ----------------------------------------------------------------- */

/* All packs, as far as the run may go. */
int check_read(struct check *c, struct err *e);
/* Whether what goes by that name, behind all packs, is to be read now; then
 * that it was.  bytes: of it. */
bool check_read_wants(struct check *c, const char *name, uint64_t bytes);
void check_read_did(struct check *c, const char *name, uint64_t bytes);
/* Everything that was to be read has been, or the limit came. */
void check_read_end(struct check *c);
int check_records(struct check *c, struct err *e);
int check_slots(struct check *c, struct err *e);
int check_states(struct check *c, struct err *e);
/* The names of what is in the trash; then, behind all that exists, what that
 * refers to. */
int check_trash_list(struct check *c, struct err *e);
int check_trash(struct check *c, struct err *e);
/* Everything below a record. */
int check_tree(struct check *c, const struct record *rec, struct err *e);
int check_index(struct check *c, struct err *e);
/* What is built on a base, whose record has that hash. */
int check_deltas(struct check *c, const struct record *rec,
	const struct record_place *at, const uint8_t hash[HASH_LEN],
	struct err *e);
int check_marks(struct check *c, const char *repo, struct err *e);

/* A reference, or an entry of the index, as the sorter has it: ordered by key,
 * then references first. */
struct check_ref {
	uint8_t key[CHUNK_KEY_LEN];
	uint8_t kind; /* 0 a reference, 1 an entry of the index */
	uint8_t object;
	uint8_t pad[2];
	uint32_t pack; /* number in packs */
	uint32_t len;
	uint64_t off;
	uint32_t chunk_off, chunk_len;
};
int check_ref_compare(const void *a, const void *b);
int check_note(
	struct check *c, const struct ref *r, uint8_t kind, struct err *e);

#endif
