/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What all of a Litestream 0.3 replica's readers share: where it lies, what is
 * kept of it, and that nothing is worked out twice at one time.
 */
#ifndef YORE_FOREIGN_LITESTREAM03_REPLICA_H
#define YORE_FOREIGN_LITESTREAM03_REPLICA_H

#include "repo/foreign/litestream03/timeline.h"
#include "repo/foreign/place.h"

struct ls03_work;

/* Counted: views hold it. */
struct ls03 {
	_Atomic int refs;
	struct foreign_place *place;
	struct kept *kept;    /* the place's */
	char *prefix;	      /* of all names: "", or ends in '/' */
	char *name;	      /* what its source is called */
	pthread_mutex_t lock; /* a leaf; guards what follows */
	pthread_cond_t done;
	struct ls03_work *works; /* under way */
	char **without; /* generations that have no snapshot, and this was
			 * said; ends with NULL */
};

/* *r is given.  Asks the store for nothing. */
int ls03_new(struct foreign_place *place, const char *prefix, const char *name,
	struct ls03 **r, struct err *e);
struct ls03 *ls03_get(struct ls03 *r);
void ls03_put(struct ls03 *r); /* NULL is allowed */

/* The name of an object in the store; given. */
char *ls03_object_name(const struct ls03 *r, const char *generation,
	const struct ls03_object *o);
/* What something made of an object is kept as; given.  With its size and time,
 * so that it is never taken for that of a later object of this name. */
char *ls03_kept_name(
	const char *what, const char *object, const struct ls03_object *o);

/*
 * Work on an object alone: whoever begins another one of the same name waits
 * until the first has ended, and then looks whether anything is left to do.
 * -EINTR.  No lock is held meanwhile.
 */
struct ls03_work {
	struct ls03 *r;	  /* NULL: not begun */
	const char *name; /* borrowed */
	struct ls03_work *next;
};
int ls03_work_begin(
	struct ls03 *r, const char *name, struct ls03_work *w, struct err *e);
void ls03_work_end(struct ls03_work *w);

#define auto_ls03_work AUTO(ls03_work_end)

/* Make a sentence of what could not be decoded at the beginning of an object:
 * whether it is encrypted with age.  Returns the error's code. */
int ls03_explain(struct ls03 *r, const char *object, int code, struct err *e);

#endif
