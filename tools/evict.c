/* SPDX-License-Identifier: GPL-2.0-or-later */
/* yore evict, yore unpin: give back what the disk cache holds. */
#include <stdio.h>
#include <string.h>
#include "repo/cache/pins.h"
#include "tools/json.h"
#include "tools/keep.h"
#include "tools/print.h"

enum { OPT_EVICT = OPTION_OWN };

static void
report(const struct options *o, const char *type, uint64_t freed)
{
	char size[PRINT_MAX];

	if (o->json) {
		json_t *line = json_line(type);

		json_u64(line, "freed_bytes", freed);
		json_print(line);
	} else if (!o->quiet) {
		printf("%s freed\n", print_size(size, freed));
	}
}

/* -- evict -------------------------------------------------------------------
 */

static int
evict_places(struct keep *k, uint64_t *freed, struct err *e)
{
	int r = 0;

	places_join(&k->places);
	for (size_t i = 0; r == 0 && i < k->places.n; i++) {
		const struct view_place *p = &k->places.at[i];
		const struct cache_place at = { p->object, p->off, p->len };
		uint64_t some;

		r = cache_evict(k->cache, &at, &some, e);
		*freed += some;
	}
	return r;
}

static int
evict(struct keep *k, struct options *o)
{
	struct err e = ERR_INIT;
	uint64_t freed = 0;
	int status = keep_open(k, o, false);

	for (int i = optind; status == 0 && i < o->argc; i++)
		status = keep_gather(k, o->argv[i], false);
	if (status)
		return status;
	if (evict_places(k, &freed, &e) < 0)
		return tool_fail(&e);
	report(o, "evict", freed);
	return k->failed ? STATUS_PARTLY : STATUS_DONE;
}

static int
run_evict(const struct command *c, int argc, char **argv)
{
	auto_keep struct keep k = KEEP_INIT;
	struct options o;
	int status;

	options_begin(&o, c, argc, argv, "", NULL);
	while (options_next(&o) != -1)
		;
	status = options_arguments(&o, 1, -1);
	return status ? status : evict(&k, &o);
}

const struct command command_evict = {
	.name = "evict",
	.synopsis = "[-r REPO] ADDRESS...",
	.summary = "Take what addresses name out of the disk cache",
	.help = "",
	.run = run_evict,
};

/* -- unpin -------------------------------------------------------------------
 */

static int
unpin(struct keep *k, struct options *o, bool evicts)
{
	uint64_t freed = 0, some = 0;
	int status = keep_open(k, o, false);

	if (status)
		return status;
	for (int i = optind; i < o->argc; i++) {
		struct err e = ERR_INIT;
		int r = evicts ? pins_evict(k->cache, k->keys, o->argv[i],
					 &some, &e)
			       : pins_remove(k->cache, k->keys, o->argv[i], &e);

		freed += some;
		if (r < 0)
			status = tool_fail(&e);
	}
	if (status == 0 && evicts)
		report(o, "unpin", freed);
	return status;
}

static int
run_unpin(const struct command *c, int argc, char **argv)
{
	static const struct option own[] = {
		{ "evict", no_argument, NULL, OPT_EVICT },
		{ NULL, 0, NULL, 0 },
	};
	auto_keep struct keep k = KEEP_INIT;
	struct options o;
	bool evicts = false;
	int opt, status;

	options_begin(&o, c, argc, argv, "", own);
	while ((opt = options_next(&o)) != -1)
		evicts |= opt == OPT_EVICT;
	status = options_arguments(&o, 1, -1);
	return status ? status : unpin(&k, &o, evicts);
}

const struct command command_unpin = {
	.name = "unpin",
	.synopsis = "[-r REPO] [--evict] NAME...",
	.summary = "Give pins up: what they held may be evicted",
	.help = "      --evict                evict it now\n",
	.run = run_unpin,
};
