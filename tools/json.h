/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * JSON lines on standard output, one object a line (yore-json(5)).  Every
 * object has "type" first.  Names that are not UTF-8 appear escaped, with
 * their bytes in hexadecimal beside them.
 */
#ifndef YORE_TOOLS_JSON_H
#define YORE_TOOLS_JSON_H

#include "repo/base/jansson.h"
#include "repo/history.h"

json_t *json_line(const char *type);
/* Set key to a name of any bytes; adds KEY_hex where it is not UTF-8. */
void json_name(json_t *line, const char *key, const char *name, size_t len);
void json_text(json_t *line, const char *key, const char *text);
void json_u64(json_t *line, const char *key, uint64_t v);
void json_flag(json_t *line, const char *key, bool v);
/* Seconds and nanoseconds since 1970 as "2026-11-20T10:32:15.000000001Z". */
void json_time(json_t *line, const char *key, const struct timespec *t);
void json_time_ns(json_t *line, const char *key, int64_t t_ns);
/* file_type, mode, uid, gid, size, mtime, ctime, nlink, ino, rdev. */
void json_attr(json_t *line, const struct view_attr *a);
/* snapshot, id, time of a point, and the name of its source. */
void json_point(json_t *line, const struct history_listing *l,
	const struct history_point *p);
/* Print the line and free it. */
void json_print(json_t *line);

#endif
