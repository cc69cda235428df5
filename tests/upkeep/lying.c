/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A check of a store whose listings lie in every way, below each folder in turn:
 *
 *   lying whole REPO   nothing may be said to be lost
 *   lying hurt REPO    it may not be said that nothing is wrong
 *
 * unless the check says that it is the listing that is wrong.  Prints what
 * happened otherwise, and how often the listing was found out.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/base/log.h"
#include "repo/upkeep/check.h"
#include "tests/unit/liar.h"

static const char *const prefixes[] = { "", "snap/", "data/", "meta/", "db/",
	"idx/", "cat/", "gc/" };

struct told {
	char text[400]; /* of the last finding that costs something */
	bool odd;	/* something but cat/ and idx/ is said to be wrong */
};

static void
found(void *ctx, const struct check_finding *f)
{
	struct told *t = ctx;

	if (f->what == CHECK_UNREFERENCED)
		return;
	if (f->cost == CHECK_LOST)
		snprintf(t->text, sizeof(t->text), "%s: %s", f->object,
			f->text);
	t->odd |= strncmp(f->object, "cat/", 4) && strncmp(f->object, "idx/", 4);
}

/* Whether the check did what it may not do. */
static bool
judge(const char *repo, bool whole, bool read_data, struct liar *liar,
	unsigned *out)
{
	auto_store struct store *inner = NULL;
	const struct history_open_options open = { .cache_dir = "" };
	struct told t = { .odd = false };
	const struct check_options o = { .names_max = 1,
		.read_data = read_data,
		.restart = true,
		.found = found,
		.ctx = &t };
	struct check_result res;
	struct err e = ERR_INIT;
	int r;

	if (store_open(repo, &inner, &e))
		return true;
	liar_init(liar, inner);
	r = check_run_on(&liar->store, &open, &o, &res, &e);
	if (r && !strstr(e.text, "listing is wrong") && !strstr(e.text, "keys/")) {
		printf("%s\n", e.text);
		return true;
	}
	*out += r != 0;
	if (r || (whole ? !res.lost && !t.odd : res.damaged + res.missing > 0))
		return false;
	printf("%" PRIu64 " lost; %s\n", res.lost, t.text);
	return true;
}

int
main(int argc, char **argv)
{
	static const char *const lies[] = { "nothing", "short", "sparse", "last",
		"twice", "swap", "empty", "small" };
	unsigned wrong = 0, out = 0;
	bool whole;

	log_set_level(LOG_LEVEL_ERROR);
	if (argc < 3)
		return 2;
	whole = strcmp(argv[1], "whole") == 0;
	for (unsigned i = 0; i < n_elements(prefixes); i++) {
		for (unsigned k = 0; k < 2 * LIES; k++) {
			struct liar liar = { .lie = k / 2,
				.prefix = prefixes[i] };

			/* content, where listings tell how much there is */
			if (k % 2 && !(whole && i > 1 && i < 5))
				continue;
			if (!judge(argv[2], whole, k % 2, &liar, &out))
				continue;
			printf("    %s below %s%s\n", lies[k / 2], prefixes[i],
				k % 2 ? ", all read" : "");
			wrong++;
		}
	}
	printf("the listing was found out %u times\n", out);
	return wrong || !out;
}
