/* SPDX-License-Identifier: GPL-2.0-or-later */
/* yore copy: what one repository or replica has, into another repository. */
#include "tools/copy.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "repo/address.h"
#include "repo/base/clock.h"
#include "repo/base/log.h"
#include "repo/store/s3_config.h"
#include "repo/upkeep/copy.h"
#include "tools/json.h"
#include "tools/parse.h"
#include "tools/print.h"
#include "tools/progress.h"
#include "tools/spot.h"

/* -- What copying tells ----------------------------------------------------------- */

static void
report(void *ctx, const char *path, int code, const char *text)
{
	(void)ctx;
	(void)path;
	(void)code;
	progress_clear();
	log_error("%s", text);
}

static void
progress(void *ctx, const struct backup_progress *p)
{
	struct progress_state s = { .files = p->files,
		.bytes = p->bytes,
		.total_files = p->expected_files,
		.total_bytes = p->expected_bytes,
		.errors = p->errors };

	(void)ctx;
	progress_show(&s);
}

static void
json_copied(const struct copy_command *cc, const struct copy_event *ev)
{
	json_t *line = json_line("copied");

	json_name(line, "host", ev->host, strlen(ev->host));
	json_name(line, "source", ev->name, strlen(ev->name));
	json_text(line, "snapshot", ev->point->name);
	json_text(line, "from", ev->point->id);
	json_text(line, "id", ev->id);
	json_flag(line, "dry_run", cc->dry_run);
	json_u64(line, "new_bytes", ev->new_bytes);
	json_u64(line, "stored_bytes", ev->stored);
	json_print(line);
}

static void
copied(void *ctx, const struct copy_event *ev)
{
	const struct copy_command *cc = ctx;
	char fresh[PRINT_MAX], stored[PRINT_MAX];

	progress_clear();
	if (cc->o.json)
		json_copied(cc, ev);
	if (cc->o.json || cc->o.quiet)
		return;
	print_name(ev->host, strlen(ev->host), false);
	putchar('/');
	print_name(ev->name, strlen(ev->name), false);
	if (cc->dry_run)
		printf("@%s: to be copied\n", ev->point->name);
	else
		printf("@%s: %s new content, %s stored\n", ev->point->name,
			print_size(fresh, ev->new_bytes),
			print_size(stored, ev->stored));
	fflush(stdout);
}

static void
failed(void *ctx, const struct history_point *p, const struct err *e)
{
	(void)ctx;
	progress_clear();
	log_error("%s was not copied: %s", p->name, e->text);
}

/* -- What is to be copied ------------------------------------------------------------ */

struct selection {
	const struct history_listing *l;
	bool *points;  /* each of the listing's */
	bool *sources; /* of which something is wanted */
};

static void
select_source(struct selection *s, const struct copy_command *cc, size_t source)
{
	const struct history_source *src = &s->l->sources[source];

	for (uint32_t i = 0; i < src->n_points; i++) {
		const struct history_point *p =
			&s->l->points[src->first_point + i];

		if (cc->tag && !history_has_tag(p, cc->tag))
			continue;
		s->points[src->first_point + i] = true;
		s->sources[source] = true;
	}
}

static int
select_point(struct selection *s, struct history *h, const char *text,
	struct err *e)
{
	struct address_space in = { h, s->l, address_host(), clock_wall_ns() };
	struct address a;
	size_t point;
	int r = address_find(&in, text, &a, e);

	if (r)
		return r;
	if (*a.path)
		return err_set(e, EINVAL, "%s: a source or snapshot is copied "
			"as a whole, without a path", text);
	point = history_moment_snapshot(s->l, &a.point);
	if (point == HISTORY_NONE ||
		s->l->sources[a.source].kind == HISTORY_DATABASE)
		return err_set(e, EINVAL, "%s: of a database all moments are "
			"copied, not one", text);
	s->points[point] = true;
	s->sources[a.source] = true;
	return 0;
}

static int
select_all(struct selection *s, const struct copy_command *cc,
	struct history *h, struct err *e)
{
	size_t source;
	int r = 0;

