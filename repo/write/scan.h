/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads a directory tree for one consumer that walks it depth first, each
 * directory's entries in bytewise order of their names, and reads ahead of it:
 * a pool of threads scans the directories the walk will want next, in that
 * order, so that on a cold disk the waiting overlaps.  What was read ahead and
 * not yet taken is bounded.
 *
 * Never follows a symlink, never leaves the tree, never writes (O_NOATIME
 * where permitted).  Trees may change meanwhile; what is gone is reported and
 * the rest goes on.  Depth and path length are not limited, nor is the number
 * of names in a directory; file descriptors are.
 */
#ifndef YORE_WRITE_SCAN_H
#define YORE_WRITE_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "repo/base/buf.h"
#include "repo/base/err.h"
#include "repo/write/attributes.h"
#include "repo/write/exclude.h"
#include "repo/write/wanted.h"

struct scan;

struct scan_options {
	const struct exclude_rules *rules; /* kept; NULL: nothing excluded */
	const struct wanted *wanted;	   /* kept, sealed; NULL: everything */
	bool one_file_system; /* directories of others are listed, empty */
	unsigned threads;     /* 0: 8 */
	size_t ahead_entries; /* read ahead at most; 0: 65536 */
	size_t ahead_dirs;    /* likewise directories; 0: 2000 */
	unsigned fds;	      /* directories kept open at most; 0: 256 */
	/*
	 * An entry could not be read and is left out, or a directory only in
	 * part: path relative to the source ("" itself), code a positive
	 * errno, text one sentence that names the path.  Called from the
	 * consumer's thread, in scan_root and scan_child, in walk order.
	 * May be NULL.
	 */
	void (*report)(void *arg, const char *path, int code,
		const char *text);
	void *arg;
};

#define SCAN_MOUNT 1 /* another file system, not entered */

struct scan_entry {
	struct attributes a;
	uint32_t name_off; /* see scan_name */
	uint16_t name_len;
	uint16_t flags; /* SCAN_* */
};

/* A directory that was read.  Immutable while held; counted, so that other
 * threads may hold it for its descriptor and path. */
struct scan_dir {
	struct attributes a;	      /* its own, when it was opened */
	const struct scan_entry *entries; /* ascending bytewise by name */
	uint32_t n;
	uint32_t n_excluded; /* names left out by rules */
	const char *names;
	struct scan_dir *parent; /* NULL for the source */
	const char *name;	 /* its own; "" for the source */
};

/* Terminated; and the target of an entry that is a symlink. */
static inline const char *
scan_name(const struct scan_dir *d, const struct scan_entry *en)
{
	return d->names + en->name_off;
}

static inline const char *
scan_target(const struct scan_dir *d, const struct scan_entry *en)
{
	return d->names + en->name_off + en->name_len + 1;
}

/*
 * Scan the tree whose root is open as rootfd (a directory; duplicated, the
 * caller keeps its own).  -errno when threads or descriptors are lacking.
 */
int scan_new(int rootfd, const struct scan_options *o, struct scan **s,
	struct err *e);
/* Every directory must have been put.  Waits for the threads. */
void scan_free(struct scan *s);

/* Read the source's own directory.  The caller owes scan_dir_put. */
int scan_root(struct scan *s, struct scan_dir **d, struct err *e);

/*
 * Read entry i of parent, a directory; the caller owes scan_dir_put.
 * To be asked in ascending order of i: what was read ahead below a lower i is
 * dropped (and read again if it is asked for after all).  Only one thread asks.
 * -ENOENT vanished, -EACCES, -ENOTDIR and -ELOOP replaced, -ESTALE; nothing is
 * reported then beside the error.
 */
int scan_child(struct scan *s, struct scan_dir *parent, uint32_t i,
	struct scan_dir **d, struct err *e);

/* From any thread. */
struct scan_dir *scan_dir_get(struct scan_dir *d);
void scan_dir_put(struct scan *s, struct scan_dir *d); /* NULL is allowed */

/*
 * The directory's descriptor, opened again when it had to be closed; valid
 * until scan_dir_close.  For openat(2) and attributes_*.  From any thread.
 * -ESTALE another directory is in its place, or -errno of openat(2).
 */
int scan_dir_open(struct scan *s, struct scan_dir *d, int *fd, struct err *e);
void scan_dir_close(struct scan *s, struct scan_dir *d);

/* Append the path relative to the source, and '/' and name unless NULL, and a
 * terminator that is not counted. */
void scan_dir_path(const struct scan_dir *d, const char *name, struct buf *out);

#endif
