/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A file's content out of a view: to a descriptor, or against another. */
#ifndef YORE_TOOLS_CONTENT_H
#define YORE_TOOLS_CONTENT_H

#include "repo/view.h"

#define CONTENT_STEP (4u << 20) /* bytes asked of a view at a time */

/* Write all of it to a pipe, terminal or file at its position. */
int content_write(
	struct view *v, const struct view_attr *a, int fd, struct err *e);
/* Write the bytes [off, off + len) to the same place in a file. */
int content_write_range(struct view *v, uint64_t node, uint64_t off,
	uint64_t len, int fd, struct err *e);
/* Whether two files have the same bytes: 1, 0 or -errno. */
int content_equal(struct view *a, const struct view_attr *attr_a,
	struct view *b, const struct view_attr *attr_b, struct err *e);
/* Whether a file (size a->size) and a descriptor have the same bytes. */
int content_equal_fd(
	struct view *v, const struct view_attr *a, int fd, struct err *e);

#endif
