/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who walks a tree for its names only, as find(1) does, and who looks at what
 * he finds, as ls -l or tar?  For the latter READDIRPLUS brings attributes
 * with the names, which saves a LOOKUP each; for the former it makes the
 * kernel set up an inode for every file that nobody asks for, several times
 * the cost of the listing itself.
 *
 * The kernel does not tell them apart, and does not tell that attributes it
 * has are used.  So when directories are listed one after the other and no
 * file is touched meanwhile, a few files of one directory are listed without
 * attributes: whoever wants them must look them up.  When nobody has after
 * some more directories, files come without attributes from then on, until
 * the first look-up of one.  Then the directories that the kernel remembers
 * without attributes are taken out of its cache, so that the next reader gets
 * them whole.
 *
 * Directories always come with attributes: a walk needs them.
 */
#ifndef YORE_FS_NAMES_H
#define YORE_FS_NAMES_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct call;

/* Directories in a row, of which the next is no later than this, before some
 * files are listed by name only; how many files; and for how many directories
 * nobody must ask for them. */
#define NAMES_ROW 8
#define NAMES_GAP_NS 250000000
#define NAMES_PROBE 24
#define NAMES_PROOF 4
/* Directories remembered that are cached without attributes. */
#define NAMES_BARE 16384

struct names {
	/* Directories listed in a row without a file being touched. */
	_Atomic uint32_t row;
	_Atomic uint32_t n_bare; /* ever remembered since the last clearing */

	pthread_mutex_t lock; /* a leaf; guards what follows */
	int64_t last_ns;
	uint32_t needed;  /* row that makes the next probe due */
	uint32_t passed;  /* directories since the probe; 0: none is under way */
	bool names_only;
	uint64_t *bare;   /* node ids, a ring; NULL before the first */
};

void names_init(struct names *n);
void names_release(struct names *n);

/*
 * A directory of a tree is listed from its beginning: how many of its files
 * (first ones first) to list by name only.
 */
uint32_t names_list(struct call *c);
/* The rest of a directory. */
uint32_t names_list_on(struct call *c);
/* Some files of c's directory were listed so. */
void names_listed_bare(struct call *c);

/* A file was looked up by name; to be called after the answer. */
void names_looked_up(struct call *c);

/* A file was read or asked for more than its name. */
static inline void
names_touched(struct names *n)
{
	n->row = 0;
}

#endif
