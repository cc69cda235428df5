/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Manifests of alopex from hostile bytes: whatever decodes has paths in order,
 * once each, that leave no directory. */
#include <assert.h>
#include <string.h>
#include "repo/foreign/alopex_manifest.h"
#include "repo/foreign/listed.h"

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	auto_alopex_manifest struct alopex_manifest m = ALOPEX_MANIFEST_INIT;

	if (alopex_manifest_decode(in, len, &m, NULL))
		return 0;
	for (size_t i = 0; i < m.n; i++) {
		const char *path = m.entries[i].path;

		assert(listed_path_ok(path, strlen(path)));
		assert(*path != '/' && strncmp(path, "../", 3));
		assert(!strstr(path, "/../"));
		assert(i == 0 ||
			listed_compare_paths(m.entries[i - 1].path, path) < 0);
	}
	return 0;
}
