/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A history is what can be mounted, whoever wrote it: sources, their
 * generations, and the points (snapshots, later database deltas) of each.
 * Everything a listing says comes from memory; only history_refresh and
 * history_open touch the store.
 *
 * A listing is an immutable, counted picture of the history at a moment.
 * refresh() makes a new one; holders of an old one keep it until they let go.
 * All functions may be called from any thread.
 */
#ifndef YORE_HISTORY_H
#define YORE_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "repo/view.h"

#define HISTORY_ID_MAX 40   /* characters of an id, without terminator */
#define HISTORY_TIME_MAX 40 /* characters of a printed time */

struct history_index; /* orders derived for the look-ups below */

enum history_kind { HISTORY_TREE, HISTORY_DATABASE };

/* The complete state of a source at a time. */
struct history_point {
	char id[HISTORY_ID_MAX + 1];	 /* for by-id/, as the writer named it */
	char name[HISTORY_TIME_MAX + 1]; /* its time as a directory name, with a
					  * suffix where two would be equal;
					  * unique within its source */
	int64_t time_ns;		 /* moment it stands for, ns since 1970 */
	uint64_t seq;			 /* order within its source: ascending */
	uint32_t source;		 /* index into sources */
	uint32_t generation;		 /* index into generations */
	const char *const *tags;	 /* n_tags strings, sorted */
	uint32_t n_tags;
	bool damaged;		 /* record unreadable: open will fail */
	struct view_attr root;	 /* attributes of the tree's root */
	struct view_totals totals;
	uint64_t key;		 /* stable identity, for st_ino: below 2^24,
				  * unique in the listing, the same in every
				  * listing that has the point */
};

struct history_generation {
	char name[HISTORY_TIME_MAX + 1]; /* its first point's name */
	uint32_t source;
	uint32_t first_point; /* index of its first point; its points are */
	uint32_t n_points;    /* contiguous */
};

struct history_source {
	const char *host; /* one path component, any bytes but '/' and NUL */
	const char *name; /* likewise */
	enum history_kind kind;
	uint32_t first_point; /* its points, oldest first, are contiguous */
	uint32_t n_points;    /* at least 1 */
	uint32_t first_generation;
	uint32_t n_generations;
};

struct history_listing {
	struct history_source *sources; /* by host, then name, bytewise */
	size_t n_sources;
	struct history_point *points; /* by source, then seq */
	size_t n_points;
	struct history_generation *generations; /* by source, then first point */
	size_t n_generations;
	const char **tags; /* every tag in use, sorted, once */
	size_t n_tags;
	uint64_t version; /* grows with every listing that differs */
	_Atomic int refs;
	/* The last reference is gone: frees everything but index. */
	void (*free)(struct history_listing *l);
	/* history.c's; NULL in a new listing. */
	struct history_index *_Atomic index;
};

/* Counters that only grow, for .yore/ and tests. */
struct history_stats {
	uint64_t store_lists; /* requests by kind */
	uint64_t store_gets;
	uint64_t store_bytes; /* bytes of their answers */
	uint64_t store_errors;
	uint64_t frames_unsealed;
	uint64_t memory_hits; /* frames found decoded in memory */
	uint64_t joined;      /* waited for another reader's request */
	uint64_t ahead_frames; /* frames fetched by read-ahead */
	uint64_t ahead_unused; /* of those, dropped before anyone read them */
	uint64_t ahead_bytes;  /* sealed, fetched by read-ahead */
	uint64_t ahead_unread_bytes; /* of those, not read so far */
	uint64_t memory_bytes; /* decoded bytes held now (does not only grow) */
};

struct history;

struct history_ops {
	/* The newest listing known; the caller owes history_listing_put. */
	struct history_listing *(*listing)(struct history *h);
	/* Ask the store what is new (1 LIST, 1 GET a new snapshot). */
	int (*refresh)(struct history *h, struct err *e);
	/* Open the tree at a point of a listing; *view is given.
	 * -ESTALE when the point has been removed. */
	int (*open)(struct history *h, const struct history_listing *l,
		size_t point, struct view **view, struct err *e);
	void (*stats)(struct history *h, struct history_stats *s);
	void (*free)(struct history *h);
};

struct history {
	const struct history_ops *ops;
	char *name;	  /* what it was opened as, for messages; no secrets */
	char id[40];	  /* stable identity of the repository or replica */
	char *local_path; /* directory it lies in, or NULL when not local */
};

struct history_listing *history_listing(struct history *h);
struct history_listing *history_listing_get(struct history_listing *l);
void history_listing_put(struct history_listing *l);
int history_refresh(struct history *h, struct err *e);
int history_open(struct history *h, const struct history_listing *l,
	size_t point, struct view **view, struct err *e);
void history_stats(struct history *h, struct history_stats *s);
void history_free(struct history *h);

/*
 * -- Looking things up in a listing ---------------------------------------
 * Each answers in O(log n); the first one in a new listing sorts it once.
 */

#define HISTORY_NONE ((size_t)-1)

/* Index of the source, or HISTORY_NONE. */
size_t history_find_source(const struct history_listing *l, const char *host,
	const char *name);
/* Newest point of a source not later than t_ns, or HISTORY_NONE.  Where
 * clocks went backwards the highest seq among those wins. */
size_t history_find_at(const struct history_listing *l, size_t source,
	int64_t t_ns);
/* Point of a source by its printed name. */
size_t history_find_name(const struct history_listing *l, size_t source,
	const char *name);
/* Point by id: exact, or a prefix of at least 6 digits that fits only one. */
size_t history_find_id(const struct history_listing *l, const char *id);
bool history_has_tag(const struct history_point *p, const char *tag);

/* Print a moment as 2026-11-20T10-32-15Z. */
void history_print_time(char out[HISTORY_TIME_MAX + 1], int64_t t_ns);

#define auto_listing AUTO(history_listing_auto_)
static inline void
history_listing_auto_(struct history_listing **l)
{
	history_listing_put(*l);
}

#endif
