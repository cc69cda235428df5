/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * accepts page|record|gc FILE...: for each file 1 or 0, whether repo/format
 * takes its bytes for a page, a snapshot record or a state of pruning.
 */
#include <stdio.h>
#include <string.h>
#include "repo/format/gc.h"
#include "repo/format/record.h"

#define LEN_MAX (1u << 20)

static bool
is_page(const uint8_t *data, size_t len)
{
	struct page *p = NULL;
	bool ok = page_decode(data, len, &p, NULL) == 0;

	page_free(p);
	return ok;
}

static bool
is_record(const uint8_t *data, size_t len)
{
	struct record r;

	if (record_decode(data, len, &r, NULL))
		return false;
	record_release(&r);
	return true;
}

static bool
is_state(const uint8_t *data, size_t len)
{
	struct gc_state s;

	if (gc_state_decode(data, len, &s, NULL))
		return false;
	gc_state_release(&s);
	return true;
}

static bool
is(const char *kind, const uint8_t *data, size_t len)
{
	if (strcmp(kind, "page") == 0)
		return is_page(data, len);
	return strcmp(kind, "gc") == 0 ? is_state(data, len)
				       : is_record(data, len);
}

int
main(int argc, char **argv)
{
	static uint8_t data[LEN_MAX];

	for (int i = 2; i < argc; i++) {
		FILE *f = fopen(argv[i], "r");
		size_t len;

		if (!f) {
			perror(argv[i]);
			return 1;
		}
		len = fread(data, 1, sizeof(data), f);
		fclose(f);
		puts(is(argv[1], data, len) ? "1" : "0");
	}
	return 0;
}
