/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How names, sizes, modes and times appear on standard output.  Names are any
 * bytes: what a terminal would interpret is escaped as \xNN unless raw output
 * was asked for.
 */
#ifndef YORE_TOOLS_PRINT_H
#define YORE_TOOLS_PRINT_H

#include <stdbool.h>
#include <stdio.h>
#include "repo/view.h"

/* A name and its end of line: escaped and newline, or raw and NUL. */
void print_name(const char *name, size_t len, bool raw);
void print_end(bool raw);
/* The name escaped, in memory that is given. */
char *print_escaped(const char *name, size_t len);

#define PRINT_MAX 64
/* 1 file, 2 files */
const char *print_number(char out[PRINT_MAX], uint64_t n, const char *thing,
	const char *things);
/* 512 B, 4.1 KiB, 1.2 GiB */
const char *print_size(char out[PRINT_MAX], uint64_t bytes);
/* drwxr-xr-x */
const char *print_mode(char out[PRINT_MAX], uint32_t mode);
/* 2026-11-20 10:32, local time */
const char *print_time(char out[PRINT_MAX], const struct timespec *t);
/* 3s, 4m05s, 2h07m */
const char *print_duration(char out[PRINT_MAX], int64_t ns);
/* file, directory, symlink, fifo, socket, char-device, block-device */
const char *print_type(uint32_t mode);
/* One line as `ls -l` prints it, without the name, with a final space. */
void print_long(const struct view_attr *a, bool human);

#endif