	for (size_t i = 0; i < s->l->n_sources && !cc->n_sources; i++)
		select_source(s, cc, i);
	for (int i = 0; i < cc->n_sources && !r; i++) {
		if (!address_find_source(s->l, cc->sources[i],
			    cc->o.repo ? address_host() : "", &source, NULL))
			select_source(s, cc, source);
		else
			r = select_point(s, h, cc->sources[i], e);
	}
	return r;
}

/* -- Copying --------------------------------------------------------------------------- */

static void
print_summary(const struct copy_command *cc, const struct copy_result *res)
{
	progress_clear();
	if (cc->o.json) {
		json_t *line = json_line("copy");

		json_u64(line, "copied", res->copied);
		json_u64(line, "moments", res->moments);
		json_u64(line, "skipped", res->skipped);
		json_u64(line, "failed", res->failed);
		json_u64(line, "errors", res->errors);
		json_print(line);
	} else if (!cc->o.quiet) {
		printf("%" PRIu64 " %s", res->copied,
			cc->dry_run ? "to be copied" : "copied");
		if (res->moments)
			printf(", %" PRIu64 " moments of databases",
				res->moments);
		printf(", %" PRIu64 " there already or older than what is "
		       "there", res->skipped);
		if (res->failed)
			printf(", %" PRIu64 " failed", res->failed);
		putchar('\n');
	}
}

static int
copy_selection(struct copy_command *cc, struct copy *c,
	const struct selection *s)
{
	struct copy_result res = { .copied = 0 };
	int status = STATUS_DONE;

	for (size_t i = 0; i < s->l->n_sources; i++) {
		const struct history_source *src = &s->l->sources[i];
		struct err e = ERR_INIT;

		if (!s->sources[i] || interrupt_came())
			continue;
		if (copy_source(c, s->l, i, s->points + src->first_point, &res,
			    &e) < 0 && !interrupt_came())
			status = tool_fail(&e);
	}
	print_summary(cc, &res);
	if (interrupt_came())
		return interrupt_status();
	if (!status && (res.failed || res.errors))
		status = STATUS_PARTLY;
	return status;
}

static int
copy_all(struct copy_command *cc, struct history *h, struct copy *c)
{
	auto_listing struct history_listing *l = history_listing(h);
	auto_free bool *points = xcalloc(l->n_points + 1, sizeof(*points));
	auto_free bool *sources = xcalloc(l->n_sources + 1, sizeof(*sources));
	struct selection s = { l, points, sources };
	struct err e = ERR_INIT;
	size_t n = 0;

	if (select_all(&s, cc, h, &e) < 0)
		return tool_fail(&e);
	for (size_t i = 0; i < l->n_sources; i++)
		n += sources[i];
	if (cc->name && n > 1)
		return tool_usage("--source is the name of one, and %zu would "
				  "be copied", n);
	return copy_selection(cc, c, &s);
}

/* Whether the secret comes from where both repositories would find it. */
static bool
is_shared(const struct unlock *u)
{
	return u->key_file || u->password_file || u->password_command ||
	       u->password_fd >= 0 || getenv("YORE_PASSWORD") ||
	       getenv("YORE_PASSWORD_FILE") || getenv("YORE_PASSWORD_COMMAND");
}

