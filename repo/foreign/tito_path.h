/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keys of a store as paths of files, and back: no two keys share a path.
 *
 * A key is cut at its first four colons: table:users:0001 is
 * table/users/0001.json.  In each part
 *	control characters, / % \ : * ? " < > | and a '.' at its beginning are
 *	written %XX, in two upper-case hexadecimal digits;
 *	nothing at all is written %.
 * A part of more than 240 bytes is cut into directories of at most 240 bytes
 * whose names end in %, and the rest.  The last name ends in .json; where
 * another one would, its last '.' is written %2E.
 */
#ifndef YORE_FOREIGN_TITO_PATH_H
#define YORE_FOREIGN_TITO_PATH_H

#include <stdbool.h>
#include "repo/base/buf.h"

#define TITO_KEY_MAX 10240 /* bytes, the most that tito's engine takes */
/* Between the parts of a path, so that byte order is that of a walk: no part
 * holds a control character. */
#define TITO_PATH_SEPARATOR '\1'

/* Append the path of a key of at most TITO_KEY_MAX bytes. */
void tito_path(const char *key, size_t len, struct buf *out);
/* Append the key of such a path; false: it is none. */
bool tito_path_key(const char *path, size_t len, struct buf *out);

#endif
