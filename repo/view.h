/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A view is the read-only tree of one source at one point.  It is immutable:
 * the same call gives the same answer for as long as the view lives.  It never
 * writes, and every function may be called from any thread at any time.
 *
 * Nodes are numbered: the root is VIEW_ROOT (0), and every other entry has a
 * number below 2^38 that any program derives from the view's content alone, so
 * that it is the same after a remount and a mount needs no table of inodes.
 * A number names a path: the two names of a hard link are two nodes with the
 * same attr.ino.
 *
 * Whoever makes a view (repo/native, repo/foreign) embeds struct view and
 * fills in ops; callers use the view_* functions below.
 *
 * Errors: -ENOENT no such node or name, -ENOTDIR, -EISDIR, -EINVAL wrong kind
 * of node, -ENODATA no such attribute, -EBADMSG or -EUCLEAN damaged, -EIO the
 * store gave up, -EINTR interrupted, -ENETDOWN not cached and offline.  The sentence names path or object.
 */
#ifndef YORE_VIEW_H
#define YORE_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include "repo/base/err.h"

#define VIEW_ROOT 0
#define VIEW_NODE_BITS 38
/* attr.ino of a hard-linked file: this bit and its link number */
#define VIEW_INO_LINK (1ULL << VIEW_NODE_BITS)

struct view_attr {
	uint64_t node;	 /* the number of this path */
	uint64_t ino;	 /* below 2^39; equal for names of one file */
	uint64_t size;	 /* bytes; of a symlink: length of its target */
	uint64_t blocks; /* 512-byte units allocated at the source */
	uint64_t rdev;	 /* devices: makedev(3) as dev_t */
	struct timespec mtime;
	struct timespec ctime;
	uint32_t mode; /* S_IFMT and permission bits */
	uint32_t uid;
	uint32_t gid;
	uint32_t nlink;
	bool has_xattrs; /* false: no getxattr needs to be asked */
};

/* Totals of everything below a directory, itself not counted. */
struct view_totals {
	uint64_t entries;  /* names of any kind */
	uint64_t files;	   /* regular files, each name counted */
	uint64_t bytes;	   /* sum of their sizes */
	int64_t newest_ns; /* the newest mtime or ctime, ns since 1970; 0 none */
	bool has_xattrs;   /* some entry has an extended attribute */
	bool has_acl;	   /* some entry has a POSIX ACL */
};

struct view_dirent {
	const char *name; /* not terminated; any bytes but '/' and NUL */
	size_t name_len;  /* 1..255 */
	uint64_t next;	  /* position of the entry after this one */
	struct view_attr attr;
};

/* Content that a read found, held until view_data_release. */
#define VIEW_DATA_PIECES 40
struct view_data {
	struct iovec iov[VIEW_DATA_PIECES];
	void *owner[VIEW_DATA_PIECES]; /* the view's; NULL for zeros */
	int n;
	size_t len; /* sum of iov */
	/* How much more of the file lies in memory, held like the rest: bytes
	 * before the first piece and behind the last one. */
	size_t before;
	size_t after;
	void (*release_owner)(void *owner);
};

/* What tells without looking that something is the same in two views of one
 * history: if it is equal, and not zeros, which say that it is not known. */
#define VIEW_MARK_LEN 20

struct view_mark {
	uint8_t content[VIEW_MARK_LEN]; /* of a file its bytes, of a directory
					 * all that is below it */
	uint8_t xattrs[VIEW_MARK_LEN];
	uint64_t ino; /* inode number at the source; 0: not known */
};

/* What was written down about a state beside its tree. */
struct view_about {
	const char *path; /* where the source lay; "" not known; borrowed from
			   * the view */
	int64_t began_ns, ended_ns; /* of the run that made it; 0 not known */
	uint64_t n_errors;	    /* paths that it could not read */
	/* What its writer wanted to know again; borrowed, may be NULL. */
	const void *opaque;
	size_t opaque_len;
};

/* One place a path's bytes come from, for `needs`, -v listings and tests. */
struct view_extent {
	uint64_t off; /* in the file */
	uint64_t len;
	bool hole;
	char object[96]; /* name of the object in the store, "" for inline */
	uint64_t object_off;
	uint64_t object_len;
	uint8_t mark[VIEW_MARK_LEN]; /* of its bytes */
};

/* A stretch of an object in the store. */
struct view_place {
	const char *object; /* its name */
	uint64_t off;
	uint64_t len; /* UINT64_MAX: to the object's end */
};

