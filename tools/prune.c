/* SPDX-License-Identifier: GPL-2.0-or-later */
/* yore prune: remove what no snapshot uses. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include "repo/base/clock.h"
#include "repo/upkeep/prune.h"
#include "repo/upkeep/upkeep.h"
#include "tools/json.h"
#include "tools/options.h"
#include "tools/parse.h"
#include "tools/print.h"

enum {
	OPT_GRACE = OPTION_OWN,
	OPT_UNSAFE,
	OPT_THRESHOLD,
	OPT_MAX_COPY,
	OPT_DATA_PACK,
};

struct prune_command {
	struct options o;
	struct prune_options prune;
	const char *grace; /* as it was said */
};

/* -- What is printed --------------------------------------------------------- */

static void
print_pack(void *ctx, const struct prune_pack *p)
{
	const struct prune_command *c = ctx;
	char size[PRINT_MAX];
	uint64_t share = p->size ? p->live * 100 / p->size : 0;

	if (c->o.json) {
		json_t *line = json_line("pack");

		json_text(line, "name", p->name);
		json_u64(line, "size", p->size);
		json_u64(line, "used", p->live);
		json_text(line, "fate", p->fate);
		json_text(line, "why", p->why);
		json_print(line);
		return;
	}
	printf("%-11s %s  %10s %3" PRIu64 "%%  %s\n", p->fate, p->name,
		print_size(size, p->size), share, p->why);
}

static void
add_sum(json_t *line, const char *what, const struct prune_sum *s)
{
	char key[64];

	snprintf(key, sizeof(key), "%s_packs", what);
	json_u64(line, key, s->n);
	snprintf(key, sizeof(key), "%s_bytes", what);
	json_u64(line, key, s->bytes);
}

/* What was asked of the store. */
static void
add_requests(json_t *line, const struct prune_command *c)
{
	struct store_stats read = { .gets = 0 }, written = { .gets = 0 };

	store_stats(c->prune.rp->store, &read);
	sink_stats(c->prune.sink, &written);
	json_u64(line, "lists", read.lists);
	json_u64(line, "gets", read.gets);
	json_u64(line, "heads", read.heads + written.heads);
	json_u64(line, "puts", written.puts);
	json_u64(line, "bytes_read", read.bytes);
}

static void
print_json(const struct prune_command *c, const struct prune_result *r)
{
	json_t *line = json_line("prune");

	json_flag(line, "dry_run", c->prune.dry_run);
	json_u64(line, "snapshots", r->snapshots);
	json_u64(line, "trash", r->trash);
	add_sum(line, "all", &r->all);
	add_sum(line, "used", &r->in_use);
	add_sum(line, "deleted", &r->deleted);
	add_sum(line, "waiting", &r->waiting);
	add_sum(line, "resurrected", &r->resurrected);
	add_sum(line, "condemned", &r->condemned);
	add_sum(line, "copied", &r->copied);
	add_sum(line, "written", &r->written);
	json_u64(line, "young_packs", r->young);
	json_u64(line, "lost_chunks", r->lost);
	json_u64(line, "others_deleted", r->others);
	add_requests(line, c);
	json_print(line);
}

static void
print_sum(const char *what, const struct prune_sum *s, const char *more)
{
	char n[PRINT_MAX], size[PRINT_MAX];

	if (s->n)
		printf("%s %s, %s%s\n", what,
			print_number(n, s->n, "pack", "packs"),
			print_size(size, s->bytes), more);
}

static void
print_result(const struct prune_command *c, const struct prune_result *r)
{
	bool dry = c->prune.dry_run;
	char used[PRINT_MAX], all[PRINT_MAX], n[PRINT_MAX], packs[PRINT_MAX];

	printf("%s use%s %s of %s in %s\n",
		print_number(n, r->snapshots, "snapshot", "snapshots"),
		r->snapshots == 1 ? "s" : "", print_size(used, r->in_use.bytes),
		print_size(all, r->all.bytes),
		print_number(packs, r->all.n, "pack", "packs"));
	print_sum(dry ? "would delete" : "deleted", &r->deleted, "");
	print_sum("waiting:", &r->waiting, ", condemned before");
	print_sum("used again:", &r->resurrected, "");
	print_sum(dry ? "would condemn" : "condemned", &r->condemned,
		", of no use");
	print_sum(dry ? "would condemn" : "condemned", &r->copied,
		dry ? ", and copy what is used of them"
		    : ", after copying what is used of them");
	print_sum("wrote", &r->written, "");
	if (r->young)
		printf("%s of no use %s too young to be condemned\n",
			print_number(n, r->young, "pack", "packs"),
			r->young == 1 ? "is" : "are");
	if (r->lost)
		printf("%s that snapshots use %s lost; see yore check\n",
			print_number(n, r->lost, "chunk", "chunks"),
			r->lost == 1 ? "is" : "are");
	if (r->others)
		printf("%s %s that %s no pack%s\n",
			dry ? "would delete" : "deleted",
			print_number(n, r->others, "object", "objects"),
			r->others == 1 ? "is" : "are",
			r->others == 1 ? "" : "s");
}

