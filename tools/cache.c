/* SPDX-License-Identifier: GPL-2.0-or-later */
/* yore cache: what the disk cache holds, how much it may, and emptying it. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "repo/base/buf.h"
#include "repo/cache/pins.h"
#include "tools/json.h"
#include "tools/keep.h"
#include "tools/parse.h"
#include "tools/print.h"

enum { OPT_MIN_FREE = OPTION_OWN, OPT_PINS };

static const struct option own[] = {
	{ "min-free", required_argument, NULL, OPT_MIN_FREE },
	{ "pins", no_argument, NULL, OPT_PINS },
	{ 0 },
};

struct cache_command {
	struct options o;
	char *dir;
	uint64_t limit;
	uint64_t min_free;
	bool pins;
};

/* -- What each does ------------------------------------------------------ */

static void
print_json(const char *dir, const struct cache_status *st)
{
	json_t *line = json_line("cache");

	json_name(line, "directory", dir, strlen(dir));
	json_u64(line, "bytes", st->bytes);
	json_u64(line, "limit", st->limit);
	json_u64(line, "pinned", st->pinned);
	json_u64(line, "min_free", st->min_free);
	json_u64(line, "disk_free", st->disk_free);
	json_u64(line, "repositories", st->repositories);
	json_u64(line, "objects", st->objects);
	json_u64(line, "pins", st->n_pins);
	json_u64(line, "hits", st->hits);
	json_u64(line, "misses", st->misses);
	json_print(line);
}

static void
print_text(const char *dir, const struct cache_status *st)
{
	char a[PRINT_MAX], b[PRINT_MAX], c[PRINT_MAX], d[PRINT_MAX];

	printf("directory  ");
	print_name(dir, strlen(dir), false);
	printf("\nused       %s of %s, %s pinned by %s\n",
		print_size(a, st->bytes), print_size(b, st->limit),
		print_size(c, st->pinned),
		print_number(d, st->n_pins, "pin", "pins"));
	printf("disk       %s free, %s stay free\n",
		print_size(a, st->disk_free), print_size(b, st->min_free));
	printf("content    %s of %s\n",
		print_number(a, st->objects, "object", "objects"),
		print_number(
			b, st->repositories, "repository", "repositories"));
	printf("reads      %s, %s\n", print_number(a, st->hits, "hit", "hits"),
		print_number(b, st->misses, "miss", "misses"));
}

static int
show(struct cache_command *cc, struct cache *c, struct err *e)
{
	struct cache_status st;
	int r = cache_status(c, &st, e);

	if (r == 0)
		(cc->o.json ? print_json : print_text)(cc->dir, &st);
	return r;
}

static void
print_pin(void *ctx, const char *name, uint64_t wanted, uint64_t present)
{
	const struct cache_command *cc = ctx;
	char size[PRINT_MAX], there[PRINT_MAX];
	json_t *line;

	if (!name)
		name = "?";
	if (cc->o.json) {
		line = json_line("pin");
		json_name(line, "name", name, strlen(name));
		json_u64(line, "bytes", wanted);
		json_u64(line, "cached_bytes", present);
		json_print(line);
		return;
	}
	printf("pin        ");
	print_name(name, strlen(name), false);
	printf(", %s of %s there\n", print_size(there, present),
		print_size(size, wanted));
}

/* The pins of one repository, whose key their names take. */
static int
show_pins(struct cache_command *cc)
{
	auto_keep struct keep k = KEEP_INIT;
	struct err e = ERR_INIT;
	int status = keep_open(&k, &cc->o, false);

	if (status)
		return status;
	return pins_each(k.cache, k.keys, print_pin, cc, &e) < 0 ? tool_fail(&e)
								 : STATUS_DONE;
}

static int
limit(struct cache_command *cc, struct cache *c, struct err *e)
{
	return cache_set_limit(c, cc->limit, cc->min_free, e);
}