static int
open_both(struct copy_command *cc, struct history **h, struct copy **c)
{
	struct unlock to = cc->o.unlock;
	struct unlock_asker from_asker = { .unlock = &cc->from };
	struct unlock_asker to_asker = { .unlock = &to };
	bool shared = !cc->from_is_named && is_shared(&to);
	struct history_open_options from_open = { .secret = unlock_ask,
		.ctx = shared ? &to_asker : &from_asker,
		.cache_dir = cc->o.cache_dir,
		.offline = cc->o.offline,
		.format = cc->o.format };
	struct history_open_options to_open = { .secret = unlock_ask,
		.ctx = &to_asker, .cache_dir = cc->o.cache_dir };
	struct copy_options o = { .to = cc->to,
		.to_open = &to_open,
		.host = cc->host,
		.name = cc->name,
		.dry_run = cc->dry_run,
		.lenient = cc->lenient,
		.limit_upload = cc->limit_upload,
		.interrupted = interrupt_flag(),
		.report = report,
		.progress = progress,
		.copied = copied,
		.failed = failed,
		.ctx = cc };
	struct err e = ERR_INIT;
	int r;

	to.what = cc->to;
	cc->from.what = cc->o.repo;
	r = history_open_repository(cc->o.repo, &from_open, h, &e);
	o.from = *h;
	if (!r)
		r = copy_new(&o, c, &e);
	unlock_release(&from_asker.secret);
	unlock_release(&to_asker.secret);
	return r ? tool_fail_open(&e) : 0;
}

static int
run_copy(struct copy_command *cc)
{
	auto_history struct history *h = NULL;
	auto_copy struct copy *c = NULL;
	int status = open_both(cc, &h, &c);

	if (status)
		return status;
	interrupt_defer();
	progress_begin(!cc->o.quiet && !cc->o.json);
	return copy_all(cc, h, c);
}

/* -- Options --------------------------------------------------------------------------- */

enum { OPT_TO = OPTION_OWN, OPT_TO_ENDPOINT, OPT_HOST, OPT_SOURCE, OPT_LIMIT,
	OPT_PARTLY, OPT_MIRROR, OPT_DELETE, OPT_VERIFY, OPT_GRACE, OPT_ALL,
	OPT_FROM };

static const struct option own[] = {
	{ "to", required_argument, NULL, OPT_TO },
	{ "to-endpoint", required_argument, NULL, OPT_TO_ENDPOINT },
	{ "host", required_argument, NULL, OPT_HOST },
	{ "source", required_argument, NULL, OPT_SOURCE },
	{ "tag", required_argument, NULL, 't' },
	{ "dry-run", no_argument, NULL, 'n' },
	{ "limit-upload", required_argument, NULL, OPT_LIMIT },
	{ "leave-out-damaged", no_argument, NULL, OPT_PARTLY },
	{ "all-snapshots", no_argument, NULL, OPT_ALL },
	{ "mirror", no_argument, NULL, OPT_MIRROR },
	{ "delete", no_argument, NULL, OPT_DELETE },
	{ "verify", no_argument, NULL, OPT_VERIFY },
	{ "grace", required_argument, NULL, OPT_GRACE },
	{ "from-password-file", required_argument, NULL, OPT_FROM },
	{ "from-password-command", required_argument, NULL, OPT_FROM + 1 },
	{ "from-password-fd", required_argument, NULL, OPT_FROM + 2 },
	{ "from-key-file", required_argument, NULL, OPT_FROM + 3 },
	{ NULL, 0, NULL, 0 },
};

static int
take_from(struct copy_command *cc, int opt)
{
	uint64_t fd;

	cc->from_is_named = true;
	switch (opt) {
	case OPT_FROM:
		cc->from.password_file = optarg;
		return 0;
	case OPT_FROM + 1:
		cc->from.password_command = optarg;
		return 0;
	case OPT_FROM + 2:
		if (parse_number(optarg, 0, 1 << 20, &fd) < 0)
			return tool_usage("--from-password-fd %s: not a "
					  "descriptor", optarg);
		cc->from.password_fd = (int)fd;
		return 0;
	default:
		cc->from.key_file = optarg;
		return 0;
	}
}

static int
take_value(struct copy_command *cc, int opt)
{
	switch (opt) {
	case OPT_LIMIT:
		if (parse_size(optarg, &cc->limit_upload) < 0)
			return tool_usage("--limit-upload %s: not a size",
				optarg);
		return 0;
	case OPT_GRACE:
		if (parse_duration(optarg, &cc->grace_ns) < 0)
			return tool_usage("--grace %s: no time", optarg);
		return 0;
	case OPT_TO:
		cc->to = optarg;
		return 0;
	case OPT_TO_ENDPOINT:
		cc->endpoint = optarg;
		return 0;
	case OPT_HOST:
		cc->host = optarg;
		return 0;
	case OPT_SOURCE:
		cc->name = optarg;
		return 0;
	case 't':
		cc->tag = optarg;
		return 0;
	default:
		return take_from(cc, opt);
	}
}

