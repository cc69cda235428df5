/* SPDX-License-Identifier: GPL-2.0-or-later */
/* yore forget: which snapshots stay. */
#include "tools/forget.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "repo/address.h"
#include "repo/base/buf.h"
#include "repo/base/clock.h"
#include "repo/base/hex.h"
#include "repo/base/log.h"
#include "tools/parse.h"

enum {
	OPT_HOST = OPTION_OWN,
	OPT_LAST,
	OPT_WITHIN,
	OPT_TAG,
	OPT_LOCAL_TIME,
	OPT_UNDO,
	OPT_PIN,
	OPT_UNPIN,
	OPT_THIN,
	OPT_ALL,
	OPT_YES,
	OPT_WITHDRAWN,
	OPT_EVERY,
	OPT_EVERY_WITHIN = OPT_EVERY + RETENTION_PERIODS,
};

#define ID_DIGITS_MIN 6 /* as history_find_id */

/* -- Options ------------------------------------------------------------ */

static int
take_number(const char *option, uint64_t *n)
{
	if (strcmp(optarg, "all") != 0)
		return options_number(option,
			"a number from 1 on or 'all'", 1, 1u << 31, n);
	*n = RETENTION_ALL;
	return 0;
}

static int
take_duration(const char *option, int64_t *ns)
{
	return options_duration(option,
		"a length of time, such as 36h, 30d, 8w or 2y", ns);
}

static int
take_thin(struct forget_command *c)
{
	struct err e = ERR_INIT;

	c->thin = true;
	if (thin_rules_parse(optarg ? optarg : THIN_RULES_DEFAULT,
		    &c->thin_rules, &e) == 0)
		return 0;
	return tool_usage("--thin: %s", e.text);
}

static int
take_mode(struct forget_command *c, enum forget_mode mode)
{
	if (c->mode != FORGET_DECIDE && c->mode != mode)
		return tool_usage("--undo, --pin, --unpin and --all exclude"
				  " each other");
	c->mode = mode;
	return 0;
}

static int
take_period(struct forget_command *c, int opt)
{
	struct retention *rt = &c->rules.retention;
	bool within = opt >= OPT_EVERY_WITHIN;
	int p = opt - (within ? OPT_EVERY_WITHIN : OPT_EVERY);
	auto_free char *option = xasprintf("--keep-%s%s",
		within ? "within-" : "",
		retention_period_name((enum retention_period)p));

	return within ? take_duration(option, &rt->every_within_ns[p])
		      : take_number(option, &rt->every[p]);
}

static int
take(struct forget_command *c, int opt)
{
	switch (opt) {
	case 'n':
		c->dry_run = true;
		return 0;
	case OPT_HOST:
		c->host = optarg;
		return 0;
	case OPT_LAST:
		return take_number("--keep-last", &c->rules.retention.last);
	case OPT_WITHIN:
		return take_duration("--keep-within", &c->rules.retention.within_ns);
	case OPT_TAG:
		c->tags[c->rules.n_tags++] = optarg;
		return 0;
	case OPT_LOCAL_TIME:
		c->rules.retention.local_time = true;
		return 0;
	case OPT_UNDO:
		return take_mode(c, FORGET_UNDO);
	case OPT_PIN:
		return take_mode(c, FORGET_PIN);
	case OPT_UNPIN:
		return take_mode(c, FORGET_UNPIN);
	case OPT_ALL:
		return take_mode(c, FORGET_ALL);
	case OPT_YES:
		c->yes = true;
		return 0;
	case OPT_WITHDRAWN:
		c->key_withdrawn = true;
		return 0;
	case OPT_THIN:
		return take_thin(c);
	}
	return opt >= OPT_EVERY ? take_period(c, opt) : STATUS_USAGE;
}

static bool
has_rules(const struct forget_command *c)
{
	return c->rules.n_tags || !retention_is_empty(&c->rules.retention);
}

