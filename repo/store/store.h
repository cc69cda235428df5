/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A store is where objects lie: a local directory, an S3 prefix or a static
 * HTTP tree.  struct store reads; struct sink writes and is linked only
 * into tools.  Objects are immutable once they have their name.
 *
 * Names are '/'-separated printable ASCII without space, without empty parts
 * or parts that begin with '.', not below tmp/, at most 200 bytes
 * (store_name_ok).  In a store that was opened as foreign, which only reads,
 * they are what others chose: any bytes but newline and NUL, at most 1024, no
 * part empty, "." or "..".  All functions block and may be called from any
 * thread.
 *
 * Errors: -ENOENT no such object, -EEXIST the name is taken (put), -EACCES,
 * -EINVAL bad name, -EIO the store gave up, -EINTR cancelled, other -errno of
 * the system.  The sentence names the object.
 */
#ifndef YORE_STORE_STORE_H
#define YORE_STORE_STORE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "repo/base/auto.h"
#include "repo/base/cancel.h"
#include "repo/base/err.h"
#include "repo/base/histogram.h"

#define STORE_NAME_MAX 200
#define STORE_FOREIGN_NAME_MAX 1024

struct store;
struct sink;

/* Counts of requests, each attempt of one that was retried too. */
struct store_stats {
	uint64_t gets;	/* ranged and whole reads */
	uint64_t heads; /* asked for size or metadata of an object */
	uint64_t lists; /* listing requests */
	uint64_t puts;	/* objects, or parts of one, sent; those of sinks */
	uint64_t bytes; /* bytes the gets returned */
	uint64_t errors;
	uint64_t retries;
	struct histogram_counts seconds; /* of each request */
};

/* How a call is to be made.  NULL, as zeros: for somebody who waits, to the
 * end. */
struct store_extent {
	uint64_t off;
	uint64_t len;
};

/* How much of a get has come, from the beginning of its buffer on, for who can
 * use a part before the rest is there.  What has come is not written again while
 * the lock is held. */
struct store_arrival {
	pthread_mutex_t lock; /* a leaf */
	_Atomic size_t len;
};

struct store_call {
	bool ahead;	       /* whoever waits goes first */
	/* Content, which goes from here to the page cache of a mount or to a
	 * file: a local store reads it past its own page cache, unless it is
	 * there already.  Best into store_align's place. */
	bool once;
	struct cancel *cancel; /* borrowed until the call returns */
	/* So many bytes are enough, if they can be had without a request: then
	 * *got may be less than len, but not than this.  0: all. */
	size_t enough;
	/* Of it, ascending, only this is looked at: no request is made for
	 * what lies between, whose place in buf then holds anything.  NULL:
	 * all of it. */
	const struct store_extent *wanted;
	size_t n_wanted;
	/* Told meanwhile, by stores that can; borrowed.  NULL: nobody looks. */
	struct store_arrival *arrival;
};

/* What a listing says of an object. */
struct store_object {
	const char *name;
	uint64_t size;
	/* when it was last written, ns since 1970: a file's mtime, S3's
	 * LastModified (of whole seconds, mostly); or STORE_TIME_UNKNOWN */
	int64_t modified_ns;
};

#define STORE_TIME_UNKNOWN INT64_MIN

/* What is to be listed, as in list below. */
struct store_query {
	const char *prefix;
	const char *after;
	/* Only what lies directly in prefix: of what lies deeper the first part
	 * of its name, once, with '/' behind it, size 0, time not known. */
	bool folder;
	bool few; /* as store_list_few */
};

