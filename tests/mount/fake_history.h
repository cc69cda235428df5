/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A history that lies in memory, for counting what a mount asks and for
 * making it fail at will.  Three sources share one tree:
 *
 *   web1/etc, web1/home, web2/home    points 1 .. n, one an hour from
 *                                     2026-01-01T00:00:00Z; two generations;
 *                                     tags "even", and "a/b" on point 3
 *   NNN/fFFF      dirs directories of files files of size bytes
 *   big/          entries files
 *   kinds/        one of each kind of file, odd names, a hard link, a hole
 *   xattrs/       attributes and an ACL, when there are to be any
 *   broken/       `read` and `link` fail, `dir` lists 5 names and fails
 *   point         the number of the point
 *   pieces        is read in pieces of 1,000 bytes
 *
 * and, when there are to be moments, a database.
 */
#ifndef YORE_TESTS_FAKE_HISTORY_H
#define YORE_TESTS_FAKE_HISTORY_H

#include "repo/history.h"

struct fake_options {
	unsigned int points; /* of each source */
	unsigned int dirs;
	unsigned int files;
	unsigned int size;
	unsigned int big;
	bool xattrs;
	bool acls;
	bool acls_untold;    /* and listings do not say so */
	unsigned int moments; /* of a database (fake_moments.h); 0: none */
	const char *database; /* control of that, or NULL */
	const char *control; /* file with "first last [fail]", which points
			      * there are, read at every refresh; or NULL */
};

struct history *fake_history_new(const struct fake_options *o);

#endif
