/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One prune; private to repo/upkeep/prune*.c. */
#ifndef YORE_UPKEEP_PRUNE_PRIVATE_H
#define YORE_UPKEEP_PRUNE_PRIVATE_H

#include "repo/fetch/fetch.h"
#include "repo/format/gc.h"
#include "repo/native/index.h"
#include "repo/upkeep/live.h"
#include "repo/upkeep/prune.h"
#include "repo/upkeep/stock.h"

/* Kept so long: states, packs in a repository with blind writers (DESIGN, B5),
 * names of packs that are gone. */
#define PRUNE_KEEP_NS (60 * 86400 * 1000000000LL)

/* A base of a database, whose deltas are kept. */
struct prune_base {
	uint8_t source[SOURCE_KEY_LEN];
	uint64_t seq;
	uint32_t epoch;
};

struct prune {
	const struct prune_options *o;
	struct prune_result *res;
	struct stock stock;
	struct index *index;
	struct fetch *fetch;
	struct live *live;
	struct gc_state state; /* the newest, as it was found or put last */
	uint8_t state_hash[HASH_LEN];
	int64_t now_ns;	  /* by the store's clock */
	int64_t grace_ns, keep_ns;
	bool marked;	  /* there are blind writers */
	bool in_trash; /* what is walked is a record of the trash */
	struct prune_base *bases;
	size_t n_bases, cap_bases;
	struct gc_state *next; /* while it is put together */
	struct gc_packs old_gone; /* named by a state older than keep_ns */
};

int prune_check_interrupted(const struct prune *p, struct err *e);

/* -- Walking all records (prune_walk.c) ------------------------------------- */

/* Compare what snap/ lists with what the catalogs say. */
int prune_cross_check(struct prune *p, struct err *e);
/* Everything that records and those in the trash refer to, into p->live. */
int prune_walk(struct prune *p, struct err *e);
/* Records that have come since: what they use is sentenced no longer. */
int prune_look_again(struct prune *p, struct err *e);
/* Bases among records that have come since. */
int prune_note_new_bases(struct prune *p, struct err *e);

/* -- States (prune_state.c) --------------------------------------------------- */

int prune_load_state(struct prune *p, struct err *e);
/* Note in the stock what is condemned, sentenced and due. */
void prune_note_state(struct prune *p);
/* Packs that the index names and that are not there: -EUCLEAN when one of them
 * is. */
int prune_check_named(struct prune *p, struct err *e);
/*
 * Put the next state: condemned is what has the flag in the stock (what it had
 * not before is `since` now), sentenced likewise, gone what hints or segments
 * name and is not there.
 */
int prune_put_state(struct prune *p, struct err *e);

/* -- Deciding (prune_choose.c) -------------------------------------------------- */

/* Take back from the condemned what is used again. */
void prune_resurrect(struct prune *p);
/* Sentence what is due; whether there is any. */
bool prune_sentence(struct prune *p);
/* Whether what takes the place of packs that are due is there. */
int prune_check_heirs(struct prune *p, struct err *e);
/* Flag with STOCK_COPY what is of little use, and count. */
int prune_choose(struct prune *p, struct err *e);
/* Condemn what is of no use, and what has been copied. */
void prune_condemn(struct prune *p);

/* -- Deleting (prune_sweep.c) ------------------------------------------------------ */

/* The packs that are sentenced: first the index forgets them. */
int prune_delete_packs(struct prune *p, struct err *e);
/* Old catalogs, states, segments, records in the trash, deltas of databases
 * without a base. */
int prune_delete_others(struct prune *p, struct err *e);

#endif
