/* SPDX-License-Identifier: GPL-2.0-or-later */
/* yore prefetch, yore pin: bring what addresses name into the disk cache, so
 * that it can be read offline; pin also keeps it from being evicted. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/base/log.h"
#include "repo/cache/pins.h"
#include "tools/json.h"
#include "tools/keep.h"
#include "tools/print.h"
#include "tools/progress.h"

/* Places pinned under one lock of the cache. */
#define PIN_AT_ONCE 1000

enum { OPT_NAME = OPTION_OWN };

struct prefetch {
	struct options o;
	struct keep keep;
	struct keep_job job;
	const char *name; /* of the pin, or NULL: the address's */
	bool pins;
	uint64_t missing; /* bytes that the cache lacked at first */
};

/* -- Is there room? ----------------------------------------------------------
 */

/* What lacks has to fit beside what is pinned. */
static int
check_room(const struct prefetch *p, struct err *e)
{
	char needs[PRINT_MAX], limit[PRINT_MAX], pinned[PRINT_MAX];
	struct cache_status st;
	int r = cache_status(p->keep.cache, &st, e);

	if (r < 0)
		return r;
	if (places_bytes(&p->keep.places) <= st.limit &&
		p->missing + st.pinned <= st.limit)
		return 0;
	return err_set(e, ENOSPC,
		"it takes %s, the cache holds at most %s, %s of it pinned: see"
		" yore cache limit",
		print_size(needs, places_bytes(&p->keep.places)),
		print_size(limit, st.limit), print_size(pinned, st.pinned));
}

/* -- Pinning -----------------------------------------------------------------
 */

struct known {
	const char *name;
	bool found;
};

static void
look(void *ctx, const char *name, uint64_t wanted, uint64_t present)
{
	struct known *k = ctx;

	(void)wanted, (void)present;
	k->found |= name && strcmp(name, k->name) == 0;
}

static int
pin_all(struct keep *k, const struct places *stretches, const char *name,
	struct err *e)
{
	struct cache_place at[PIN_AT_ONCE];
	int r = 0;

	for (size_t i = 0; r == 0 && i < stretches->n;) {
		size_t n = 0;

		for (; n < PIN_AT_ONCE && i < stretches->n; i++, n++)
			at[n] = (struct cache_place){ stretches->at[i].object,
				stretches->at[i].off, stretches->at[i].len };
		r = pins_add(k->cache, k->keys, name, at, n, e);
	}
	return r;
}

/* What is pinned for the places that were gathered: as few as possible, and
 * whole objects as long as they are. */
static void
collect_stretches(const struct keep *k, struct places *stretches)
{
	for (size_t i = 0; i < k->places.n; i++) {
		struct view_place p = k->places.at[i];

		if (p.len == UINT64_MAX)
			p.len = keep_cached(k, &p);
		places_add(stretches, &p);
	}
	places_sort(stretches);
	places_join(stretches);
}

/* Pin what was gathered; a pin that there is no room for is given up again
 * unless it was there before. */
static int
pin(struct prefetch *p, const char *name, struct err *e)
{
	auto_places struct places stretches = PLACES_INIT;
	struct known known = { .name = name };
	struct keep *k = &p->keep;
	int r = pins_each(k->cache, k->keys, look, &known, e);

	collect_stretches(k, &stretches);
	if (r == 0)
		r = pin_all(k, &stretches, name, e);
	if (r == 0)
		r = check_room(p, e);
	if (r < 0 && !known.found)
		pins_remove(k->cache, k->keys, name, NULL);
	return r;
}

/* -- Bringing ----------------------------------------------------------------
 */

static void
failed(void *ctx, const struct err *e)
{
	struct prefetch *p = ctx;

	progress_clear();
	log_error("%s", e->text);
	p->keep.failed = true;
}

static void
sample(void *ctx, struct progress_state *s)
{
	const struct prefetch *p = ctx;

	s->files = p->keep.entries;
	s->bytes = p->job.done;
	s->total_files = p->keep.entries;
	s->total_bytes = places_bytes(&p->keep.places);
}

