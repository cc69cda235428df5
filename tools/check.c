/* SPDX-License-Identifier: GPL-2.0-or-later */
/* yore check: whether a repository is whole. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "repo/base/clock.h"
#include "repo/base/log.h"
#include "repo/upkeep/check.h"
#include "tools/json.h"
#include "tools/options.h"
#include "tools/parse.h"
#include "tools/print.h"
#include "tools/progress.h"

#define NAMES_MAX 10

/* Beside those that all commands have. */
enum {
	STATUS_LOST = STATUS_PARTLY, /* something cannot be read */
	STATUS_DAMAGED = 4,	     /* all can be read, objects are damaged */
	STATUS_MISSING = 5,	     /* likewise, objects are missing */
	STATUS_BOTH = 6,
};

enum {
	OPT_READ_DATA = OPTION_OWN,
	OPT_SUBSET,
	OPT_BUDGET,
	OPT_RESTART,
	OPT_NO_MARK,
	OPT_FILES,
};

struct check_command {
	struct options o;
	struct check_options check;
	struct check_result result;
	struct progress_state progress; /* of the phase, */
	char phase[24];			/* and which */
};

/* -- What is printed
 * ------------------------------------------------------------ */

static const char *
what_name(enum check_what what)
{
	static const char *const names[] = { "damaged", "missing",
		"unreferenced" };

	return names[what];
}

static const char *
part_name(enum check_part part)
{
	static const char *const names[] = { "content", "xattrs", "entries",
		"snapshot", "points" };

	return names[part];
}

static void
print_touched(const struct check_touched *t)
{
	printf(t->forgotten ? "  of a forgotten snapshot: " : "  lost: ");
	print_name(t->snapshot, strlen(t->snapshot), false);
	if (t->part == CHECK_POINTS) {
		printf(": points %" PRIu64 " to %" PRIu64, t->first, t->last);
	} else if (t->part != CHECK_SNAPSHOT) {
		putchar(':');
		print_name(t->path, strlen(t->path), false);
		if (t->part != CHECK_CONTENT)
			printf(" (%s)", part_name(t->part));
	}
	putchar('\n');
}

static void
json_touched(const struct check_finding *f, const struct check_touched *t)
{
	json_t *line = json_line("touched");

	json_text(line, "object", f->object);
	json_u64(line, "offset", f->off);
	json_text(line, "part", part_name(t->part));
	json_name(line, "snapshot", t->snapshot, strlen(t->snapshot));
	json_text(line, "id", t->id);
	json_flag(line, "forgotten", t->forgotten);
	if (t->path)
		json_name(line, "path", t->path, strlen(t->path));
	if (t->part == CHECK_POINTS) {
		json_u64(line, "first", t->first);
		json_u64(line, "last", t->last);
	}
	json_print(line);
}

static void
json_finding(const struct check_finding *f)
{
	json_t *line = json_line("finding");

	json_text(line, "what", what_name(f->what));
	json_text(line, "object", f->object);
	json_u64(line, "offset", f->off);
	json_u64(line, "length", f->len);
	json_flag(line, "lost", f->cost == CHECK_LOST);
	json_flag(line, "forgotten", f->cost == CHECK_FORGOTTEN);
	json_flag(line, "known", f->known);
	json_u64(line, "touches", f->n_all);
	json_text(line, "text", f->text);
	json_print(line);
	for (size_t i = 0; i < f->n_touched; i++)
		json_touched(f, &f->touched[i]);
}

static void
print_finding(const struct check_finding *f)
{
	printf("%s%s: %s", f->known && f->cost < CHECK_FORGOTTEN ? "known, " : "",
		what_name(f->what), f->object);
	if (f->len)
		printf(", %" PRIu64 " bytes at %" PRIu64, f->len, f->off);
	printf(": ");
	print_name(f->text, strlen(f->text), false);
	printf("%s\n", f->cost == CHECK_LOST	      ? ""
			: f->cost == CHECK_FORGOTTEN
			? "; everything but what was forgotten can be read"
			: "; everything can be read");
	for (size_t i = 0; i < f->n_touched; i++)
		print_touched(&f->touched[i]);
	if (f->n_all > f->n_touched)
		printf("  and %" PRIu64 " more\n",
			f->n_all - f->n_touched);
}

