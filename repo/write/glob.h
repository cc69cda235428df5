/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Wildcard patterns as git matches them against paths: '*' and '?' and classes
 * never match '/', "**" between slashes matches any directories, backslash
 * takes the next byte literally.  Matching takes at most (bytes of the text) x
 * (bytes of the pattern) steps, whatever the pattern.
 */
#ifndef YORE_WRITE_GLOB_H
#define YORE_WRITE_GLOB_H

#include <stdbool.h>
#include <stddef.h>

struct glob;

/* Given; NULL when the pattern is malformed and so matches nothing. */
struct glob *glob_new(const char *pattern, size_t len);
void glob_free(struct glob *g);
/* Whether the whole of text matches.  From any thread. */
bool glob_match(const struct glob *g, const char *text, size_t len);

/* Bytes before the first that is special. */
size_t glob_literal_len(const char *pattern, size_t len);

#endif
