/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writing the history of one database: bases and deltas (FORMAT, "Databases";
 * DESIGN, "Databases").  Knows pages, not SQLite: what makes a state of the
 * database consistent, and when a new base is due, is its caller's affair.
 *
 * A base is a snapshot of the whole database, of which only what the
 * repository lacks is uploaded.  Delta n holds the pages that differ from
 * those of delta n - 1 (of the base, for n = 1).  Each is one object that is
 * put exclusively, so that of two writers of one database exactly one goes on:
 * the other gets -EEXIST, at its next delta or base.
 *
 * Of every page the writer knows a keyed hash, in a file of its state
 * directory, and from them the hash of the whole database, which every base
 * and delta carries.  That file is worthless without the store and may be lost
 * at any time: delta_writer_adopt makes it anew from the database.
 *
 * One thread.  Nothing is asked of the store but by the calls below, and
 * memory does not grow with the database, its history, or what a delta holds
 * (but for what the header says).
 */
#ifndef YORE_WRITE_DELTA_WRITER_H
#define YORE_WRITE_DELTA_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "repo/base/err.h"
#include "repo/write/writer.h"

#define DELTA_WRITER_OPAQUE_MAX 4096
#define DELTA_WRITER_HASH_LEN 16

struct delta_writer;

struct delta_writer_options {
	const char *host, *name; /* of the source; kept as copies, as all here */
	const char *file; /* what the database is called in the view: one path
			   * component of at most 251 bytes */
	const char *path; /* where it lies on its host, for display */
	/* An existing directory for this database alone (0700). */
	const char *state_dir;
};

/* What the store has, and so what a delta has to follow. */
struct delta_writer_state {
	bool exists;	   /* there is a base of this source at all */
	bool closed;	   /* the base is followed by no more deltas: a new one
			    * was begun, maybe by a writer that died */
	bool can_delta;	   /* delta_writer_delta may be called: not closed, and
			    * the hashes of all pages are known */
	uint64_t base_seq; /* the base: seq and id of its snapshot */
	char base_id[33];
	uint64_t n;	   /* number of the newest delta; 0: only the base */
	int64_t time_ns;   /* its time, or that of the base */
	uint64_t len;	   /* of its object; 0: only the base */
	uint32_t page_size;
	uint32_t pages;
	uint8_t hash[DELTA_WRITER_HASH_LEN]; /* of the whole database */
	/* What the caller gave with it; borrowed until the next call. */
	const uint8_t *opaque;
	size_t opaque_len;
};

/*
 * Find out what the store has: one LIST of the source's snapshots, one of the
 * newest base's deltas, a GET of each of these two.  *dw is given; w is
 * borrowed and may be shared by the delta writers of one thread.  -EUCLEAN the
 * source is no database but a tree, or what is there contradicts itself.
 */
int delta_writer_open(struct writer *w, const struct delta_writer_options *o,
	struct delta_writer **dw, struct err *e);
void delta_writer_free(struct delta_writer *dw);

/* From memory. */
void delta_writer_state(const struct delta_writer *dw,
	struct delta_writer_state *s);
/* Ask the store again, as delta_writer_open does. */
int delta_writer_refresh(struct delta_writer *dw, struct err *e);

/* A state of the database that stays as it is while it is read. */
struct delta_writer_pages {
	uint32_t page_size; /* 512 .. 65536, a power of two */
	uint32_t n;	    /* pages */
	/* Read pages [first, first + n), numbered from 1, n * page_size <= 1
	 * MiB.  The lock-byte page (at 1 GiB) is asked for like all others:
	 * zeros, or whatever the file has there.  From any one thread. */
	int (*read)(void *ctx, uint32_t first, uint32_t n, void *buf,
		struct err *e);
	void *ctx;
};

/*
 * Whether the database is in the very state that is newest in the store: then
 * deltas may follow without a base (after a restore, on another machine, or
 * when the state directory was lost).  Reads all of it, uploads nothing.
 * -ESTALE: it is not, and a base is needed.
 */
int delta_writer_adopt(struct delta_writer *dw,
	const struct delta_writer_pages *p, struct err *e);

