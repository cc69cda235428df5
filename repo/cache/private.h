/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between the parts of the cache.  Order of locks: files.lock (with flock),
 * then reading, then objects.lock, then an object's; queue.lock is a leaf.
 */
#ifndef YORE_CACHE_PRIVATE_H
#define YORE_CACHE_PRIVATE_H

#include "repo/cache/cache.h"
#include "repo/cache/ledger.h"
#include "repo/cache/objects.h"

/* A writer waits this long for the lock, a command that long. */
#define LOCK_WAIT_MS 500
#define LOCK_WAIT_COMMAND_MS 5000
#define WHOLE_BONUS_MS (30LL * 24 * 3600 * 1000)

enum job_kind { JOB_WRITE, JOB_PUT, JOB_FORGET };

struct job {
	struct job *next;
	enum job_kind kind;
	struct key key;
	uint64_t off;
	uint64_t len;
	uint8_t data[];
};

struct queue {
	pthread_mutex_t lock;
	pthread_cond_t work;  /* there is something to do */
	pthread_cond_t moved; /* some jobs have been done */
	struct job *first;    /* those under way as well */
	struct job **last;
	size_t bytes;
	uint64_t given; /* jobs */
	uint64_t done;
	bool stopping;
	bool stuck;	   /* a caller has waited in vain */
	struct err failed; /* since the last sync */
	/* immutable */
	pthread_t thread;
	size_t max;
	bool patient;
};

struct cache {
	struct files files;
	struct ledger *writer; /* with files.lock held */
	pthread_mutex_t reading;
	struct ledger *reader;
	struct objects objects;
	struct queue queue;
	_Atomic bool damaged; /* the ledger is to be made anew */
	_Atomic uint64_t pressure; /* bytes to evict because the disk was full */
	_Atomic size_t batch_max;  /* that fits the limit */
	_Atomic int64_t complained_ns;
	_Atomic uint64_t hits, misses; /* the ledger has not been told of */
	_Atomic uint64_t all_hits, all_misses;
	_Atomic uint64_t read_bytes, written, dropped, forgotten;
	/* immutable */
	char *ledger_path;
	bool any; /* no repository */
	uint8_t repository[REPOSITORY_ID_LEN];
};

/* -- Entering the ledger (cache.c) --------------------------------------- */

/* Take the lock; c->writer is then the ledger as it is.  -EBUSY, -errno. */
int cache_enter(struct cache *c, unsigned wait_ms, struct err *e);
void cache_leave(struct cache *c);
/* Note damage; returns r. */
int cache_checked(struct cache *c, int r);
/* One line a minute. */
void cache_complain(struct cache *c, int code, const char *what);
/* The sentence for an error of the ledger. */
int cache_failed(struct cache *c, int r, const char *what, struct err *e);

/* -- The queue (queue.c) ------------------------------------------------- */

int queue_start(struct cache *c, const struct cache_options *o, struct err *e);
void queue_stop(struct cache *c);
/* What queued cache_forgets take away from what is present of an object. */
void queue_subtract(struct cache *c, const struct key *k, struct ranges *set);
void queue_forget(
	struct cache *c, const struct key *k, uint64_t off, uint64_t len);
/* Something was not kept. */
void queue_failed(struct cache *c, int r, const char *what);

/* -- What the queue's thread does ---------------------------------------- */

/* Jobs that are all JOB_WRITE (batch.c). */
void batch_write(struct cache *c, const struct job *const *jobs, size_t n);
/* whole.c */
void whole_put(struct cache *c, const struct job *j);
/* Tell the ledger what was used, and how often (uses.c): with the lock held,
 * or taking it. */
void uses_note(struct cache *c);
void uses_flush(struct cache *c);

/* -- Giving up (evict.c); with the lock held ----------------------------- */

/* Bytes [from, to) of the row v is to lose. */
struct loss {
	struct victim v;
	uint64_t from;
	uint64_t to;
	struct ranges keep; /* for evict_losses itself */
};

/* *freed (may be NULL) grows by what that gave back. */
int evict_losses(struct cache *c, struct loss *l, size_t n, uint64_t *freed);
/* Until need more bytes fit: below the limit, above the minimum free space.
 * -ENOSPC. */
int evict_for(struct cache *c, uint64_t need);
/* Bytes [off, off + len) of an object, of pinned rows too when `pinned`. */
int evict_range(struct cache *c, const struct key *k, uint64_t off,
	uint64_t len, bool pinned, uint64_t *freed);
/* What the file system has free, and what is to stay free; -errno. */
int evict_free_space(const struct cache *c, int64_t min_free_set,
	uint64_t *free_bytes, uint64_t *min_free);

/* -- The ledger and the files (rebuild.c); with the lock held ------------ */

/* Set a damaged ledger aside and make another from the files. */
int rebuild_ledger(struct cache *c, struct err *e);
/* Compare all files with the ledger: what no row claims is given back.  Takes
 * the lock itself, for one file at a time. */
void rebuild_audit(struct cache *c);

#endif
