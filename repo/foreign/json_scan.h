/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Skipping JSON values, for json.c: no more is known of them than their end. */
#ifndef YORE_FOREIGN_JSON_SCAN_H
#define YORE_FOREIGN_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_scan {
	const char *p;
	const char *end;
	bool more; /* bytes may follow the end */
};

/* CUT: it may be right, but the end came first; begin it again with more. */
enum json_scanned { JSON_OK, JSON_CUT, JSON_BAD };

void json_scan_space(struct json_scan *c);
/* Step over the next byte if it is one of any. */
bool json_scan_char(struct json_scan *c, const char *any);
/* One value, with space before it. */
enum json_scanned json_scan_value(struct json_scan *c);
/* \uXXXX, or the two that make a surrogate pair; p stands on the u.  Returns
 * how many bytes that is, 0 when it is cut off, -1 when it is none. */
int json_scan_unicode(const char *p, size_t left, uint32_t *code);

#endif
