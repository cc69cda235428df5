/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A quick count of a directory tree beside a first backup, which has no
 * snapshot before it to estimate from.  Only for progress: what it cannot read
 * it passes over.
 */
#ifndef YORE_TOOLS_COUNT_H
#define YORE_TOOLS_COUNT_H

#include <stdbool.h>
#include <stdint.h>

struct count;

/* Begin to count below path in a thread of its own; NULL when it cannot. */
struct count *count_start(const char *path, bool one_file_system);
/* Whether the count is complete, and then what there is. */
bool count_done(const struct count *c, uint64_t *files, uint64_t *bytes);
/* Stop and free; NULL is allowed. */
void count_stop(struct count *c);

#endif
