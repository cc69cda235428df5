/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A history is what can be mounted, whoever wrote it: sources, their
 * generations, and the points of each.  Everything a listing says comes from
 * memory; history_refresh, history_open and the moments of databases touch
 * the store.
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
#include "repo/base/histogram.h"
#include "repo/view.h"

#define HISTORY_ID_MAX 40   /* characters of an id, without terminator */
#define HISTORY_TIME_MAX 40 /* characters of a printed time */

struct history_index; /* orders derived for the look-ups below */

enum history_kind { HISTORY_TREE, HISTORY_DATABASE };

/* The state of a source at a time: a snapshot of a listing, or a moment. */
struct history_point {
	char id[HISTORY_ID_MAX + 1];	 /* for by-id/, as the writer named it */
	char name[HISTORY_TIME_MAX + 1]; /* its time as a directory name, with a
					  * suffix where two would be equal; of
					  * a snapshot: unique within its
					  * source, of another moment: within
					  * its generation */
	int64_t time_ns;		 /* moment it stands for, ns since 1970 */
	uint64_t seq;			 /* order within its source: ascending */
	uint32_t source;		 /* index into sources */
	uint32_t generation;		 /* index into generations */
	const char *const *tags;	 /* n_tags strings, sorted */
	uint32_t n_tags;
	bool damaged;		 /* record unreadable: open will fail */
	struct view_attr root;	 /* attributes of the tree's root */
	struct view_totals totals;
	uint64_t key; /* stable identity, for st_ino: below 2^24,
		       * unique in the listing, the same in every
		       * listing that has the point; of a moment:
		       * below 2^48, unique in its source */
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
	uint64_t store_retries;
	struct histogram_counts store_seconds; /* of each request */
	uint64_t cache_hits; /* reads of the disk cache that were all there */
	uint64_t cache_misses;
	uint64_t cache_read_bytes;
	uint64_t cache_written_bytes;
	uint64_t cache_dropped_bytes; /* brought, but not kept */
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

/* Called with each moment in turn, borrowed for the call; false: enough. */
typedef bool history_each(void *ctx, const struct history_point *p);

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

	/*
	 * -- Moments ------------------------------------------------------
	 * A database may have been replicated at many more times than a
	 * listing could hold: its moments.  Its snapshots are moments too and
	 * have the same id as both; the first moment of a generation is its
	 * first snapshot.  The four functions are given together; all NULL: no
	 * source has moments beside its snapshots.  They are asked about
	 * sources of the kind HISTORY_DATABASE only, through the history_*
	 * functions below.
	 *
	 * They fill in every field of a point except name, tags and n_tags,
	 * which are the wrappers' (below).  root is what the opened view will
	 * say of its root directory.  Within a generation seq ascends and
	 * time_ns never falls: where a clock went back, a moment has the time
	 * of the one before.  Indexes are those of l, which need not be the
	 * newest listing; moments that build on a snapshot unknown to l are
	 * not told.
	 *
	 * The first question about a source asks the store, and later the
	 * first one after each refresh that went well, for what is new; all
	 * others are answered from memory, in O(log n) and what is told.  When the store
	 * fails and something is known from before, that is the answer.
	 * -EINTR when cancel_current() was raised; no lock that anything else
	 * waits for is held meanwhile.
	 */
	/* Tell the moments of a generation with from_ns <= time_ns, oldest
	 * first. */
	int (*moments)(struct history *h, const struct history_listing *l,
		size_t generation, int64_t from_ns, history_each *each,
		void *ctx, struct err *e);
	/* The newest moment of a source not later than t_ns (INT64_MAX: of
	 * all); where clocks went back between generations, of the newest
	 * generation that has one.  -ENOENT: t_ns is before the first. */
	int (*moment_at)(struct history *h, const struct history_listing *l,
		size_t source, int64_t t_ns, struct history_point *p,
		struct err *e);
	/* The moment of a source with exactly that id; -ENOENT. */
	int (*moment_by_id)(struct history *h, const struct history_listing *l,
		size_t source, const char *id, struct history_point *p,
		struct err *e);
	/*
	 * Open the view at a moment that one of the above has told, of this
	 * listing; *view is given.  Not asked for snapshots that l has.
	 * -ESTALE when the moment has been removed.
	 */
	int (*open_moment)(struct history *h, const struct history_listing *l,
		const struct history_point *p, struct view **view,
		struct err *e);
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
 * -- Moments of a source (history_moments.c) --------------------------------
 * One way for all sources: those without moments of their own (trees, and
 * databases where the ops are NULL) have their snapshots.  What is said
 * beside the ops holds: these may ask the store, so no lock may be held.
 *
 * A moment is named 2026-11-20T10-32-15.123Z; the second in the same
 * millisecond of a generation ends in -2, the next in -3.  But a moment that
 * is a snapshot of the listing is given as the listing has it, with its tags,
 * key and shorter name; only history_moments, which tells the moments of a
 * generation as they follow each other, names them all alike.
 */

int history_moments(struct history *h, const struct history_listing *l,
	size_t generation, int64_t from_ns, history_each *each, void *ctx,
	struct err *e);
int history_moment_at(struct history *h, const struct history_listing *l,
	size_t source, int64_t t_ns, struct history_point *p, struct err *e);
/* source may be HISTORY_NONE: of any source. */
int history_moment_by_id(struct history *h, const struct history_listing *l,
	size_t source, const char *id, struct history_point *p, struct err *e);
/* The moment that history_moments names so; -ENOENT. */
int history_moment_by_name(struct history *h, const struct history_listing *l,
	size_t generation, const char *name, struct history_point *p,
	struct err *e);
/* p from one of the above and the same listing. */
int history_open_moment(struct history *h, const struct history_listing *l,
	const struct history_point *p, struct view **view, struct err *e);
/* Index in l of the snapshot that a moment is, or HISTORY_NONE. */
size_t history_moment_snapshot(
	const struct history_listing *l, const struct history_point *p);

/* Characters of a moment's name before its suffix. */
#define HISTORY_MOMENT_LEN 24

/* Print a moment as 2026-11-20T10-32-15.123Z. */
void history_print_moment(char out[HISTORY_TIME_MAX + 1], int64_t t_ns);
/* The first ns of the millisecond that a moment's name says, whatever its
 * suffix; false: it is no such name. */
bool history_parse_moment(const char *name, int64_t *t_ns);

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
