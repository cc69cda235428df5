/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shared libraries that are loaded when they are needed: a program that is
 * linked with them waits for the disk before its main(), for what most of its
 * runs never use.  What uses one lists its functions, has library_load called
 * first, and finds them in a table of pointers:
 *
 *	#define FUNCTIONS(F) F(inflate) F(inflateEnd)
 *	LIBRARY(zlib, ZLIB_LIBRARY, FUNCTIONS);
 *
 *	r = library_load(&zlib_library, e);
 *	...
 *	zlib.inflate(&stream, Z_NO_FLUSH);
 *
 * Where nothing goes on without it, a function gives the table and calls
 * library_need, and macros call that (repo/base/zstd.h).
 */
#ifndef YORE_BASE_LIBRARY_H
#define YORE_BASE_LIBRARY_H

#include <stdbool.h>
#include "repo/base/err.h"

struct library {
	const char *file;	  /* as who is linked with it says: libz.so.1 */
	const char *const *names; /* of its functions, up to NULL */
	void **table;		  /* as many pointers */
	bool loaded;
};

/* Load it, once a process; from any thread.  -ELIBACC it is not there, or too
 * old. */
int library_load(struct library *l, struct err *e);
/* The same for what nothing goes on without: says so and ends the process. */
void library_need(struct library *l);

#define LIBRARY_POINTER(name) __typeof__(name) *name;
#define LIBRARY_NAME(name) #name,

/* The struct library of TABLE, a struct of nothing but such pointers. */
#define LIBRARY_OF(TABLE, FILE, FUNCTIONS)                               \
	{                                                                \
		.file = (FILE),                                          \
		.names = (const char *const[]){ FUNCTIONS(LIBRARY_NAME)  \
						NULL },                  \
		.table = (void **)&(TABLE),                              \
	}

/* For one file: the table NAME and the struct library NAME_library. */
#define LIBRARY(NAME, FILE, FUNCTIONS)                                   \
	static struct {                                                  \
		FUNCTIONS(LIBRARY_POINTER)                               \
	} NAME;                                                          \
	static struct library NAME##_library =                           \
		LIBRARY_OF(NAME, FILE, FUNCTIONS)

#endif