struct delta_writer_base {
	struct delta_writer_pages pages;
	int64_t time_ns; /* the moment it stands for */
	/* It follows the newest state in the store without a gap; else a new
	 * generation begins. */
	bool continues;
	const void *opaque; /* given back by delta_writer_state */
	size_t opaque_len;  /* at most DELTA_WRITER_OPAQUE_MAX */
	/* The file's, for the view; of mode only permissions. */
	uint32_t mode, uid, gid;
	uint64_t limit_upload;		/* as in struct backup_options */
	const atomic_bool *interrupted; /* likewise */
	void (*progress)(void *ctx, const struct backup_progress *p);
	void *ctx;
};

/*
 * Make a base.  Whatever the database is like: reads all of it, once, in
 * order.  When everything but the record is durable, the base before is closed
 * (no delta of its can follow any more), then the record is put.
 * -EEXIST another writer has been here since delta_writer_open or _refresh:
 * nothing has changed.  Other errors leave the store's state as it was, or
 * closed, as delta_writer_state knows, or with the base after all: the next call
 * looks, knows its own by the opaque bytes, and makes one that follows it.
 */
int delta_writer_base(struct delta_writer *dw,
	const struct delta_writer_base *b, struct backup_result *result,
	struct err *e);

struct delta_writer_delta {
	/* The pages that differ, ascending, each once, each from 1 to pages
	 * (below); n may be 0.  Pages beyond the former end that are not among
	 * them are zeros. */
	const uint32_t *pgno;
	size_t n;
	/* Write page pgno[i] (page_size bytes of the state before) to buf.
	 * Called once for each i, ascending. */
	int (*read)(void *ctx, size_t i, void *buf, struct err *e);
	void *ctx;
	uint32_t pages;	 /* of the whole database from now on */
	int64_t time_ns; /* the moment it stands for; not before the newest's,
			  * else that is taken */
	const void *opaque;
	size_t opaque_len;
	/* What the database hashes to then, DELTA_WRITER_HASH_LEN bytes; NULL:
	 * nobody knows yet. */
	const uint8_t *hash;
};

/*
 * Make delta n + 1.  When it returns 0 it is durable in the store, and the
 * state has moved on.
 * -EEXIST  another writer took its place: this one has lost, and stops.
 * -EALREADY  a call before this one, which failed, did store its delta after
 *	all: the state has moved on to that one; go on from there.
 * -ESTALE  not possible any more (can_delta is false): adopt, or make a base.
 * -EOVERFLOW  a base has had all deltas it may have: make a base.
 * -EBADMSG  the database would not have that hash; nothing is stored.
 * Other errors: nothing is stored, as far as is known; call again, with the
 * same pages or more of them.
 */
int delta_writer_delta(struct delta_writer *dw,
	const struct delta_writer_delta *d, struct err *e);

/* After this delta, which changes nothing, there is no further one.  -EEXIST as
 * above. */
int delta_writer_close(struct delta_writer *dw, struct err *e);

struct record;

/* A base whose deltas are written anew, before its record is put. */
struct delta_writer_anew {
	/* Has its new id and its epoch; what it owns is taken over, also when
	 * opening fails. */
	struct record *base;
	const uint8_t *hash; /* SHA-256 of its object */
	/* Page pgno of the base: asked for when it first changes, or goes. */
	int (*read)(void *ctx, uint32_t pgno, void *buf, struct err *e);
	void *ctx;
};

/*
 * A writer of these deltas, which takes delta_writer_delta, _close, _state and
 * _has_zeros only.  Nothing is asked of the store.  state_dir is for this writer alone;
 * what is in there does not matter.
 */
int delta_writer_open_anew(struct writer *w, const struct delta_writer_anew *a,
	const char *state_dir, struct delta_writer **dw, struct err *e);

/* Whether a page of the newest state is all zeros. */
int delta_writer_has_zeros(struct delta_writer *dw, uint32_t pgno, bool *zeros,
	struct err *e);

#define auto_delta_writer AUTO(delta_writer_auto_)
static inline void
delta_writer_auto_(struct delta_writer **dw)
{
	delta_writer_free(*dw);
}

#endif
