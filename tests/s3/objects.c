/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a store of others' objects tells:
 *   objects ADDRESS list [PREFIX [AFTER]]   seconds, size and name of each
 *   objects ADDRESS folder [PREFIX]         what lies directly in it
 *   objects ADDRESS metadata NAME KEY
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "repo/store/store.h"

static bool
print(void *ctx, const struct store_object *o)
{
	(void)ctx;
	if (o->modified_ns == STORE_TIME_UNKNOWN)
		printf("- %" PRIu64 " %s\n", o->size, o->name);
	else
		printf("%.3f %" PRIu64 " %s\n", (double)o->modified_ns / 1e9,
			o->size, o->name);
	return true;
}

static int
print_metadata(
	struct store *s, const char *name, const char *key, struct err *e)
{
	char value[200];
	int r = store_metadata(s, name, key, value, sizeof(value), e);

	if (r == 0)
		puts(value);
	return r;
}

int
main(int argc, char **argv)
{
	const char *a = argc > 3 ? argv[3] : "", *b = argc > 4 ? argv[4] : "";
	auto_store struct store *s = NULL;
	struct err e = ERR_INIT;
	int r;

	if (argc < 3)
		return 2;
	r = store_open_foreign(argv[1], &s, &e);
	if (r == 0 && strcmp(argv[2], "list") == 0)
		r = store_list_objects(s, a, b, print, NULL, &e);
	else if (r == 0 && strcmp(argv[2], "folder") == 0)
		r = store_list_folder(s, a, print, NULL, &e);
	else if (r == 0)
		r = print_metadata(s, a, b, &e);
	if (r < 0)
		fprintf(stderr, "%s\n", e.text);
	return r < 0;
}