enum view_part {
	VIEW_WAY, /* what reaching a node from the root takes */
	VIEW_OWN, /* what lies in it: its entries, content, attributes */
};

struct view;

/* Whether the bytes of a file are those that were stored, told while they pass
 * by, in order; embedded in what a format makes.  One thread. */
struct view_check;

struct view_check_ops {
	void (*add)(struct view_check *c, const void *data, size_t len);
	/* All have passed: 0, or -EBADMSG.  Frees c. */
	int (*end)(struct view_check *c, struct err *e);
};

struct view_check {
	const struct view_check_ops *ops;
};

/* Where a file is poured; embedded in what its user makes. */
struct view_sink {
	/* len bytes at off of the file.  Called by several threads, in no
	 * order, once for each byte but those that read as zeros, which may
	 * never come.  -errno ends it. */
	int (*put)(struct view_sink *s, uint64_t off, const void *data,
		size_t len, struct err *e);
};

struct view_ops {
	/* Attributes of a node. */
	int (*attr)(struct view *v, uint64_t node, struct view_attr *attr,
		struct err *e);
	/* The entry called name in directory dir. */
	int (*lookup)(struct view *v, uint64_t dir, const char *name,
		size_t len, struct view_attr *attr, struct err *e);
	/*
	 * Call each entry from position `from` (0 is the first, else a
	 * dirent's next) in byte order of names until the callback returns
	 * false.  The dirent is borrowed for the call.  "." and ".." are not
	 * among them.
	 */
	int (*list)(struct view *v, uint64_t dir, uint64_t from,
		bool (*each)(void *ctx, const struct view_dirent *d), void *ctx,
		struct err *e);
	/* Parent directory of a node; the root is its own. */
	int (*parent)(struct view *v, uint64_t node, uint64_t *parent,
		struct err *e);
	/*
	 * The bytes [off, off + len) that lie inside the file; shorter at the
	 * end of the file, when VIEW_DATA_PIECES do not suffice (never empty
	 * before the end), or when it is 64 KiB at least.  On success the
	 * caller owes view_data_release.
	 */
	int (*read)(struct view *v, uint64_t node, uint64_t off, size_t len,
		struct view_data *data, struct err *e);
	/* Write the target to out (size at least 4096), not terminated;
	 * returns its length. */
	ssize_t (*readlink)(struct view *v, uint64_t node, char *out,
		size_t size, struct err *e);
	/* As lseek(2): next data or hole (SEEK_DATA, SEEK_HOLE) from off;
	 * -ENXIO past the end. */
	int (*seek)(struct view *v, uint64_t node, uint64_t off, int whence,
		uint64_t *found, struct err *e);
	/* As getxattr(2): size 0 asks for the length; -ERANGE too small. */
	ssize_t (*xattr_get)(struct view *v, uint64_t node, const char *name,
		void *value, size_t size, struct err *e);
	/* As listxattr(2): names, each terminated. */
	ssize_t (*xattr_list)(struct view *v, uint64_t node, char *names,
		size_t size, struct err *e);
	/* Totals below a directory. */
	int (*totals)(struct view *v, uint64_t dir, struct view_totals *t,
		struct err *e);
	/* Where the bytes come from, in file order, until each says false. */
	int (*extents)(struct view *v, uint64_t node, uint64_t from,
		bool (*each)(void *ctx, const struct view_extent *x), void *ctx,
		struct err *e);
	/*
	 * Call the places that one part of a node lies at, in no order, some
	 * of them more than once; borrowed for the call.  Pages that say where
	 * are fetched, content is not.  NULL: places are known of content
	 * only, by extents.
	 */
	int (*places)(struct view *v, uint64_t node, enum view_part part,
		void (*each)(void *ctx, const struct view_place *p), void *ctx,
		struct err *e);
	/*
	 * Advice after a read of `node`: give up to `max` files that follow it
	 * in its directory and whose whole content is already decoded in
	 * memory, so that a mount can hand it to the kernel unasked.  May be
	 * NULL.  Data is borrowed for the call.
	 */
	int (*neighbours)(struct view *v, uint64_t node, int max,
		void (*each)(void *ctx, uint64_t node, const void *data,
			size_t len),
		void *ctx);
	/*
	 * Advice: a file is read here and there.  Makes ready what finding its
	 * bytes takes, and gives, in file order and until each says false, what
	 * such reads go through: of a database its interior pages.  With each
	 * NULL it may be read so: only a kind that mostly is is made ready.
	 * Takes as long as reading that; for a thread that nobody waits for.
	 * Data is borrowed for the call.  May be NULL.
	 */
	void (*at_random)(struct view *v, uint64_t node,
		bool (*each)(void *ctx, uint64_t off, const void *data,
			size_t len),
		void *ctx);
	/*
	 * Whether some of a file's first len bytes are neither in memory nor
	 * come with the first 4 KiB, but would have to be asked for apart: who
	 * may not want them had better not read them.  NULL: it never is.
	 */
	bool (*is_scattered)(struct view *v, uint64_t node, size_t len);
	/* A check of a whole file against a sum that was stored with it; *c is
	 * given, NULL: there is none.  May be NULL. */
	int (*check)(struct view *v, uint64_t node, struct view_check **c,
		struct err *e);
	/*
	 * A whole file in the order in which it comes fastest, verified on the
	 * way as by check: what was put is right only if this succeeds.
	 * -EBADMSG, what s says; -EOPNOTSUPP this one has to be read, whatever
	 * was put already.  NULL: all have to be.
	 */
	int (*pour)(struct view *v, uint64_t node, struct view_sink *s,
		struct err *e);
	/* NULL: nothing is known of any node. */
	int (*mark)(struct view *v, uint64_t node, struct view_mark *m,
		struct err *e);
	/* NULL: nothing is known. */
	void (*about)(struct view *v, struct view_about *a);
	/* The last reference is gone. */
	void (*free)(struct view *v);
};

