/* SPDX-License-Identifier: GPL-2.0-or-later */
/* yore rebuild: header, index, catalogs and head from what they follow from. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "repo/base/log.h"
#include "repo/upkeep/header.h"
#include "repo/upkeep/rebuild.h"
#include "tools/json.h"
#include "tools/options.h"
#include "tools/print.h"
#include "tools/progress.h"

enum { OPT_WRITE = OPTION_OWN };

struct rebuild_command {
	struct options o;
	struct rebuild_options rebuild;
	struct rebuild_result result;
};

static void
report(void *ctx, const char *object, const char *text)
{
	(void)ctx;
	progress_clear();
	log_warn("%s: %s", object, text);
}

static void
show(void *ctx, uint64_t done, uint64_t total)
{
	const struct progress_state s = { .files = done, .total_files = total };

	(void)ctx;
	progress_show(&s);
}

static void
print_json(const struct rebuild_result *r, bool write)
{
	json_t *line = json_line("rebuild");

	json_u64(line, "packs", r->packs);
	json_u64(line, "chunks", r->chunks);
	json_u64(line, "salvaged", r->salvaged);
	json_u64(line, "unreadable", r->unreadable);
	json_u64(line, "unindexed", r->unindexed);
	json_u64(line, "stale", r->stale);
	json_u64(line, "bad_segments", r->bad_segments);
	json_u64(line, "uncatalogued", r->catalogs_lack);
	json_flag(line, "index", r->index);
	json_flag(line, "catalogs", r->catalogs);
	json_flag(line, "head", r->head);
	json_flag(line, "written", write);
	json_print(line);
}

static void
print_text(const struct rebuild_result *r, bool write)
{
	const char *verb = write ? "written" : "to be written with --write";
	char n[PRINT_MAX], m[PRINT_MAX];

	printf("%s of %s found\n",
		print_number(n, r->chunks, "chunk", "chunks"),
		print_number(m, r->packs, "pack", "packs"));
	if (r->index)
		printf("index: lacks %" PRIu64 ", has %" PRIu64
		       " that lead nowhere, %" PRIu64
		       " segments cannot be read: %s\n",
			r->unindexed, r->stale, r->bad_segments, verb);
	if (r->catalogs)
		printf("catalogs: lack %s: %s\n",
			print_number(
				n, r->catalogs_lack, "snapshot", "snapshots"),
			verb);
	if (r->head)
		printf("head: is not what is there: %s\n", verb);
	if (!r->index && !r->catalogs && !r->head)
		printf("nothing to do\n");
}

/* -- The header ---------------------------------------------------------- */

static void
print_header(const struct rebuild_command *rc, const char *how)
{
	bool write = rc->rebuild.write;

	if (rc->o.json) {
		json_t *line = json_line("header");

		json_text(line, "what", how);
		json_flag(line, "written", write);
		json_print(line);
	} else if (!rc->o.quiet) {
		printf("header: %s: %s\n", how,
			write ? "written" : "to be written with --write, before "
					    "anything else");
	}
}

/* What cannot be opened may lack nothing but its header.  *r and e are as
 * upkeep_open has them then; true: there is nothing more to do. */
static bool
try_header(struct rebuild_command *rc, const struct history_open_options *open,
	struct upkeep *u, int *r, struct err *e)
{
	const char *how = NULL;
	struct err why = ERR_INIT;
	int made = header_rebuild(
		rc->o.repo, open, rc->rebuild.write, &how, &why);

	if (made < 0 && *r == -EUCLEAN)
		*e = why;
	if (made != 1)
		return false;
	print_header(rc, how);
	upkeep_release(u);
	*r = rc->rebuild.write ? upkeep_open(u, rc->o.repo, open, e) : 0;
	return !rc->rebuild.write;
}

/* -- The rest ------------------------------------------------------------ */

static int
rebuild(struct rebuild_command *rc, struct upkeep *u)
{
	struct err e = ERR_INIT;
	int r;

	interrupt_defer();
	rc->rebuild.interrupted = interrupt_flag();
	progress_begin(!rc->o.quiet && !rc->o.json);
	r = rebuild_run(u, &rc->rebuild, &rc->result, &e);
	progress_clear();
	if (r && interrupt_came())
		return interrupt_status();
	if (r)
		return tool_fail(&e);
	if (rc->o.json)
		print_json(&rc->result, rc->rebuild.write);
	else if (!rc->o.quiet)
		print_text(&rc->result, rc->rebuild.write);
	return rc->result.unreadable ? STATUS_PARTLY : STATUS_DONE;
}

static int
act(struct rebuild_command *rc)
{
	struct unlock_asker asker = { .unlock = &rc->o.unlock };
	struct history_open_options open = {
		.secret = unlock_ask, .ctx = &asker, .offline = rc->o.offline
	};
	auto_upkeep struct upkeep u = { .rp = NULL };
	struct err e = ERR_INIT;
	int r = upkeep_open(&u, rc->o.repo, &open, &e);
	bool over = (r == -EUCLEAN || r == -EBADMSG) &&
		    try_header(rc, &open, &u, &r, &e);

	unlock_release(&asker.secret);
	if (r)
		return tool_fail_open(&e);
	return over ? STATUS_DONE : rebuild(rc, &u);
}

static int
run(const struct command *c, int argc, char **argv)
{
	static const struct option own[] = {
		{ "write", no_argument, NULL, OPT_WRITE },
		{ NULL, 0, NULL, 0 },
	};
	struct rebuild_command rc = { .rebuild = { .report = report,
					      .progress = show } };
	int opt, status;

	options_begin(&rc.o, c, argc, argv, "", own);
	while ((opt = options_next(&rc.o)) != -1)
		rc.rebuild.write |= opt == OPT_WRITE;
	status = options_arguments(&rc.o, 0, 0);
	if (status)
		return status;
	return options_repository(&rc.o) ? act(&rc) : STATUS_USAGE;
}

const struct command command_rebuild = {
	.name = "rebuild",
	.synopsis = "[-r REPO] [--write]",
	.summary = "Make header, index and catalogs again, from what is there",
	.help = "      --write                do it; else it is only found out"
		" what is to be done\n",
	.run = run,
};
