/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A view that says whatever a test wants, also what no decoder would let
 * through. */
#ifndef YORE_TESTS_HOSTILE_VIEW_H
#define YORE_TESTS_HOSTILE_VIEW_H

#include "repo/view.h"

/* Entry i of the table is node i + 1; its parent is a node. */
struct hostile_entry {
	uint64_t parent;
	const char *name;
	size_t name_len; /* 0: strlen(name) */
	uint32_t mode;
	const char *content; /* also a symlink's target */
	uint64_t size;	     /* 0: strlen(content) */
	uint64_t ino;	     /* with nlink > 1 */
	uint32_t nlink;
	uint64_t list_as; /* directories: show this node's entries instead */
	void (*before_read)(void); /* called before content is given */
	const char *xattr;	   /* its name; the value is "value" */
};

/* Borrows the table. */
struct view *hostile_view(const struct hostile_entry *entries, size_t n);

#endif
