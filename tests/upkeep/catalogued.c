/* SPDX-License-Identifier: GPL-2.0-or-later */
/* catalogued REPOSITORY: print the ids of the records that the catalogs which
 * count name, sorted. */
#include <stdio.h>
#include <string.h>
#include "repo/base/hex.h"
#include "repo/native/id_set.h"
#include "repo/native/newest.h"

static int
fail(const struct err *e)
{
	fprintf(stderr, "catalogued: %s\n", e->text);
	return 1;
}

int
main(int argc, char **argv)
{
	struct history_open_options o = { .cache_dir = "" };
	auto_repository struct repository *rp = NULL;
	auto_id_set struct id_set ids = { .n = 0 };
	char hex[OBJECT_ID_LEN * 2 + 1];
	struct newest nw;
	struct err e = ERR_INIT;

	if (argc != 2 || repository_open(argv[1], &o, &rp, &e) ||
		newest_list(rp->store, &nw, &e))
		return fail(&e);
	for (unsigned i = 0; i < nw.n; i++) {
		struct catalog c;

		if (newest_load(rp, nw.names[i], &c, &e))
			return fail(&e);
		for (size_t k = 0; k < c.n; k++)
			id_set_add(&ids, c.records[k].id);
		catalog_release(&c);
	}
	id_set_sort(&ids);
	for (size_t i = 0; i < ids.n; i++)
		puts(hex_encode(hex, ids.ids[i], OBJECT_ID_LEN));
	return 0;
}
