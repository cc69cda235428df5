/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the parts of the scanner share: scan.c decides what is read when,
 * scan_read.c reads one directory, scan_fd.c keeps descriptors.
 */
#ifndef YORE_WRITE_SCAN_PRIVATE_H
#define YORE_WRITE_SCAN_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>
#include "repo/write/scan.h"

enum scan_state {
	SCAN_RUNNING, /* a thread reads it */
	SCAN_READY,   /* read ahead, counted in ahead_* */
	SCAN_TOO_BIG, /* to read ahead; the consumer will */
	SCAN_FAILED,
	SCAN_TAKEN, /* given to the consumer */
};

/* Something that went wrong in a directory that was read all the same. */
struct scan_problem {
	struct scan_problem *next;
	int code;
	char *text; /* NULL: the path and what code means */
	char name[]; /* of the entry; "" the directory itself */
};

/* A directory; pub comes first, so that pointers to either convert. */
struct scan_node {
	struct scan_dir pub;
	uint32_t index; /* of its entry in the parent */
	struct scan *scan;

	/* Written by the thread that reads it, then constant. */
	struct exclude_dir *rules; /* for its entries; NULL: no rules */
	struct wanted_range wanted;
	struct scan_problem *problems, **problems_end;
	uint32_t *subdirs; /* indexes of the entries that may be entered */
	uint32_t n_subdirs;

	/* Under scan->lock. */
	enum scan_state state;
	bool dropped;	   /* nobody will ask for what a thread still reads */
	unsigned refs;	   /* holds, children, being ahead, being read */
	unsigned holds;	   /* the caller's part of refs */
	uint32_t next_sub; /* the first of subdirs not begun */
	int fd;		   /* -1: closed */
	unsigned pins;	   /* of fd */
	struct scan_node *lru_prev, *lru_next;	   /* open, not pinned */
	struct scan_node *order_prev, *order_next; /* see scan.c */
	struct scan_node *ahead, **ahead_end; /* children begun, not taken */
	struct scan_node *sibling; /* the next in the parent's `ahead` */
};

struct scan_list {
	struct scan_node *first, *last;
};

/* The entries of one directory, to be examined by several threads. */
struct scan_share {
	void (*run)(void *arg, size_t from, size_t to);
	void *arg;
	size_t n;
	atomic_size_t next;
	unsigned helpers; /* under scan->lock */
};

struct scan {
	pthread_mutex_t lock;
	pthread_cond_t work;	/* workers: there may be something to do */
	pthread_cond_t settled; /* consumer: a directory or a share is done */
	struct scan_list order;
	struct scan_list lru; /* least recently used first */
	unsigned n_open;
	unsigned idle;
	size_t ahead_entries, ahead_dirs; /* ready */
	unsigned running;		  /* by workers */
	struct scan_share *share;
	bool stop;

	/* Constant. */
	struct scan_options o;
	int root_fd;
	uint32_t dev; /* of the source */
	pthread_t *threads;
	unsigned n_threads;
};

static inline struct scan_node *
scan_node_of(struct scan_dir *d)
{
	return (struct scan_node *)d;
}

static inline struct scan_node *
scan_parent(const struct scan_node *x)
{
	return (struct scan_node *)x->pub.parent;
}

/* -- scan_read.c; without the lock ------------------------------------------------- */

/* More names than this are not read ahead. */
#define SCAN_AHEAD_NAMES 8192

/*
 * Read x, whose fd is open and pinned, completely.  -E2BIG more than `limit`
 * names.  help: let the pool examine the entries of a big directory.
 */
int scan_read(struct scan *s, struct scan_node *x, size_t limit, bool help);
void scan_read_release(struct scan_node *x);

/* -- scan_ahead.c; with the lock held unless said otherwise -------------------- */

struct scan_node *scan_node_new(struct scan *s);
/* Child `index` of parent, SCAN_RUNNING; the caller owes the reference. */
struct scan_node *scan_child_new(struct scan *s, struct scan_node *parent,
	uint32_t index);
/* Give a reference back; what nobody refers to any more goes on *garbage
 * (linked by sibling). */
void scan_release(struct scan_node *x, struct scan_node **garbage);
/* Without the lock. */
void scan_free_garbage(struct scan *s, struct scan_node *garbage);

/* Put x where the walk comes before next; NULL: at the end. */
void scan_order_insert(struct scan *s, struct scan_node *x,
	struct scan_node *next);
void scan_order_remove(struct scan *s, struct scan_node *x);

/* The first of parent's `ahead`, with the reference it had for being there. */
struct scan_node *scan_pop_ahead(struct scan_node *parent);
/* x, not running, is taken or dropped. */
void scan_no_longer_ahead(struct scan *s, const struct scan_node *x);
/* Nobody will ask for the nodes of the list (linked by sibling, each with the
 * reference of its parent's `ahead`), nor for what was begun below them. */
void scan_drop(struct scan *s, struct scan_node *todo,
	struct scan_node **garbage);

/* Open x and read it.  Without the lock. */
int scan_read_node(struct scan *s, struct scan_node *x, size_t limit,
	bool help);
/* x was read: wake who may want to go on with its children. */
void scan_offer_children(struct scan *s, struct scan_node *x);
void *scan_worker(void *scan);

/* Without the lock: run share->run over all of share->n with the help of idle workers. */
void scan_share(struct scan *s, struct scan_share *share);

/* -- scan_fd.c; without the lock unless said otherwise --------------------------- */

/* Open x below its parent, opening that first if need be; pins it. */
int scan_fd_pin(struct scan *s, struct scan_node *x, int *fd);
void scan_fd_unpin(struct scan *s, struct scan_node *x);
/* x is going away: its descriptor or -1, to be closed.  With the lock. */
int scan_fd_forget(struct scan *s, struct scan_node *x);

#endif