static int
clear(struct cache_command *cc, struct cache *c, struct err *e)
{
	return cache_clear(c, cc->pins, e);
}

/* -- The command line ---------------------------------------------------- */

static const struct action {
	const char *name;
	int arguments; /* behind it */
	int (*run)(struct cache_command *cc, struct cache *c, struct err *e);
} actions[] = {
	{ "status", 0, show },
	{ "limit", 1, limit },
	{ "clear", 0, clear },
};

static const struct action *
find_action(const char *name)
{
	for (size_t i = 0; i < n_elements(actions); i++)
		if (strcmp(actions[i].name, name) == 0)
			return &actions[i];
	return NULL;
}

/* 0, or a status. */
static int
parse_options(struct cache_command *cc)
{
	int opt;

	while ((opt = options_next(&cc->o)) != -1) {
		switch (opt) {
		case OPT_MIN_FREE:
			if (parse_size(optarg, &cc->min_free) < 0)
				return tool_usage(
					"--min-free %s: not a size", optarg);
			break;
		case OPT_PINS:
			cc->pins = true;
		}
	}
	cc->dir = cc->o.cache_dir ? xstrdup(cc->o.cache_dir)
				  : cache_default_dir();
	return 0;
}

static int
parse_action(struct cache_command *cc, const struct action **a)
{
	int status = options_arguments(&cc->o, 1, 2);

	if (status)
		return status;
	*a = find_action(cc->o.argv[optind]);
	if (!*a)
		return tool_usage("cache %s: it is one of status, limit, clear",
			cc->o.argv[optind]);
	if (cc->o.repo && (*a)->run != show)
		return tool_usage("the cache is one for all repositories:"
				  " no -r here");
	status = options_arguments(
		&cc->o, 1 + (*a)->arguments, 1 + (*a)->arguments);
	if (status || (*a)->arguments == 0)
		return status;
	if (parse_size(cc->o.argv[optind + 1], &cc->limit) < 0)
		return tool_usage("%s: not a size", cc->o.argv[optind + 1]);
	return 0;
}

static int
act(struct cache_command *cc, const struct action *a)
{
	static const struct cache_status nothing = {
		.limit = CACHE_LIMIT_DEFAULT
	};
	static const struct cache_options all;
	auto_cache struct cache *c = NULL;
	struct err e = ERR_INIT;
	struct stat st;

	/* looking at a cache does not make one */
	if (a->run == show && stat(cc->dir, &st) < 0) {
		(cc->o.json ? print_json : print_text)(cc->dir, &nothing);
		return STATUS_DONE;
	}
	if (cache_open(cc->dir, &all, &c, &e) < 0 || a->run(cc, c, &e) < 0)
		return tool_fail(&e);
	cache_close(steal(c));
	return cc->o.repo ? show_pins(cc) : STATUS_DONE;
}

static int
run(const struct command *c, int argc, char **argv)
{
	struct cache_command cc = { .limit = UINT64_MAX,
		.min_free = UINT64_MAX };
	const struct action *a = NULL;
	int status;

	options_begin(&cc.o, c, argc, argv, "", own);
	status = parse_options(&cc);
	if (!status)
		status = parse_action(&cc, &a);
	if (!status && (!cc.dir || !*cc.dir))
		status = tool_usage("no directory for the cache: give"
				    " --cache-dir or set HOME");
	if (!status)
		status = act(&cc, a);
	free(cc.dir);
	return status;
}

const struct command command_cache = {
	.name = "cache",
	.synopsis = "status [-r REPO] | limit SIZE | clear",
	.summary = "Show, limit or empty the disk cache of remote repositories",
	.help = "  -r, --repository REPO      status: its pins by name\n"
		"      --min-free SIZE        limit: what stays free on its "
		"file"
		" system\n"
		"      --pins                 clear: pins, too, and what they"
		" hold\n",
	.run = run,
};