struct view {
	const struct view_ops *ops;
	_Atomic int refs; /* starts at 1 */
};

struct view *view_get(struct view *v);
/* Give one reference up; NULL is allowed. */
void view_put(struct view *v);

int view_attr(struct view *v, uint64_t node, struct view_attr *attr,
	struct err *e);
int view_lookup(struct view *v, uint64_t dir, const char *name, size_t len,
	struct view_attr *attr, struct err *e);
int view_list(struct view *v, uint64_t dir, uint64_t from,
	bool (*each)(void *ctx, const struct view_dirent *d), void *ctx,
	struct err *e);
int view_parent(struct view *v, uint64_t node, uint64_t *parent, struct err *e);
int view_read(struct view *v, uint64_t node, uint64_t off, size_t len,
	struct view_data *data, struct err *e);
bool view_is_scattered(struct view *v, uint64_t node, size_t len);
ssize_t view_readlink(struct view *v, uint64_t node, char *out, size_t size,
	struct err *e);
int view_seek(struct view *v, uint64_t node, uint64_t off, int whence,
	uint64_t *found, struct err *e);
ssize_t view_xattr_get(struct view *v, uint64_t node, const char *name,
	void *value, size_t size, struct err *e);
ssize_t view_xattr_list(struct view *v, uint64_t node, char *names, size_t size,
	struct err *e);
int view_totals(struct view *v, uint64_t dir, struct view_totals *t,
	struct err *e);
int view_extents(struct view *v, uint64_t node, uint64_t from,
	bool (*each)(void *ctx, const struct view_extent *x), void *ctx,
	struct err *e);
int view_places(struct view *v, uint64_t node, enum view_part part,
	void (*each)(void *ctx, const struct view_place *p), void *ctx,
	struct err *e);
int view_neighbours(struct view *v, uint64_t node, int max,
	void (*each)(void *ctx, uint64_t node, const void *data, size_t len),
	void *ctx);

void view_at_random(struct view *v, uint64_t node,
	bool (*each)(void *ctx, uint64_t off, const void *data, size_t len),
	void *ctx);

int view_check(struct view *v, uint64_t node, struct view_check **c,
	struct err *e);
void view_check_add(struct view_check *c, const void *data, size_t len);
int view_check_end(struct view_check *c, struct err *e);

int view_pour(struct view *v, uint64_t node, struct view_sink *s,
	struct err *e);

int view_mark(struct view *v, uint64_t node, struct view_mark *m,
	struct err *e);
void view_about(struct view *v, struct view_about *a);

void view_data_release(struct view_data *data);

/*
 * Walk a '/'-separated path from the root (leading, trailing and doubled
 * slashes ignored, "." skipped, ".." refused with -EINVAL); symlinks in it are
 * not followed.
 */
int view_resolve(struct view *v, const char *path, struct view_attr *attr,
	struct err *e);

#define auto_view AUTO(view_auto_)
static inline void
view_auto_(struct view **v)
{
	view_put(*v);
}

#define auto_view_data AUTO(view_data_release)
#define VIEW_DATA_INIT { .n = 0, .len = 0 }

#endif