struct store_ops {
	/*
	 * Read [off, off + len) of an object into buf.  *got (may be NULL: then
	 * a short read is -EBADMSG) is less than len only at the object's end.
	 * call may be NULL; once it is cancelled, -EINTR within 100 ms, and
	 * buf is not touched any more.  A local store need not look.
	 */
	int (*get)(struct store *s, const char *name, uint64_t off, size_t len,
		void *buf, size_t *got, const struct store_call *call,
		struct err *e);
	/* Size of an object in bytes. */
	int (*size)(struct store *s, const char *name, uint64_t *size,
		struct err *e);
	/*
	 * Call each object whose name starts with prefix (which ends in '/' or
	 * is empty) and sorts after `after` ("" for all), in byte order, until
	 * the callback returns false.  Temporary names never appear.
	 */
	int (*list)(struct store *s, const char *prefix, const char *after,
		bool (*each)(void *ctx, const char *name, uint64_t size),
		void *ctx, struct err *e);
	/* The same without sizes (each gets 0), where that is cheaper; NULL:
	 * it is not. */
	int (*list_names)(struct store *s, const char *prefix,
		const char *after,
		bool (*each)(void *ctx, const char *name, uint64_t size),
		void *ctx, struct err *e);
	/* As store_list_few; NULL: as list. */
	int (*list_few)(struct store *s, const char *prefix,
		bool (*each)(void *ctx, const char *name, uint64_t size),
		void *ctx, struct err *e);
	/* The same with all that is known of each object.  NULL: names and
	 * sizes. */
	int (*list_objects)(struct store *s, const struct store_query *q,
		bool (*each)(void *ctx, const struct store_object *o),
		void *ctx, struct err *e);
	/* As store_metadata; NULL: no object has any. */
	int (*metadata)(struct store *s, const char *name, const char *key,
		char *out, size_t size, struct err *e);
	/* As store_forget; NULL: nothing is kept. */
	void (*forget)(struct store *s, const char *name, uint64_t off,
		uint64_t len);
	void (*stats)(struct store *s, struct store_stats *st);
	void (*free)(struct store *s);
};

struct store {
	const struct store_ops *ops;
	char *name;	  /* for messages; no secrets */
	char *local_path; /* absolute directory, or NULL */
	bool foreign;	  /* opened by store_open_foreign */
};

/* An object being written piece by piece. */
struct upload;

struct sink_ops {
	/* Write a whole object; exclusive: -EEXIST when the name is taken. */
	int (*put)(struct sink *s, const char *name, const void *data,
		size_t len, struct err *e);
	/* Begin an object whose size is not known; *up is given. */
	int (*begin)(struct sink *s, const char *name, struct upload **up,
		struct err *e);
	int (*append)(struct upload *up, const void *data, size_t len,
		struct err *e);
	/* Make it durable and give it its name; ends the upload, also when it
	 * fails (then nothing has the name). */
	int (*commit)(struct upload *up, struct err *e);
	/* Forget it: nothing remains.  NULL is allowed. */
	void (*abort)(struct upload *up);
	/* Remove an object; only prune and tests do. */
	int (*remove)(struct sink *s, const char *name, struct err *e);
	/* Remove many, with few requests; those that do not exist are no
	 * error.  NULL: one by one. */
	int (*remove_many)(struct sink *s, const char *const *names, size_t n,
		struct err *e);
	/* NULL: counts nothing. */
	void (*stats)(struct sink *s, struct store_stats *st);
	void (*free)(struct sink *s);
};

struct sink {
	const struct sink_ops *ops;
};

struct upload {
	const struct sink_ops *ops;
};

int store_get(struct store *s, const char *name, uint64_t off, size_t len,
	void *buf, size_t *got, struct err *e);
/* The same, with call (NULL is allowed). */
int store_get_call(struct store *s, const char *name, uint64_t off, size_t len,
	void *buf, size_t *got, const struct store_call *call, struct err *e);
/* Where in a buffer, which has STORE_ALIGN bytes to spare, a get from `off` on
 * is best placed when it is `once`. */
#define STORE_ALIGN 4096u
static inline void *
store_align(void *buf, uint64_t off)
{
	uintptr_t skip = (uintptr_t)off - (uintptr_t)buf;

	return (char *)buf + skip % STORE_ALIGN;
}
/*
 * What a get of [off, off + len) gave does not verify: if it may have come from
 * a cache, drop it there and return true, for the next get will ask the store
 * itself; ask once more then.
 */
