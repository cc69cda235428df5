/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A database at a point: a base, and on top of it the deltas of a chain; each
 * page is taken from the newest that has it.  Immutable but for its read-ahead;
 * may be used from any thread.  Private to repo/native.
 */
#ifndef YORE_NATIVE_DATABASE_H
#define YORE_NATIVE_DATABASE_H

#include "repo/fetch/readahead.h"
#include "repo/format/record.h"
#include "repo/native/deltas.h"
#include "repo/native/interior.h"
#include "repo/native/map.h"
#include "repo/sqlite/database_view.h"

struct native_database {
	struct database database; /* first */
	struct deltas *deltas;	  /* borrowed, as these three */
	struct fetch *fetch;
	struct page_cache *pages;
	const struct keyring *keys;
	struct delta_chain chain;    /* newest first; empty: the base alone */
	struct database_state state; /* at this point */
	struct cached_page *base_page; /* the base's directory, */
	const struct entry *base;      /* and its one file, in there */
	char *label;		       /* host/name@time, for messages */
	pthread_mutex_t lock;	       /* a leaf */
	struct stream stream;	       /* under lock, as these */
	uint64_t part;		       /* read last, of so many bytes as */
	unsigned parts; /* a chunk has, and how many one after another */
	uint64_t front, in_order; /* where a reader is, and since so many bytes */
	uint64_t given_up;	  /* frames before here */
	struct interior interior; /* of the base */
	/* Called when all is freed. */
	void (*freed)(void *ctx);
	void *ctx;
};

struct native_database_options {
	struct deltas *deltas;
	struct fetch *fetch;
	struct page_cache *pages;
	const struct keyring *keys;
	const char *label;
	int64_t time_ns;
	void (*freed)(void *ctx); /* may be NULL */
	void *ctx;
};

/* The database at a delta, which is left with the caller.  *d is given. */
int native_database_delta(const struct native_database_options *o,
	struct delta *top, struct native_database **d, struct err *e);
/* The database at a base, whose record is left with the caller. */
int native_database_base(const struct native_database_options *o,
	const struct record *r, struct native_database **d, struct err *e);
/* Instead of putting it into a view. */
void native_database_free(struct native_database *d);

/* r, with the database's name before the sentence. */
int native_database_error(
	const struct native_database *d, int r, struct err *e);

/* As database_ops.check (database_check.c). */
int native_database_check(struct database *db, struct view_check **c,
	struct err *e);
/* Whether so many pages with hashes of this sum are the database: -EBADMSG. */
int native_database_compare(const struct native_database *d,
	const uint8_t sum[PAGE_HASH_LEN], uint64_t pages, struct err *e);
/* As database_ops.pour (database_pour.c). */
int native_database_pour(
	struct database *db, struct view_sink *to, struct err *e);

/* -- Where pages lie (database_places.c) ----------------------------------- */

enum page_origin {
	PAGE_UNKNOWN, /* while looking */
	PAGE_ZEROS,
	PAGE_OF_DELTA,
	PAGE_OF_BASE,
};

struct page_source {
	uint8_t origin; /* enum page_origin */
	uint8_t member; /* of the chain, in whose index it was found */
	uint16_t slot;	/* in its frame */
	uint32_t len;	/* of the frame, sealed */
	uint32_t writer;
	uint64_t n;
	uint64_t off;
};

/* Pages looked up together at most. */
#define DATABASE_LOOKUP_MAX 512

enum page_looking {
	LOOK_UP,    /* what is not in memory is fetched */
	LOOK_AHEAD, /* it is asked for, and taken to be in the base for now */
	LOOK_PEEK,  /* it stays unknown */
};

/* Where n pages from `first` on lie; they are pages of the database. */
int native_database_find(struct native_database *d, uint32_t first, uint32_t n,
	enum page_looking how, struct page_source *s, struct err *e);
/* The frame that a page of a delta lies in. */
int native_database_place(const struct native_database *d,
	const struct page_source *s, struct frame_place *at, struct err *e);
/* Whether b is the page after a in the same frame. */
bool native_database_follows(const struct page_source *a,
	const struct page_source *b);
/* The map of the base's extents; false: the base is one chunk or empty. */
bool native_database_map(const struct native_database *d, struct map *m);

/* A read of [off, off + len): ask for what is likely to be next.
 * (database_ahead.c) */
void native_database_ahead(
	struct native_database *d, uint64_t off, size_t len);

/* As database_ops.is_scattered, for up to 128 KiB. */
bool native_database_is_scattered(struct database *db, size_t len);

#endif