static void
found(void *ctx, const struct check_finding *f)
{
	struct check_command *cc = ctx;
	bool quiet = f->what == CHECK_UNREFERENCED ||
		     (f->known && f->cost < CHECK_FORGOTTEN);

	progress_clear();
	if (cc->o.json)
		json_finding(f);
	else if (!quiet || cc->o.verbose)
		print_finding(f);
}

static void
show(void *ctx, const struct check_progress *p)
{
	struct check_command *cc = ctx;

	if (strcmp(cc->phase, p->phase) != 0) {
		snprintf(cc->phase, sizeof(cc->phase), "%s", p->phase);
		progress_begin(!cc->o.quiet && !cc->o.json);
	}
	if (strcmp(p->phase, "data") == 0)
		cc->progress = (struct progress_state){ .bytes = p->done,
			.total_bytes = p->total };
	else
		cc->progress = (struct progress_state){ .files = p->done,
			.total_files = p->total };
	progress_show(&cc->progress);
}

/* -- The end of it
 * --------------------------------------------------------------- */

static void
json_summary(const struct check_result *r)
{
	json_t *line = json_line("check");

	json_u64(line, "snapshots", r->snapshots);
	json_u64(line, "databases", r->databases);
	json_u64(line, "points", r->points);
	json_u64(line, "forgotten", r->forgotten);
	json_u64(line, "packs", r->packs);
	json_u64(line, "pack_bytes", r->pack_bytes);
	json_u64(line, "pages", r->pages);
	json_u64(line, "references", r->chunks);
	json_u64(line, "index_entries", r->index_entries);
	json_u64(line, "unreferenced", r->unreferenced);
	json_u64(line, "unreferenced_bytes", r->unreferenced_bytes);
	json_u64(line, "damaged", r->damaged);
	json_u64(line, "missing", r->missing);
	json_u64(line, "lost", r->lost);
	json_u64(line, "known", r->known);
	json_u64(line, "marked", r->marked);
	json_u64(line, "unmarked", r->unmarked);
	json_u64(line, "read_bytes", r->read_bytes);
	json_u64(line, "proven_points", r->proven);
	json_object_set_new(line, "share", json_real(r->share));
	if (r->since_ns)
		json_time_ns(line, "since", r->since_ns);
	if (r->before_ns)
		json_time_ns(line, "before", r->before_ns);
	json_print(line);
}

static void
print_share(const struct check_result *r)
{
	char size[PRINT_MAX], since[HISTORY_TIME_MAX + 1];

	history_print_time(since, r->since_ns);
	printf("%s of data read; %.1f %% of all has been verified since %s",
		print_size(size, r->read_bytes), (double)(int)(r->share * 1000) / 10,
		since);
	if (r->before_ns && r->share < 1) {
		history_print_time(since, r->before_ns);
		printf(", the rest since %s", since);
	}
	putchar('\n');
}

static void
print_summary(const struct check_result *r)
{
	char n[PRINT_MAX], m[PRINT_MAX], size[PRINT_MAX];

	printf("%s, %s of %s",
		print_number(n, r->snapshots, "snapshot", "snapshots"),
		print_number(m, r->packs, "pack", "packs"),
		print_size(size, r->pack_bytes));
	if (r->points)
		printf(", %s", print_number(n, r->points, "point", "points"));
	if (r->forgotten)
		printf(", %s forgotten", print_number(n, r->forgotten,
			"snapshot", "snapshots"));
	if (r->unreferenced)
		printf("; %s of %s unreferenced",
			print_number(n, r->unreferenced, "pack", "packs"),
			print_size(size, r->unreferenced_bytes));
	putchar('\n');
	if (r->since_ns)
		print_share(r);
	if (r->known)
		printf("%s from before, healed since\n",
			print_number(n, r->known, "fault", "faults"));
	if (r->marked)
		printf("%s marked: the next backup brings what it still has\n",
			print_number(n, r->marked, "frame", "frames"));
	if (r->truncated)
		printf("there is more that is not told\n");
	if (!r->damaged && !r->missing)
		printf("nothing is wrong\n");
	else
		printf("%" PRIu64 " damaged, %" PRIu64 " missing; %s\n",
			r->damaged, r->missing,
			r->lost ? "not everything can be read"
				: "everything can be read");
}

static int
status_of(const struct check_result *r)
{
	if (r->lost)
		return STATUS_LOST;
	if (r->damaged && r->missing)
		return STATUS_BOTH;
	return r->damaged   ? STATUS_DAMAGED
	       : r->missing ? STATUS_MISSING
			    : STATUS_DONE;
}

