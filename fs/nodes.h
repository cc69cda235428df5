/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The nodes the mount makes up: virtual directories, symlinks and small
 * files, and the slots of trees.  A slot stands for one point seen at one
 * virtual path; everything inside the tree needs no node, because a FUSE node
 * id carries slot and view node number side by side:
 *
 *   1                          the root of the mount
 *   bit 63 | number            a virtual node
 *   number << 39 | view node   inside the tree of a slot
 *   number << 39               the slot itself: the root of the tree or, where
 *                              a version of a path is shown, its base there
 *
 * A node is (parent, name, kind, point): a name that comes to mean another
 * point becomes another node, so nothing the kernel knows of a node ever
 * changes.  The slot of a snapshot is opened from the listing; that of another
 * moment, which no listing has, keeps what its history told of it.  The
 * kernel's look-ups are counted; nodes it has forgotten wait in line (NFS
 * clients may come back with old handles) and the oldest are freed when there
 * are NODES_IDLE_MAX of them.
 */
#ifndef YORE_FS_NODES_H
#define YORE_FS_NODES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>
#include "repo/history.h"

#define NODES_IDLE_MAX 32768
#define NODE_SHIFT 39
#define NODE_VIRTUAL (1ULL << 63)
#define NODE_NUMBER_MAX ((1u << 24) - 1)

enum node_kind {
	NODE_TOP,	  /* the root of the whole namespace */
	NODE_SOURCES,	  /* sources/; lists hosts */
	NODE_AT,	  /* at/; never lists, resolves moments */
	NODE_MOMENT,	  /* at/<expression>/ and latest/; lists hosts */
	NODE_TAGS,	  /* tags/ */
	NODE_TAG,	  /* tags/<tag>/; lists hosts */
	NODE_HOST,	  /* below sources, a moment or a tag: lists names */
	NODE_TAG_SOURCE,  /* tags/<tag>/<host>/<name>/ */
	NODE_SOURCE,	  /* sources/<host>/<name>/ */
	NODE_SNAPSHOTS,	  /* .../snapshots/ of a source */
	NODE_GENERATIONS, /* .../generations/ */
	NODE_GENERATION,  /* .../generations/<first-time>/ */
	NODE_GENERATION_SNAPSHOTS,
	NODE_POINTS,	/* .../points/ of a generation; lists days */
	NODE_DAY,	/* .../points/<YYYY-MM-DD>/; lists times */
	NODE_SOURCE_AT, /* .../at/; never lists, resolves points */
	NODE_VERSIONS,	/* .../versions/ of a source */
	NODE_VERSIONS_PATH, /* .../versions/<path>/ */
	NODE_VERSIONS_LIST, /* .../versions/<path>/.versions/ */
	NODE_BY_ID,	/* by-id/ */
	NODE_YORE,	/* .yore/ */
	NODE_TREE,	/* a slot: the tree of a point */
	NODE_LINK,	/* a symlink to a point: latest */
	NODE_TEXT,	/* a small file below .yore/, frozen when looked up */
};

/* Who may enter a virtual directory that stands for others. */
struct node_access {
	bool some; /* false: whoever has come so far */
	mode_t mode;
	uid_t uid;
	gid_t gid;
};

/* A moment of a source, as it was told. */
struct node_moment {
	struct history_point point; /* but source and generation, which were
				     * indexes into an old listing */
	char *host;
	char *name;
};

struct node {
	enum node_kind kind;
	uint32_t number;
	uint32_t generation; /* the same whenever this node is made again */
	uint64_t ino;	     /* likewise: st_ino of a virtual node */
	struct node *parent; /* NULL: the top */
	char *name;
	char id[HISTORY_ID_MAX + 1]; /* TREE, LINK: of the point, else "" */
	uint64_t key;		     /* TREE, LINK: likewise (numbers.h) */
	struct node_moment *moment;  /* TREE, LINK: or NULL: a snapshot's */
	uint64_t base;		     /* TREE: the view's node that it shows */
	struct node_access access;   /* VERSIONS_PATH */
	bool asked; /* what its name means was asked of the history, and the
		     * kernel holds it for a limited time */
	char *text;		     /* LINK: target; TEXT: content */
	size_t text_len;
	int64_t time_ns; /* LINK, TEXT: its times */
	/* guarded by the table's lock */
	uint64_t lookups; /* the kernel's references */
	uint32_t refs;	  /* children, and requests in progress */
	bool idle;
	struct node *next_in_bucket;
	TAILQ_ENTRY(node) idle_link;
};

/* What nodes_enter looks for or makes. */
struct node_spec {
	enum node_kind kind;
	struct node *parent; /* borrowed: the caller has a reference */
	const char *name;
	const struct history_point *point; /* TREE, LINK; else NULL */
	const struct history_source *source; /* of the moment that point is;
					      * NULL: it is a snapshot */
	uint64_t base;
	struct node_access access;
	bool asked;
	char *text;			   /* LINK, TEXT: given; else NULL */
	size_t text_len;
	int64_t time_ns;
};

struct nodes;

/* A table that holds the top node, which is never freed. */
struct nodes *nodes_new(void);
void nodes_free(struct nodes *t);
struct node *nodes_top(struct nodes *t);

/*
 * The node of that description, made if need be, with one kernel look-up
 * counted: it lives until nodes_forget.  A TEXT is always made anew.  NULL
 * when all numbers are taken.
 */
struct node *nodes_enter(struct nodes *t, const struct node_spec *spec);
/* Count one more look-up of a node the caller has a reference to. */
void nodes_lookup_again(struct nodes *t, struct node *n);
/* The kernel gives look-ups back. */
void nodes_forget(struct nodes *t, struct node *n, uint64_t lookups);

/* The node with that number and one more reference, or NULL. */
struct node *nodes_get(struct nodes *t, uint32_t number);
void nodes_put(struct nodes *t, struct node *n);

/* Call each node that the kernel knows, with the table locked. */
void nodes_each(
	struct nodes *t, void (*each)(void *ctx, struct node *n), void *ctx);
size_t nodes_count(struct nodes *t);

/* Write a node's path from the top, without a leading '/', to out. */
void node_path(const struct node *n, char *out, size_t size);

#endif
