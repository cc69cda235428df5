/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the replicas at one address share: the store, and what is kept of it.
 * Counted, since views outlive the history that opened them.
 */
#ifndef YORE_FOREIGN_PLACE_H
#define YORE_FOREIGN_PLACE_H

#include "repo/foreign/kept.h"
#include "repo/history.h"
#include "repo/open.h"
#include "repo/store/store.h"

struct pieces;

struct foreign_place {
	_Atomic int refs;
	struct store *store;  /* opened by store_open_foreign; a remote one in
			       * a struct recall */
	struct store *direct; /* the same without that, or store itself */
	size_t memory;	      /* bytes for decoded data, of all together */
	bool offline;	      /* nothing is asked of a store that is remote */
	char *cache_dir;      /* or NULL, as in history_open_options */
	pthread_mutex_t lock; /* a leaf: */
	struct kept *kept;    /* NULL until somebody wants it */
	struct pieces *pieces; /* the same */
};

/* The store is taken over.  One reference. */
struct foreign_place *foreign_place_new(
	struct store *s, const struct history_open_options *o);
struct foreign_place *foreign_place_get(struct foreign_place *p);
void foreign_place_put(struct foreign_place *p); /* NULL is allowed */

/* What is kept of this address, opened at the first call; borrowed. */
int foreign_place_kept(struct foreign_place *p, struct kept **k, struct err *e);
/* Its objects by place, in half of the memory; likewise. */
struct pieces *foreign_place_pieces(struct foreign_place *p);
/* Nothing may be asked of the store. */
bool foreign_place_offline(const struct foreign_place *p);

/* Fill in name, id and local_path of a history of this place; they are freed
 * by foreign_place_unname. */
void foreign_place_name(const struct foreign_place *p, struct history *h);
void foreign_place_unname(struct history *h);
/* Counts of the store, for history_ops.stats. */
void foreign_place_stats(
	const struct foreign_place *p, struct history_stats *s);

#endif
