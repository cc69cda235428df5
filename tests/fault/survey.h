/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A survey is what a view says of each of its paths, short enough to keep:
 * a hash of attributes, extended attributes, content.  A path that could not
 * be read in whole has its error instead.
 */
#ifndef YORE_TESTS_SURVEY_H
#define YORE_TESTS_SURVEY_H

#include "repo/crypto/id.h"
#include "repo/history.h"

struct survey_item {
	char *path; /* begins with '/'; the root is "/" */
	uint8_t hash[HASH_LEN];
	int error;     /* -errno of the first thing that failed, or 0 */
	char *why;     /* its sentence */
	bool unlisted; /* some entries of this directory may be missing */
};

struct survey {
	struct survey_item *items; /* by path, in byte order, when done */
	size_t n;
	unsigned errors;
};

void survey_take(struct survey *s, struct view *v);
void survey_release(struct survey *s);

#define SURVEY_WRONG_MAX 600

/*
 * Compare with what is right: false, and wrong says what, where something is
 * said that is not so, is missing although the directory it lies in had no
 * error, or failed with another error than EIO, EBADMSG, EUCLEAN.
 */
bool survey_same(const struct survey *right, const struct survey *s,
	char *wrong);

/* One point of a history, by its seq.  0, or the error of opening it. */
int survey_point(struct survey *s, struct history *h, uint64_t seq,
	struct err *e);

#define auto_survey AUTO(survey_release)

#endif