/* What can be said without looking at a repository. */
static int
check_options(const struct forget_command *c)
{
	int n = c->o.argc - optind;

	if (c->mode != FORGET_DECIDE && (has_rules(c) || c->thin))
		return tool_usage("--keep-... and --thin have no place beside --undo,"
				  " --pin, --unpin or --all");
	if (c->mode == FORGET_ALL && n == 0 && !c->host)
		return tool_usage("--all: which source? Name it, or a host with"
				  " --host");
	if (c->mode != FORGET_ALL && (c->yes || c->key_withdrawn))
		return tool_usage("--yes and --key-withdrawn belong to --all");
	if (c->mode == FORGET_UNPIN && n == 0)
		return tool_usage("--unpin: which snapshot?");
	if (c->mode == FORGET_DECIDE && !has_rules(c) && !c->thin && n == 0)
		return tool_usage("say what is kept (--keep-last, --keep-daily,"
				  " ..., --thin) or name snapshots to forget");
	return 0;
}

/* -- Names -------------------------------------------------------------- */

/* A snapshot by what 'yore snapshots' prints: its name or id. */
static size_t
find_point(const struct history_listing *l, size_t source, const char *text)
{
	size_t i = HISTORY_NONE;

	if (source != HISTORY_NONE)
		i = history_find_name(l, source, text);
	if (i == HISTORY_NONE)
		i = history_find_id(l, text);
	if (i != HISTORY_NONE && source != HISTORY_NONE &&
		l->points[i].source != source)
		return HISTORY_NONE;
	return i;
}

static int
no_snapshot(const char *text, struct err *e)
{
	char shown[ERR_TEXT_MAX];

	return err_set(e, ENOENT,
		"%s: no snapshot has this name or id, or several do; 'yore "
		"snapshots' lists them",
		err_escape(shown, sizeof(shown), text, strlen(text)));
}

/* SOURCE@NAME, SOURCE@ID or @ID; false: it is none of these. */
static bool
find_address(const struct forget_command *c, const struct history_listing *l,
	const char *text, size_t *source, size_t *point)
{
	const char *host = c->host ? c->host : address_host();

	if (*text == '@') {
		*source = HISTORY_NONE;
		*point = find_point(l, HISTORY_NONE, text + 1);
		return true;
	}
	for (const char *p = text; (p = strchr(p, '@')); p++) {
		auto_free char *left =
			xasprintf("%.*s", (int)(p - text), text);

		if (address_find_source(l, left, host, source, NULL))
			continue;
		*point = find_point(l, *source, p + 1);
		return true;
	}
	return false;
}

int
forget_find(const struct forget_command *c, const struct history_listing *l,
	const char *text, size_t *source, size_t *point, struct err *e)
{
	const char *host = c->host ? c->host : address_host();

	*point = HISTORY_NONE;
	if (find_address(c, l, text, source, point))
		return *point == HISTORY_NONE ? no_snapshot(text, e) : 0;
	if (!address_find_source(l, text, host, source, e))
		return 0;
	*point = find_point(l, HISTORY_NONE, text);
	if (*point != HISTORY_NONE)
		return 0;
	return strspn(text, "0123456789abcdef") == strlen(text)
		       ? no_snapshot(text, e)
		       : -ENOENT;
}

/* Whether a word is the id, the first digits of it, or the time of a record. */
static bool
is_called(const struct record_place *p, const char *word)
{
	char id[OBJECT_ID_LEN * 2 + 1], time[HISTORY_TIME_MAX + 1];
	size_t len = strlen(word);

	hex_encode(id, p->id, OBJECT_ID_LEN);
	history_print_time(time, record_place_time(p));
	return (len >= ID_DIGITS_MIN && !strncmp(id, word, len)) ||
	       !strncmp(time, word, strlen(time));
}

bool
forget_names(const struct forget_command *c, const char *text,
	const struct record_place *p)
{
	const char *at = strrchr(text, '@');
	uint8_t key[SOURCE_KEY_LEN];
	auto_free char *left = NULL;
	char *slash;

	if (!at || at == text)
		return is_called(p, at ? at + 1 : text);
	left = xasprintf("%.*s", (int)(at - text), text);
	slash = strchr(left, '/');
	if (slash)
		*slash = '\0';
	source_key(c->u.rp->keys,
		slash	  ? left
		: c->host ? c->host
			  : address_host(),
		slash ? slash + 1 : left, key);
	return !memcmp(key, p->source, SOURCE_KEY_LEN) && is_called(p, at + 1);
}

/* -- Deciding ----------------------------------------------------------- */