/* -- The command line
 * --------------------------------------------------------------- */

/* N% or SIZE. */
static int
parse_subset(struct check_command *cc, const char *arg)
{
	char *end;
	double share = strtod(arg, &end);

	cc->check.read_data = true;
	if (end != arg && strcmp(end, "%") == 0) {
		if (!(share > 0 && share <= 100))
			return tool_usage("%s: not a share", arg);
		cc->check.subset_share = share / 100;
		return 0;
	}
	if (parse_size(arg, &cc->check.subset_bytes) || !cc->check.subset_bytes)
		return tool_usage(
			"%s: neither a share as 5%% nor a size as 10G", arg);
	return 0;
}

static int
option(struct check_command *cc, int opt)
{
	uint64_t n;

	switch (opt) {
	case OPT_READ_DATA:
		cc->check.read_data = true;
		return 0;
	case OPT_SUBSET:
		return parse_subset(cc, optarg);
	case OPT_BUDGET:
		cc->check.read_data = true;
		return options_duration("--time-budget",
			"a length of time, such as 30m", &cc->check.budget_ns);
	case OPT_RESTART:
		cc->check.restart = true;
		return 0;
	case OPT_NO_MARK:
		cc->check.mark = false;
		return 0;
	case OPT_FILES:
		if (parse_number(optarg, 0, UINT32_MAX, &n))
			return tool_usage("%s: not a number", optarg);
		cc->check.names_max = n ? (size_t)n : SIZE_MAX;
		return 0;
	default:
		return 0;
	}
}

static int
parse(struct check_command *cc)
{
	int opt, status = 0;

	while (!status && (opt = options_next(&cc->o)) != -1)
		status = option(cc, opt);
	if (!status)
		status = options_arguments(&cc->o, 0, 0);
	if (!status && !options_repository(&cc->o))
		status = STATUS_USAGE;
	return status;
}

static int
act(struct check_command *cc)
{
	struct unlock_asker asker = { .unlock = &cc->o.unlock };
	struct history_open_options open = { .secret = unlock_ask,
		.ctx = &asker };
	struct err e = ERR_INIT;
	int r;

	interrupt_defer();
	/* what is met on the way is told once, at the end */
	if (!cc->o.verbose)
		log_set_level(LOG_LEVEL_ERROR);
	cc->check.interrupted = interrupt_flag();
	progress_begin(!cc->o.quiet && !cc->o.json);
	r = check_run(cc->o.repo, &open, &cc->check, &cc->result, &e);
	unlock_release(&asker.secret);
	progress_clear();
	if (r && interrupt_came())
		return interrupt_status();
	if (r)
		return tool_fail_open(&e);
	if (cc->o.json)
		json_summary(&cc->result);
	else if (!cc->o.quiet)
		print_summary(&cc->result);
	return status_of(&cc->result);
}

static int
run(const struct command *c, int argc, char **argv)
{
	static const struct option own[] = {
		{ "read-data", no_argument, NULL, OPT_READ_DATA },
		{ "read-data-subset", required_argument, NULL, OPT_SUBSET },
		{ "time-budget", required_argument, NULL, OPT_BUDGET },
		{ "restart", no_argument, NULL, OPT_RESTART },
		{ "no-mark", no_argument, NULL, OPT_NO_MARK },
		{ "files", required_argument, NULL, OPT_FILES },
		{ NULL, 0, NULL, 0 },
	};
	struct check_command cc = { .check = { .mark = true,
					    .names_max = NAMES_MAX,
					    .found = found,
					    .progress = show } };
	int status;

	cc.check.ctx = &cc;
	options_begin(&cc.o, c, argc, argv, "", own);
	status = parse(&cc);
	return status ? status : act(&cc);
}

const struct command command_check = {
	.name = "check",
	.synopsis = "[-r REPO] [OPTIONS]",
	.summary = "Tell whether a repository is whole",
	.help = "      --read-data            read and verify all data, too\n"
		"      --read-data-subset N%|SIZE  so much of it, on from "
		"where the"
		" last run ended\n"
		"      --time-budget DURATION read data for so long, likewise\n"
		"      --restart              begin with the first byte again\n"
		"      --no-mark              write nothing at all\n"
		"      --files N              name at most N files for each "
		"fault;"
		" 0: all\n",
	.run = run,
};