static int
take_options(struct copy_command *cc)
{
	int opt, status = 0;

	while (!status && (opt = options_next(&cc->o)) != -1) {
		switch (opt) {
		case 'n':
			cc->dry_run = true;
			break;
		case OPT_PARTLY:
			cc->lenient = true;
			break;
		case OPT_ALL:
			break;
		case OPT_MIRROR:
			cc->mirror = true;
			break;
		case OPT_DELETE:
			cc->remove = true;
			break;
		case OPT_VERIFY:
			cc->verify = true;
			break;
		default:
			status = take_value(cc, opt);
		}
	}
	cc->sources = cc->o.argv + optind;
	cc->n_sources = cc->o.argc - optind;
	return status;
}

/* The target's address, with an endpoint among its options; given. */
static char *
target(const struct copy_command *cc)
{
	const char *endpoint = cc->endpoint;
	char *with = NULL;

	if (!endpoint && strncmp(cc->to, "s3://", 5) == 0)
		endpoint = cc->o.endpoint;
	if (endpoint)
		with = s3_config_with_endpoint(cc->to, endpoint);
	return with ? with : xstrdup(cc->to);
}

static int
check(const struct copy_command *cc)
{
	if (!cc->to)
		return tool_usage("where to? give --to REPO");
	if (!cc->mirror && (cc->remove || cc->verify || cc->grace_ns >= 0))
		return tool_usage("--delete, --verify and --grace belong to "
				  "--mirror");
	if (cc->mirror && (cc->n_sources || cc->tag || cc->host || cc->name ||
				  cc->lenient))
		return tool_usage("--mirror copies all there is, as it is");
	return 0;
}

static int
run(const struct command *c, int argc, char **argv)
{
	struct copy_command cc = { .from = UNLOCK_INIT, .grace_ns = -1 };
	auto_free char *to = NULL;
	int status;

	options_begin(&cc.o, c, argc, argv, "t:n", own);
	status = take_options(&cc);
	if (!status)
		status = check(&cc);
	if (status)
		return status;
	to = target(&cc);
	cc.to = to;
	if (cc.endpoint && strncmp(to, "s3://", 5) != 0)
		return tool_usage("--to-endpoint is for s3:// repositories");
	/* --endpoint is of those that have one */
	if (cc.o.endpoint && cc.o.repo && strncmp(cc.o.repo, "s3://", 5) != 0)
		cc.o.endpoint = NULL;
	if (!options_repository(&cc.o))
		return STATUS_USAGE;
	return cc.mirror ? copy_mirror_run(&cc) : run_copy(&cc);
}

const struct command command_copy = {
	.name = "copy",
	.synopsis = "-r FROM --to REPO [SOURCE[@TIME]...] | -r FROM --to REPO "
		    "--mirror",
	.summary = "Copy what a repository or replica has into a repository",
	.help = "      --to REPO              the repository to copy to\n"
		"      --to-endpoint URL      of its S3 service (--endpoint)\n"
		"      --from-password-file F, --from-password-command C,\n"
		"      --from-password-fd N, --from-key-file F\n"
		"                             what opens FROM, if another secret\n"
		"  -t, --tag T                only snapshots that carry the tag\n"
		"      --host H, --source NAME\n"
		"                             what the source is called there\n"
		"      --leave-out-damaged    copy snapshots without the files "
		"that\n"
		"                             cannot be read\n"
		"      --limit-upload SIZE    bytes a second\n"
		"  -n, --dry-run              tell what would be copied\n"
		"      --mirror               every object as it is, without a "
		"key\n"
		"      --delete               mirror: remove what is gone there\n"
		"      --grace TIME           and how old it has to be (7d)\n"
		"      --verify               mirror: read and compare, too\n",
	.run = run,
};