static int
by_rules(struct forget_command *c, struct forget *f)
{
	const struct history_listing *l = &f->nl->l;
	struct err e = ERR_INIT;
	int status = 0;

	for (int i = optind; i < c->o.argc && !status; i++) {
		size_t source, point;

		if (forget_find(c, l, c->o.argv[i], &source, &point, &e))
			status = tool_fail(&e);
		else if (point != HISTORY_NONE)
			status = tool_usage("%s is a snapshot: rules are for "
					    "sources", c->o.argv[i]);
		else
			forget_by_rules(f, source, &c->rules);
	}
	for (size_t i = 0; i < l->n_sources && optind == c->o.argc; i++) {
		if (!c->host || !strcmp(c->host, l->sources[i].host))
			forget_by_rules(f, i, &c->rules);
	}
	return status;
}

/* A run that died, and is repeated, has done some of it. */
static bool
is_forgotten(const struct forget_command *c, const char *text)
{
	auto_trash struct trash t = { .n = 0 };

	if (trash_list(c->u.rp, &t, NULL))
		return false;
	for (size_t i = 0; i < t.n; i++) {
		if (!forget_names(c, text, &t.e[i].place))
			continue;
		log_warn("%s is forgotten already", text);
		return true;
	}
	return false;
}

static int
name_one(struct forget_command *c, struct forget *f, const char *text)
{
	struct err e = ERR_INIT;
	size_t source, point;

	if (forget_find(c, &f->nl->l, text, &source, &point, &e))
		return is_forgotten(c, text) ? 0 : tool_fail(&e);
	if (point == HISTORY_NONE)
		return tool_usage("%s is a source: say what is kept of it"
				  " (--keep-last, ...), or --all",
			text);
	return forget_name(f, point, &e) ? tool_fail(&e) : 0;
}

static int
by_name(struct forget_command *c, struct forget *f)
{
	struct err e = ERR_INIT;
	int status = 0;

	for (int i = optind; i < c->o.argc && !status; i++)
		status = name_one(c, f, c->o.argv[i]);
	if (!status && forget_check(f, &e))
		status = tool_fail(&e);
	return status;
}

static int
decide(struct forget_command *c)
{
	auto_forget struct forget *f = NULL;
	struct err e = ERR_INIT;
	int status;

	if (forget_open(&c->u, &f, &e))
		return tool_fail(&e);
	if (c->thin && !has_rules(c))
		return forget_thin(c, f);
	status = has_rules(c) ? by_rules(c, f) : by_name(c, f);
	if (!status && !c->dry_run && forget_carry_out(f, &e))
		status = tool_fail(&e);
	if (!status)
		forget_print(c, f);
	return status || !c->thin ? status : forget_thin(c, f);
}

/* -- Pins --------------------------------------------------------------- */

static int
pin_one(struct forget_command *c, const struct forget *f, const char *text)
{
	struct record_place p;
	struct err e = ERR_INIT;
	size_t source, point;
	int r;

	if (forget_find(c, &f->nl->l, text, &source, &point, &e))
		return tool_fail(&e);
	if (point == HISTORY_NONE)
		return tool_usage("%s is a source: only a snapshot can be"
				  " pinned", text);
	native_listing_place(f->nl, point, &p);
	if (c->dry_run)
		return 0;
	r = c->mode == FORGET_PIN ? pinned_put(&c->u, &p, &e)
				  : pinned_remove(&c->u, &p, &e);
	return r ? tool_fail(&e) : 0;
}

static int
pin(struct forget_command *c)
{
	auto_forget struct forget *f = NULL;
	struct err e = ERR_INIT;
	int status = 0;

	if (forget_open(&c->u, &f, &e))
		return tool_fail(&e);
	for (int i = optind; i < c->o.argc && !status; i++)
		status = pin_one(c, f, c->o.argv[i]);
	if (optind == c->o.argc)
		forget_print_pins(c, f);
	return status;
}

/* -- The command -------------------------------------------------------- */

