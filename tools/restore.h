/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Restoring a tree: one thread walks and makes directories, several fill in
 * files, in walk order, so that what was packed together is decoded once.
 *
 *   restore.c         the command
 *   restore_tree.c    the walk, and restoring a single file
 *   restore_pool.c    the queue between the walk and its workers
 *   restore_dir.c     directories: open while something below is under way,
 *                     their own attributes last
 *   restore_entry.c   everything that is not a directory
 *   restore_meta.c    owner, mode, times, extended attributes
 *   restore_report.c  what could not be done
 *   restore_database.c  a database, which is one file
 *
 * Names from the snapshot are used as single components relative to an open
 * directory, through tools/resolve.h, and new things are created exclusively:
 * nothing outside of the target is reached, whoever made the repository or
 * moves things about in the target meanwhile.
 */
#ifndef YORE_TOOLS_RESTORE_H
#define YORE_TOOLS_RESTORE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/stat.h>
#include "repo/view.h"
#include "tools/tool.h"

enum restore_overwrite {
	OVERWRITE_NEVER,
	OVERWRITE_ALWAYS,
	OVERWRITE_IF_NEWER, /* replace what is older than the snapshot's */
};

struct restore_options {
	enum restore_overwrite overwrite;
	bool dry_run;
	bool verify;	  /* read everything back afterwards */
	bool if_missing;  /* a database that exists is left as it is */
	bool verbose;	  /* name each path */
	unsigned threads; /* 0: chosen from the machine */
};

/* -- What could not be done (restore_report.c)
 * --------------------------------- */

/* Kinds that are counted and told once, at the end. */
enum restore_kind {
	LOST_OWNER,
	LOST_SETID,
	LOST_MODE,
	LOST_TIMES,
	LOST_DEVICE,
	LOST_ACL,
	LOST_CAPABILITY,
	LOST_XATTR,
	LOST_KINDS,
};

struct restore_report {
	pthread_mutex_t lock;
	struct {
		uint64_t n;
		int code;    /* errno of the first */
		char *first; /* its path, escaped */
	} lost[LOST_KINDS];
	uint64_t n_errors; /* paths not restored at all */
	uint64_t n_exist;  /* of these: because they exist */
	struct err fatal;  /* the target is full, ...: stop */
	atomic_bool stop;  /* fatal or interrupted */
	atomic_ullong files, bytes, entries, kept, verified;
};

struct rdir;

void restore_report_init(struct restore_report *r);
void restore_report_release(struct restore_report *r);
/* An attribute of dir/name (name NULL: of dir) could not be set. */
void restore_lost(struct restore_report *r, enum restore_kind kind, int code,
	struct rdir *dir, const char *name);
/* A path was not restored; e tells why (without the path). */
void restore_failed(struct restore_report *r, struct rdir *dir,
	const char *name, const struct err *e);
/* The same where there is no path to add. */
void restore_failed_text(struct restore_report *r, const struct err *e);
/* Print the summary of what was lost; whether there was any. */
bool restore_report_print(struct restore_report *r);

/* -- Directories (restore_dir.c)
 * ----------------------------------------------- */

/* A directory of the target.  Counted by the walk, by directories in it and by
 * jobs for its entries; when the last lets go it gets its attributes. */
struct rdir {
	struct restore *restore;
	struct rdir *parent; /* NULL: the target itself */
	int fd;
	atomic_int refs;
	bool apply;	   /* attributes are ours to set */
	bool inherits_acl; /* what is made in it gets ACLs unasked */
	struct view_attr attr;
	char name[];
};

/* The target's own directory, open as fd, which is taken over. */
struct rdir *rdir_top(
	struct restore *r, int fd, const struct view_attr *a, bool apply);
/* Make and open the directory name in parent; NULL and *e when it cannot be. */
struct rdir *rdir_make(struct rdir *parent, const char *name,
	const struct view_attr *a, struct err *e);
/* Open it only, for reading back. */
struct rdir *rdir_open(struct rdir *parent, const char *name,
	const struct view_attr *a, struct err *e);
struct rdir *rdir_get(struct rdir *d);
void rdir_put(struct rdir *d);
/* Its path below the target, and name when not NULL; given. */
char *rdir_path(const struct rdir *d, const char *name);

/* -- Attributes (restore_meta.c)
 * ------------------------------------------------ */

/* Where attributes are set: by a descriptor open for real, or (devices,
 * symlinks, ...) by one that is O_PATH. */
struct meta {
	int fd;
	bool is_path;
	struct rdir *dir; /* for reports */
	const char *name; /* NULL: dir itself */
};

/* Set owner, extended attributes, mode and times, in the order in which none
 * undoes another. */
void meta_apply(
	struct restore *r, const struct meta *t, const struct view_attr *a);
/* Take ACLs away that came from a directory's default. */
void meta_drop_acls(int fd, bool is_dir);

/* -- Entries (restore_entry.c)
 * -------------------------------------------------- */

/* Names of one file: the first is written, the others are linked to it. */
struct link_group {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	enum { LINK_NEW, LINK_BUSY, LINK_DONE } state;
	char *path; /* of the name that is there, below the target */
	dev_t dev;
	ino_t ino;
};

struct job {
	struct rdir *dir; /* counted */
	struct view_attr attr;
	struct link_group *group; /* NULL: has no other names */
	size_t name_len;
	char name[];
};

/* Restore one entry; problems go to the report. */
void job_restore(struct restore *r, struct job *j);
/* Read it back. */
void job_verify(struct restore *r, struct job *j);

/* -- The pool (restore_pool.c)
 * --------------------------------------------------- */

/* A stretch of a big file's content, for whoever has time. */
struct piece {
	struct big_file *big;
	uint64_t off, len;
};

struct pool;

struct pool *pool_new(struct restore *r, unsigned threads,
	void (*work)(struct restore *r, struct job *j));
/* Queue a job, which is taken over; waits while the queue is full. */
void pool_add(struct pool *p, struct job *j);
/* Wait until all is done and end the threads. */
void pool_finish(struct pool *p);
/* Hand a stretch to another worker; false: do it yourself. */
bool pool_offer(struct pool *p, const struct piece *piece);
/* Run other workers' stretches, and wait, until big->pending is 0. */
void pool_wait_big(struct pool *p, struct big_file *big);

/* A file whose stretches several workers write.  Guarded by the pool. */
struct big_file {
	uint64_t node;
	int fd;
	unsigned pending;
	int code;
	struct err e;
};
void big_file_piece(
	struct restore *r, const struct piece *piece, struct err *e);

/* -- The whole (restore_tree.c)
 * ----------------------------------------------------- */

struct restore {
	struct view *view;
	const struct restore_options *options;
	struct restore_report report;
	struct pool *pool;
	int target_fd; /* where link_group paths begin */
	struct link_table *links;
};

/* Interrupted, or it makes no sense to go on. */
static inline bool
restore_stopped(struct restore *r)
{
	return r->report.stop || interrupt_came();
}

/*
 * Restore the node at attr, found at path in its snapshot, to target.  A
 * directory's content goes into target, which is made when missing; anything
 * else becomes target, or is put into it when that is a directory.
 * 0 when the run went to its end (the report tells with what success), -errno
 * when it could not begin or had to stop.
 */
int restore_run(struct restore *r, const struct view_attr *attr,
	const char *path, const char *target, struct err *e);

/*
 * The database that r->view is of becomes target, or is put into it under its
 * own name when that is a directory.  -EEXIST, -EBADMSG it is not what was
 * stored, other -errno; then nothing has changed.
 */
int restore_database(struct restore *r, const char *target, struct err *e);

#endif