/* -- The command ---------------------------------------------------------------- */

static int
prune(struct prune_command *c)
{
	struct unlock_asker asker = { .unlock = &c->o.unlock };
	struct history_open_options open = { .secret = unlock_ask,
		.ctx = &asker,
		.offline = c->o.offline };
	auto_upkeep struct upkeep u = { .rp = NULL };
	struct prune_result res;
	struct err e = ERR_INIT;
	int r = upkeep_open(&u, c->o.repo, &open, &e);

	unlock_release(&asker.secret);
	if (r)
		return tool_fail_open(&e);
	interrupt_defer();
	c->prune.rp = u.rp;
	c->prune.sink = u.sink;
	c->prune.interrupted = interrupt_flag();
	c->prune.ctx = c;
	if (c->o.verbose || (c->o.json && c->prune.dry_run))
		c->prune.pack = print_pack;
	r = prune_run(&c->prune, &res, &e);
	if (r == -EINTR && interrupt_came())
		return interrupt_status();
	if (r)
		return tool_fail(&e);
	if (c->o.json)
		print_json(c, &res);
	else if (!c->o.quiet)
		print_result(c, &res);
	return STATUS_DONE;
}

static int
take_option(struct prune_command *c, int opt)
{
	struct prune_options *p = &c->prune;
	uint64_t v;

	switch (opt) {
	case 'n':
		p->dry_run = true;
		return 0;
	case OPT_GRACE:
		c->grace = optarg;
		if (parse_duration(optarg, &p->grace_ns) < 0)
			return tool_usage(
				"--grace %s: not a duration", optarg);
		p->grace_ns += !p->grace_ns; /* 0 means the default */
		return 0;
	case OPT_UNSAFE:
		p->unsafe = true;
		return 0;
	case OPT_THRESHOLD:
		if (parse_number(optarg, 1, 100, &v) < 0)
			return tool_usage("--threshold %s: not a percentage",
				optarg);
		p->threshold = (unsigned)v;
		return 0;
	case OPT_DATA_PACK:
		return parse_size(optarg, &p->data_pack_len) < 0
			       ? tool_usage("--pack-size %s: not a size", optarg)
			       : 0;
	default:
		return parse_size(optarg, &p->copy_max) < 0
			       ? tool_usage("--max-copy %s: not a size", optarg)
			       : 0;
	}
}

static int
run(const struct command *cmd, int argc, char **argv)
{
	static const struct option own[] = {
		{ "dry-run", no_argument, NULL, 'n' },
		{ "grace", required_argument, NULL, OPT_GRACE },
		{ "unsafe-grace", no_argument, NULL, OPT_UNSAFE },
		{ "threshold", required_argument, NULL, OPT_THRESHOLD },
		{ "max-copy", required_argument, NULL, OPT_MAX_COPY },
		{ "pack-size", required_argument, NULL, OPT_DATA_PACK },
		{ NULL, 0, NULL, 0 },
	};
	struct prune_command c = { .grace = NULL };
	int opt, status = 0;

	options_begin(&c.o, cmd, argc, argv, "n", own);
	while ((opt = options_next(&c.o)) != -1 && !status)
		status = take_option(&c, opt);
	if (!status)
		status = options_arguments(&c.o, 0, 0);
	if (status)
		return status;
	if (c.grace && c.prune.grace_ns < PRUNE_GRACE_MIN_NS && !c.prune.unsafe)
		return tool_usage("--grace %s is less than a day, in which "
				  "backups that are under way may fail and "
				  "mounts lose what they show; --unsafe-grace "
				  "allows it", c.grace);
	if (!options_repository(&c.o))
		return STATUS_USAGE;
	return prune(&c);
}

const struct command command_prune = {
	.name = "prune",
	.synopsis = "[-r REPO] [-n] [--grace DURATION] [--threshold PERCENT] "
		    "[--max-copy SIZE]",
	.summary = "Remove what no snapshot uses",
	.help = "  -n, --dry-run              change nothing, say what would "
		"be\n"
		"                             removed; with -v of each pack why\n"
		"      --grace DURATION       how long packs are condemned before "
		"they\n"
		"                             are deleted (7d; at least 24h)\n"
		"      --unsafe-grace         allow less\n"
		"      --threshold PERCENT    packs of which less is used are "
		"written\n"
		"                             anew (70)\n"
		"      --max-copy SIZE        write at most so much anew in this "
		"run\n"
		"      --pack-size SIZE       end packs of file content there "
		"(32M)\n",
	.run = run,
};