static int
bring(struct prefetch *p, struct err *e)
{
	struct progress_ticker ticker = { .sample = sample, .ctx = p };
	int r;

	p->job.at = p->keep.places.at;
	p->job.n = p->keep.places.n;
	p->job.failed = failed;
	p->job.ctx = p;
	progress_begin(!p->o.quiet && !p->o.json);
	progress_ticker_start(&ticker);
	r = keep_bring(p->keep.history, &p->job, e);
	progress_ticker_stop(&ticker);
	if (r == 0)
		r = cache_sync(p->keep.cache, e);
	return r;
}

/* What was brought and is not there was evicted again, or not kept. */
static int
check_kept(const struct prefetch *p, struct err *e)
{
	uint64_t lacks = keep_missing(&p->keep);
	char size[PRINT_MAX];

	if (lacks == 0 || p->keep.failed)
		return 0;
	return err_set(e, EIO, "%s of it could not be kept in the cache",
		print_size(size, lacks));
}

static void
report(const struct prefetch *p)
{
	uint64_t bytes = places_bytes(&p->keep.places);
	char entries[PRINT_MAX], size[PRINT_MAX], fetched[PRINT_MAX];

	if (p->o.json) {
		json_t *line = json_line("prefetch");

		json_u64(line, "entries", p->keep.entries);
		json_u64(line, "bytes", bytes);
		json_u64(line, "fetched_bytes", p->missing);
		json_print(line);
	} else if (!p->o.quiet) {
		printf("%s: %s in the cache, %s of it new\n",
			print_number(
				entries, p->keep.entries, "entry", "entries"),
			print_size(size, bytes),
			print_size(fetched, p->missing));
	}
}

/* -- The command line --------------------------------------------------------
 */

static int
parse(struct prefetch *p, const struct command *c)
{
	int opt;

	p->pins = strcmp(c->name, "pin") == 0;
	while ((opt = options_next(&p->o)) != -1)
		if (opt == OPT_NAME)
			p->name = optarg;
	return options_arguments(&p->o, 1, -1);
}

static int
gather(struct prefetch *p)
{
	int status = 0;

	for (int i = optind; status == 0 && i < p->o.argc; i++)
		status = keep_gather(&p->keep, p->o.argv[i], true);
	p->missing = keep_missing(&p->keep);
	return status;
}

static int
act(struct prefetch *p)
{
	struct err e = ERR_INIT;
	int r, status = keep_open(&p->keep, &p->o, false);

	if (status == 0)
		status = gather(p);
	if (status)
		return status;
	r = p->pins ? pin(p, p->name ? p->name : p->o.argv[optind], &e)
		    : check_room(p, &e);
	if (r == 0)
		r = bring(p, &e);
	if (r == 0)
		r = check_kept(p, &e);
	if (r < 0)
		return tool_fail(&e);
	report(p);
	return p->keep.failed ? STATUS_PARTLY : STATUS_DONE;
}

static int
run(const struct command *c, int argc, char **argv)
{
	static const struct option own[] = {
		{ "name", required_argument, NULL, OPT_NAME },
		{ NULL, 0, NULL, 0 },
	};
	struct prefetch p = { .keep = KEEP_INIT };
	bool pins = strcmp(c->name, "pin") == 0;
	int status;

	options_begin(&p.o, c, argc, argv, "", pins ? own : NULL);
	status = parse(&p, c);
	if (status == 0)
		status = act(&p);
	keep_release(&p.keep);
	return status;
}

const struct command command_prefetch = {
	.name = "prefetch",
	.synopsis = "[-r REPO] ADDRESS...",
	.summary = "Bring what addresses name into the disk cache",
	.help = "",
	.run = run,
};

const struct command command_pin = {
	.name = "pin",
	.synopsis = "[-r REPO] [--name NAME] ADDRESS...",
	.summary = "The same, and keep it there until it is unpinned",
	.help = "      --name NAME            of the pin; without it the first"
		" address\n",
	.run = run,
};