static int
open_and_run(struct forget_command *c)
{
	struct unlock_asker asker = { .unlock = &c->o.unlock };
	struct history_open_options open = { .secret = unlock_ask,
		.ctx = &asker,
		.offline = c->o.offline };
	struct err e = ERR_INIT;
	int r, status;

	if (!options_repository(&c->o))
		return STATUS_USAGE;
	r = upkeep_open(&c->u, c->o.repo, &open, &e);
	if (!r && (c->thin || (c->mode == FORGET_ALL && !c->dry_run)))
		r = writer_open(c->o.repo, &open, &c->w, &e);
	unlock_release(&asker.secret);
	status = r ? tool_fail_open(&e)
		 : c->mode == FORGET_DECIDE ? decide(c)
		 : c->mode == FORGET_UNDO ? forget_undo(c)
		 : c->mode == FORGET_ALL ? forget_sources(c)
					  : pin(c);
	writer_free(c->w);
	upkeep_release(&c->u);
	return status;
}

#define EVERY(name, period)                                    \
	{ "keep-" name, required_argument, NULL,               \
		OPT_EVERY + (int)(period) },                   \
	{                                                      \
		"keep-within-" name, required_argument, NULL,  \
			OPT_EVERY_WITHIN + (int)(period)       \
	}

static int
run(const struct command *command, int argc, char **argv)
{
	static const struct option own[] = {
		{ "host", required_argument, NULL, OPT_HOST },
		{ "keep-last", required_argument, NULL, OPT_LAST },
		{ "keep-within", required_argument, NULL, OPT_WITHIN },
		{ "keep-tag", required_argument, NULL, OPT_TAG },
		{ "local-time", no_argument, NULL, OPT_LOCAL_TIME },
		{ "dry-run", no_argument, NULL, 'n' },
		{ "undo", no_argument, NULL, OPT_UNDO },
		{ "pin", no_argument, NULL, OPT_PIN },
		{ "unpin", no_argument, NULL, OPT_UNPIN },
		{ "thin", optional_argument, NULL, OPT_THIN },
		{ "all", no_argument, NULL, OPT_ALL },
		{ "yes", no_argument, NULL, OPT_YES },
		{ "key-withdrawn", no_argument, NULL, OPT_WITHDRAWN },
		EVERY("hourly", RETENTION_HOUR),
		EVERY("daily", RETENTION_DAY),
		EVERY("weekly", RETENTION_WEEK),
		EVERY("monthly", RETENTION_MONTH),
		EVERY("yearly", RETENTION_YEAR),
		{ NULL, 0, NULL, 0 },
	};
	auto_free const char **tags = xcalloc((size_t)argc, sizeof(*tags));
	struct forget_command c = { .tags = tags };
	int opt, status = 0;

	tzset();
	c.rules.tags = tags;
	c.rules.now_ns = clock_wall_ns();
	options_begin(&c.o, command, argc, argv, "n", own);
	while (!status && (opt = options_next(&c.o)) != -1)
		status = take(&c, opt);
	if (!status)
		status = check_options(&c);
	return status ? status : open_and_run(&c);
}

const struct command command_forget = {
	.name = "forget",
	.synopsis = "[-r REPO] [-n] RULES [SOURCE...] | SNAPSHOT... | --all"
		    " SOURCE... | --undo [...]",
	.summary = "Remove snapshots, by rules or by name",
	.help = "      --keep-last N          the newest N of each source\n"
		"      --keep-hourly N        the newest of each of N hours;"
		" likewise\n"
		"                             -daily, -weekly, -monthly,"
		" -yearly\n"
		"      --keep-within TIME     all of so long a time before the"
		" newest\n"
		"      --keep-within-hourly TIME  and so on: one of each hour"
		" in it\n"
		"      --keep-tag T           all that carry the tag\n"
		"      --thin[=RULES]         of databases fewer points the older"
		" they are:\n"
		"                             RULES is " THIN_RULES_DEFAULT
		" unless given\n"
		"      --local-time           hours, days, ... of this machine's"
		" zone,\n"
		"                             not of UTC\n"
		"      --host H               only sources of this host\n"
		"  -n, --dry-run              only print what would stay and"
		" go, and why\n"
		"      --undo                 bring back what was forgotten:"
		" all of it,\n"
		"                             or the sources and snapshots"
		" named\n"
		"      --all                  SOURCE...: every snapshot, for"
		" sources that are gone\n"
		"      --yes                  --all: do not ask\n"
		"      --key-withdrawn        --all: also if the key that it was"
		" written with\n"
		"                             cannot read, and is no more\n"
		"      --pin, --unpin         SNAPSHOT...: never to be forgotten;"
		" --pin\n"
		"                             alone lists them\n",
	.run = run,
};