bool store_forget(struct store *s, const char *name, uint64_t off,
	uint64_t len);
/* The whole object, at most max bytes (else -EUCLEAN); *data is given.  -EINTR
 * when cancel_current() is raised. */
int store_get_all(struct store *s, const char *name, size_t max,
	uint8_t **data, size_t *len, struct err *e);
int store_size(struct store *s, const char *name, uint64_t *size,
	struct err *e);
int store_list(struct store *s, const char *prefix, const char *after,
	bool (*each)(void *ctx, const char *name, uint64_t size), void *ctx,
	struct err *e);
/* The same for who does not look at sizes: they may be 0. */
int store_list_names(struct store *s, const char *prefix, const char *after,
	bool (*each)(void *ctx, const char *name, uint64_t size), void *ctx,
	struct err *e);
/* The same for who stops after the first few: no more are asked for at once. */
int store_list_few(struct store *s, const char *prefix,
	bool (*each)(void *ctx, const char *name, uint64_t size), void *ctx,
	struct err *e);
/* The same with times.  A directory tells them with the names; S3 too. */
int store_list_objects(struct store *s, const char *prefix, const char *after,
	bool (*each)(void *ctx, const struct store_object *o), void *ctx,
	struct err *e);
/* Only what lies directly in prefix, as in struct store_query: one request a
 * thousand objects and folders, however much lies in those. */
int store_list_folder(struct store *s, const char *prefix,
	bool (*each)(void *ctx, const struct store_object *o), void *ctx,
	struct err *e);
/*
 * What was written beside an object under a key ([a-z0-9-]+; in S3 the header
 * x-amz-meta-KEY): a string of less than `size` bytes.  -ENODATA it has none,
 * as no file has; -ERANGE it is longer.  A request.
 */
int store_metadata(struct store *s, const char *name, const char *key,
	char *out, size_t size, struct err *e);
void store_stats(struct store *s, struct store_stats *st);
void store_free(struct store *s);

int sink_put(struct sink *s, const char *name, const void *data, size_t len,
	struct err *e);
int sink_begin(struct sink *s, const char *name, struct upload **up,
	struct err *e);
int upload_append(struct upload *up, const void *data, size_t len,
	struct err *e);
int upload_commit(struct upload *up, struct err *e);
void upload_abort(struct upload *up);
int sink_remove(struct sink *s, const char *name, struct err *e);
int sink_remove_many(struct sink *s, const char *const *names, size_t n,
	struct err *e);
void sink_stats(struct sink *s, struct store_stats *st);
void sink_free(struct sink *s);

bool store_name_ok(const char *name);
/* Whether an object of s may have this name. */
bool store_takes_name(const struct store *s, const char *name);

/*
 * Open the store that a -r argument names: /dir, dir, file:///dir (taken as it
 * is, no %XX), or what s3_config.h says of s3:// and https://.  With
 * YORE_FAULTS also fault:SPEC:REPO, see fault.h.  Does not touch it beyond
 * checking that a local directory exists (-ENOENT).  *s is given.
 */
int store_open(const char *repo, struct store **s, struct err *e);
/* The same where others wrote: nothing is taken for immutable, names are as
 * above. */
int store_open_foreign(const char *repo, struct store **s, struct err *e);
/* The same for writing; create makes the last directory of a local path. */
int sink_open(const char *repo, bool create, struct sink **s, struct err *e);

#define auto_store AUTO(store_auto_)
static inline void
store_auto_(struct store **s)
{
	if (*s)
		store_free(*s);
}
#define auto_sink AUTO(sink_auto_)
static inline void
sink_auto_(struct sink **s)
{
	if (*s)
		sink_free(*s);
}
#define auto_upload AUTO(upload_auto_)
static inline void
upload_auto_(struct upload **u)
{
	upload_abort(*u);
}

#endif
