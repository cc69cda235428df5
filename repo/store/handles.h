/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Descriptors of recently read objects, at most 64 of them kept open, each
 * with a second descriptor where content is read past the page cache.  A
 * handle that is in use outlives its place in the table.  Thread-safe; the lock
 * is held for a table look-up only, never while a file is opened or read.
 */
#ifndef YORE_STORE_HANDLES_H
#define YORE_STORE_HANDLES_H

#include "repo/base/auto.h"
#include "repo/base/err.h"

struct handles;

struct handle {
	int fd;
	_Atomic int direct; /* the same with O_DIRECT, or HANDLE_... */
};

#define HANDLE_UNTRIED -1
#define HANDLE_NOT_DIRECT -2 /* the filesystem cannot */

/* Handles for files below the directory root (borrowed). */
struct handles *handles_new(int root);
void handles_free(struct handles *t);

/* Open name or take it from the table; give it back with handle_put.
 * Errors as beneath_open_file. */
int handle_get(struct handles *t, const char *name, struct handle **h,
	struct err *e);
/* The same without the table: the file that has the name now. */
int handle_open(
	struct handles *t, const char *name, struct handle **h, struct err *e);
/* The descriptor with O_DIRECT, of the handle, or -1 when there is none. */
int handle_direct(struct handles *t, struct handle *h);
void handle_put(struct handle *h);

#define auto_handle AUTO(handle_auto_)
static inline void
handle_auto_(struct handle **h)
{
	if (*h)
		handle_put(*h);
}

#endif
