/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Extended attributes of a view's node, whatever lengths the view tells. */
#ifndef YORE_TOOLS_XATTR_H
#define YORE_TOOLS_XATTR_H

#include "repo/base/buf.h"
#include "repo/view.h"

#define XATTR_MAX (1u << 20) /* bytes of all names, or of one value */

/* Replace out by the names, each terminated; empty where the file system knows
 * no attributes.  -EUCLEAN when they exceed XATTR_MAX or lack their end. */
int xattr_names(struct view *v, uint64_t node, struct buf *out, struct err *e);
/* The name at *at, which moves on; NULL at the end.  Begin with 0. */
const char *xattr_next(const struct buf *names, size_t *at);
/* Replace out by the value.  -ENODATA no such attribute, -EUCLEAN too long. */
int xattr_value(struct view *v, uint64_t node, const char *name,
	struct buf *out, struct err *e);

#endif
