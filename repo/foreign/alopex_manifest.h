/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * snapshot.manifest of an alopex backup, from hostile bytes:
 *   {"version":1,"entries":[{"path":"a/b","size":1,"crc32":2},...]}
 */
#ifndef YORE_FOREIGN_ALOPEX_MANIFEST_H
#define YORE_FOREIGN_ALOPEX_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "repo/base/auto.h"
#include "repo/base/err.h"

#define ALOPEX_MANIFEST "snapshot.manifest"
#define ALOPEX_MANIFEST_MAX (64u << 20)

struct alopex_entry {
	char *path; /* listed_path_ok, not below a name .lifecycle */
	uint64_t size;
	uint32_t crc; /* CRC-32 of its content */
};

struct alopex_manifest {
	struct alopex_entry *entries; /* by path (listed_compare_paths), once */
	size_t n;
	/* Entries whose path is none that a backup could hold ("..", absolute,
	 * empty, with NUL): not among them. */
	size_t n_refused;
};

#define ALOPEX_MANIFEST_INIT            \
	{                               \
		.entries = NULL, .n = 0 \
	}

/* Whether a path is below a name, or is one, that is no part of a backup. */
bool alopex_manifest_skips(const char *path);

/* m is to be released, also when it fails.  -EUCLEAN. */
int alopex_manifest_decode(
	const void *data, size_t len, struct alopex_manifest *m, struct err *e);
void alopex_manifest_release(struct alopex_manifest *m);

#define auto_alopex_manifest AUTO(alopex_manifest_release)

#endif
