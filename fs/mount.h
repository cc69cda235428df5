/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One mount: a history, the nodes the kernel has been told of, and the FUSE
 * session.
 *
 * Locks, in this order, none held across a call of history or view:
 * storing (only ever tried), picture_lock, those of nodes and views; that of
 * random is a leaf.
 */
#ifndef YORE_FS_MOUNT_H
#define YORE_FS_MOUNT_H

#include <pthread.h>
#include <fuse_lowlevel.h>
#include "fs/answers.h"
#include "fs/metrics.h"
#include "fs/names.h"
#include "fs/nodes.h"
#include "fs/picture.h"
#include "fs/tree.h"
#include "fs/views.h"

struct mount_options {
	const char *name;	/* of the repository, for fsname */
	const char *mountpoint; /* absolute */
	const char *address;	/* SOURCE[@TIME[:PATH]], or NULL for all */
	const char *kernel;	/* more options for mount(2), or NULL */
	int refresh_s;		/* 0: only on SIGHUP */
	int idle_s;		/* 0: never unmount by itself */
	int read_ahead_kib;	/* 0: as the kernel does */
	bool allow_other;
	bool default_permissions;
	bool store; /* hand neighbours to the page cache */
	bool debug;
};

struct mount {
	struct history *history; /* borrowed */
	const struct mount_options *options;
	struct fuse_session *session;
	struct nodes *nodes;
	struct views *views;
	struct answers *answers;
	struct scope scope;
	struct node *root;  /* what node id 1 means: this node and, when it */
	uint64_t root_at;   /* is a slot, this node of its view */
	bool acls_enforced; /* by the kernel, which was asked to */
	bool modes_enforced;
	bool no_open; /* the kernel takes ENOSYS for: never ask again */
	bool no_opendir;
	int64_t mounted_ns;
	struct metrics metrics;
	struct names names;
	_Atomic bool labelled; /* a tree with SELinux labels was seen */
	_Atomic int64_t refreshed_ns;

	pthread_mutex_t picture_lock;
	struct picture *picture;

	struct random *random;
	_Atomic int storers; /* threads that store around a READ */
	_Atomic uint64_t short_node; /* where the last short READ was: hints */
	_Atomic uint64_t short_off;
	pthread_mutex_t storing;     /* guards what follows; see store.c */
	uint64_t store_next;	     /* READs in order begin at this node id */
	uint64_t store_limit;	     /* and not behind this one */
	uint64_t store_recent[1024]; /* node ids stored, by their low bits */
	unsigned int store_run;
};

/*
 * Prepare a mount of a history; *m is given.  Resolves the address: -ENOENT
 * no such source, time or path; -EINVAL not an address.
 */
int mount_new(struct history *h, const struct mount_options *o,
	struct mount **m, struct err *e);
void mount_free(struct mount *m);

/* Attach it and answer the kernel's first request: from now on it works. */
int mount_attach(struct mount *m, struct err *e);
/* Serve until unmounted or told to stop by SIGTERM or SIGINT, which must be
 * blocked, as SIGHUP, in the calling thread.  Detaches. */
int mount_serve(struct mount *m, struct err *e);

/* What is shown now; the caller owes picture_put. */
struct picture *mount_picture(struct mount *m);
/* Show what the history lists now, which changed then (0: the first time), and
 * return it, owed a picture_put. */
struct picture *mount_show(struct mount *m, int64_t changed_ns);

/*
 * The node that child means in the virtual directory dir, entered: one kernel
 * look-up is counted.  NULL: no number left.
 */
struct node *mount_enter(struct mount *m, const struct picture *p,
	struct node *dir, const struct tree_child *child);

/* The FUSE node id of a node (and, for a slot, a node of its view). */
uint64_t mount_nodeid(const struct mount *m, const struct node *n, uint64_t at);
/* And back: the node with one more reference, or NULL. */
struct node *mount_node(struct mount *m, uint64_t nodeid, uint64_t *at);

#define auto_mount AUTO(mount_auto_)
static inline void
mount_auto_(struct mount **m)
{
	mount_free(*m);
}

#endif
