/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How two entries of the same name differ. */
#ifndef YORE_TOOLS_COMPARE_H
#define YORE_TOOLS_COMPARE_H

#include "repo/view.h"

enum compare_bit {
	COMPARE_TYPE = 1 << 0,
	COMPARE_SIZE = 1 << 1,
	COMPARE_MTIME = 1 << 2,
	COMPARE_MODE = 1 << 3,
	COMPARE_OWNER = 1 << 4,
	COMPARE_DEVICE = 1 << 5,
	COMPARE_TARGET = 1 << 6,
	COMPARE_XATTRS = 1 << 7,
	COMPARE_CONTENT = 1 << 8,
};
#define COMPARE_BITS 9

/* The word for a bit, as diff and its JSON print it. */
extern const char *const compare_words[COMPARE_BITS];

/*
 * The bits in which they differ, or -errno.  Size and mtime of directories do
 * not count.  With content, files of one size are read and compared.
 */
int compare_entries(struct view *a, const struct view_attr *attr_a,
	struct view *b, const struct view_attr *attr_b, bool content,
	struct err *e);

#endif
