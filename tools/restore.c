/* SPDX-License-Identifier: GPL-2.0-or-later */
/* yore restore: write a snapshot, or part of it, to a directory. */
#include "tools/restore.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "repo/base/clock.h"
#include "repo/base/log.h"
#include "tools/json.h"
#include "tools/options.h"
#include "tools/parse.h"
#include "tools/spot.h"
#include "tools/print.h"
#include "tools/progress.h"

enum {
	OPT_OVERWRITE = OPTION_OWN,
	OPT_VERIFY,
	OPT_THREADS,
	OPT_IF_MISSING,
};

struct sample {
	struct restore *restore;
	struct view_totals totals;
};

static void
sample(void *ctx, struct progress_state *s)
{
	const struct sample *x = ctx;
	struct restore_report *report = &x->restore->report;

	s->files = report->files + report->kept;
	s->bytes = report->bytes;
	s->total_files = x->totals.files;
	s->total_bytes = x->totals.bytes;
	pthread_mutex_lock(&report->lock);
	s->errors = report->n_errors;
	pthread_mutex_unlock(&report->lock);
}

static void
print_summary(struct restore *r, const struct options *o, int64_t ns)
{
	struct restore_report *report = &r->report;
	char size[PRINT_MAX], time[PRINT_MAX];
	char files[PRINT_MAX], entries[PRINT_MAX];

	if (o->json) {
		json_t *line = json_line("summary");

		json_flag(line, "dry_run", r->options->dry_run);
		json_u64(line, "entries", report->entries);
		json_u64(line, "files", report->files);
		json_u64(line, "bytes", report->bytes);
		json_u64(line, "kept", report->kept);
		json_u64(line, "verified", report->verified);
		json_u64(line, "errors", report->n_errors);
		json_u64(line, "milliseconds", (uint64_t)(ns / 1000000));
		json_print(line);
		return;
	}
	if (o->quiet)
		return;
	printf("%s %s, %s, %s",
		r->options->dry_run ? "would restore" : "restored",
		print_number(files, report->files, "file", "files"),
		print_size(size, report->bytes),
		print_number(entries, report->entries, "entry", "entries"));
	if (report->kept)
		printf(", kept %llu", report->kept);
	if (r->options->verify)
		printf(", read back %llu", report->verified);
	printf(" in %s\n", print_duration(time, ns));
}

static int
status_of(struct restore *r, int code, bool lost, const struct err *e)
{
	if (code < 0)
		return tool_fail(e);
	if (interrupt_came()) {
		log_error("interrupted; --overwrite completes what is there");
		return interrupt_status();
	}
	return lost || r->report.n_errors ? STATUS_PARTLY : STATUS_DONE;
}

/* A database as a whole, not one of the files it is shown as. */
static bool
is_database(const struct history_listing *l, const struct spot *p)
{
	return l->sources[p->point.source].kind == HISTORY_DATABASE && !*p->path;
}

static int
restore(struct options *o, const struct restore_options *ro, struct history *h,
	const char *address, const char *target)
{
	auto_listing struct history_listing *l = history_listing(h);
	auto_spot struct spot p = { .view = NULL };
	struct restore r = { .options = ro };
	struct sample x = { .restore = &r };
	struct progress_ticker ticker = { .sample = sample, .ctx = &x };
	int64_t began = clock_mono_ns();
	struct err e = ERR_INIT, none = ERR_INIT;
	bool lost;
	int code;

	if (spot_open(h, l, address, &p, &e) < 0)
		return tool_fail(&e);
	if (S_ISDIR(p.attr.mode))
		view_totals(p.view, p.attr.node, &x.totals, &none);
	r.view = p.view;
	restore_report_init(&r.report);
	interrupt_defer();
	progress_begin(!o->quiet && !o->json && !ro->verbose);
	progress_ticker_start(&ticker);
	if (is_database(l, &p))
		code = restore_database(&r, target, &e);
	else if (ro->if_missing)
		code = err_set(&e, EINVAL,
			"%s: --if-missing is for databases", address);
	else
		code = restore_run(&r, &p.attr, p.path, target, &e);
	progress_ticker_stop(&ticker);
	lost = restore_report_print(&r.report);
	if (code == 0 && !interrupt_came())
		print_summary(&r, o, clock_mono_ns() - began);
	code = status_of(&r, code, lost, &e);
	restore_report_release(&r.report);
	return code;
}

static int
take_overwrite(struct restore_options *ro, const char *how)
{
	if (!how || strcmp(how, "always") == 0)
		ro->overwrite = OVERWRITE_ALWAYS;
	else if (strcmp(how, "if-newer") == 0)
		ro->overwrite = OVERWRITE_IF_NEWER;
	else if (strcmp(how, "never") == 0)
		ro->overwrite = OVERWRITE_NEVER;
	else
		return tool_usage(
			"--overwrite=%s: always, if-newer or never", how);
	return 0;
}

static int
take_options(struct options *o, struct restore_options *ro)
{
	uint64_t n;
	int opt;

	while ((opt = options_next(o)) != -1)
		switch (opt) {
		case OPT_OVERWRITE:
			if (take_overwrite(ro, optarg))
				return STATUS_USAGE;
			break;
		case 'n':
			ro->dry_run = true;
			break;
		case OPT_VERIFY:
			ro->verify = true;
			break;
		case OPT_IF_MISSING:
			ro->if_missing = true;
			break;
		case OPT_THREADS:
			if (options_number("--threads",
				    "a number from 1 to 64", 1, 64, &n))
				return STATUS_USAGE;
			ro->threads = (unsigned)n;
			break;
		default:
			return STATUS_USAGE;
		}
	ro->verbose = o->verbose > 0;
	return options_arguments(o, 2, 2);
}

static int
run(const struct command *c, int argc, char **argv)
{
	static const struct option own[] = {
		{ "overwrite", optional_argument, NULL, OPT_OVERWRITE },
		{ "dry-run", no_argument, NULL, 'n' },
		{ "verify", no_argument, NULL, OPT_VERIFY },
		{ "threads", required_argument, NULL, OPT_THREADS },
		{ "if-missing", no_argument, NULL, OPT_IF_MISSING },
		{ NULL, 0, NULL, 0 },
	};
	struct options o;
	struct restore_options ro = { .threads = 0 };
	auto_history struct history *h = NULL;
	int status;

	options_begin(&o, c, argc, argv, "n", own);
	status = take_options(&o, &ro);
	if (status == 0 && !*argv[optind + 1])
		status = tool_usage("TARGET is empty");
	if (status == 0)
		status = spot_open_repository(&o, &h);
	if (status)
		return status;
	return restore(&o, &ro, h, argv[optind], argv[optind + 1]);
}

const struct command command_restore = {
	.name = "restore",
	.synopsis = "[-r REPO] [--overwrite[=HOW]] [--if-missing] ADDRESS "
		    "TARGET",
	.summary = "Write a snapshot, or part of it, to a directory",
	.help = "      --overwrite[=HOW]      replace what exists: always "
		"(the\n"
		"                             default) or if-newer\n"
		"  -n, --dry-run              only tell what would be done\n"
		"      --verify               read everything back afterwards\n"
		"      --threads N            workers (chosen from the "
		"machine)\n"
		"      --if-missing           of a database: leave one that "
		"exists\n",
	.run = run,
};
