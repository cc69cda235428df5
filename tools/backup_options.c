/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/backup.h"

#include <stdlib.h>
#include <string.h>
#include "repo/base/clock.h"
#include "repo/when.h"
#include "repo/address.h"
#include "tools/parse.h"

enum {
	OPT_EXCLUDE_FILE = OPTION_OWN,
	OPT_EXCLUDE_CACHES,
	OPT_EXCLUDE_IF_PRESENT,
	OPT_EXCLUDE_LARGER,
	OPT_PER_DIRECTORY,
	OPT_FILES_FROM,
	OPT_FILES_FROM0,
	OPT_STDIN,
	OPT_STDIN_COMMAND,
	OPT_HOST,
	OPT_SOURCE,
	OPT_TIME,
	OPT_FORCE,
	OPT_LIMIT_UPLOAD,
	OPT_THREADS,
	OPT_LEVEL,
};

static const struct option own[] = {
	{ "exclude", required_argument, NULL, 'e' },
	{ "exclude-file", required_argument, NULL, OPT_EXCLUDE_FILE },
	{ "exclude-caches", no_argument, NULL, OPT_EXCLUDE_CACHES },
	{ "exclude-if-present", required_argument, NULL,
		OPT_EXCLUDE_IF_PRESENT },
	{ "exclude-larger-than", required_argument, NULL, OPT_EXCLUDE_LARGER },
	{ "exclude-per-directory", required_argument, NULL, OPT_PER_DIRECTORY },
	{ "one-file-system", no_argument, NULL, 'x' },
	{ "files-from", required_argument, NULL, OPT_FILES_FROM },
	{ "files-from0", required_argument, NULL, OPT_FILES_FROM0 },
	{ "stdin", required_argument, NULL, OPT_STDIN },
	{ "stdin-command", required_argument, NULL, OPT_STDIN_COMMAND },
	{ "host", required_argument, NULL, OPT_HOST },
	{ "source", required_argument, NULL, OPT_SOURCE },
	{ "tag", required_argument, NULL, 't' },
	{ "time", required_argument, NULL, OPT_TIME },
	{ "dry-run", no_argument, NULL, 'n' },
	{ "force", no_argument, NULL, OPT_FORCE },
	{ "limit-upload", required_argument, NULL, OPT_LIMIT_UPLOAD },
	{ "threads", required_argument, NULL, OPT_THREADS },
	{ "level", required_argument, NULL, OPT_LEVEL },
	{ NULL, 0, NULL, 0 },
};

/* What is left out.  -1 when the option is another. */
static int
take_exclude(struct backup *b, int opt)
{
	struct err e = ERR_INIT;
	uint64_t size;

	switch (opt) {
	case 'e':
		exclude_rules_pattern(b->rules, optarg);
		return 0;
	case OPT_EXCLUDE_FILE:
		return exclude_rules_file(b->rules, optarg, &e) < 0
			       ? tool_fail(&e)
			       : 0;
	case OPT_EXCLUDE_CACHES:
		exclude_rules_caches(b->rules);
		return 0;
	case OPT_EXCLUDE_IF_PRESENT:
		return exclude_rules_if_present(b->rules, optarg, &e) < 0
			       ? tool_usage("%s", e.text)
			       : 0;
	case OPT_EXCLUDE_LARGER:
		if (parse_size(optarg, &size) < 0)
			return tool_usage("--exclude-larger-than %s: not a"
					  " size",
				optarg);
		exclude_rules_larger_than(b->rules, size);
		return 0;
	case OPT_PER_DIRECTORY:
		b->per_directory = optarg;
		return 0;
	default:
		return -1;
	}
}

static int
take_tag(struct backup *b)
{
	if (b->n_tags == BACKUP_TAGS_MAX)
		return tool_usage("--tag: at most %d tags", BACKUP_TAGS_MAX);
	if (!*optarg || strlen(optarg) > 200)
		return tool_usage("--tag: a tag has 1 to 200 bytes");
	b->tags[b->n_tags++] = optarg;
	return 0;
}

/* A host or source is one component of a path. */
static int
take_component(const char **out, const char *option)
{
	size_t len = strlen(optarg);

	if (len < 1 || len > 255 || strchr(optarg, '/') ||
		strcmp(optarg, ".") == 0 || strcmp(optarg, "..") == 0)
		return tool_usage("%s %s: 1 to 255 bytes without '/', not '.'"
				  " or '..'",
			option, optarg);
	*out = optarg;
	return 0;
}

static int
take_source(struct backup *b, int opt)
{
	switch (opt) {
	case OPT_HOST:
		return take_component(&b->host, "--host");
	case OPT_SOURCE:
		return take_component(&b->source, "--source");
	case OPT_STDIN:
		return take_component(&b->stdin_name, "--stdin");
	case OPT_STDIN_COMMAND:
		b->stdin_command = optarg;
		return 0;
	case OPT_FILES_FROM:
	case OPT_FILES_FROM0:
		b->files_from = optarg;
		b->files_from_separator = opt == OPT_FILES_FROM ? '\n' : '\0';
		return 0;
	case 't':
		return take_tag(b);
	case OPT_TIME:
		if (when_parse(optarg, clock_wall_ns(), &b->time_ns) < 0)
			return tool_usage("--time %s: not a time", optarg);
		/* a second given means its beginning here, not its end */
		if (b->time_ns % NS_PER_S == NS_PER_S - 1)
			b->time_ns -= NS_PER_S - 1;
		return 0;
	default:
		return -1;
	}
}

static int
take_other(struct backup *b, int opt)
{
	switch (opt) {
	case 'x':
		b->one_file_system = true;
		return 0;
	case 'n':
		b->dry_run = true;
		return 0;
	case OPT_FORCE:
		b->force = true;
		return 0;
	case OPT_LIMIT_UPLOAD:
		if (parse_size(optarg, &b->limit_upload) < 0)
			return tool_usage("--limit-upload %s: bytes a second,"
					  " like 500k or 10M",
				optarg);
		return 0;
	case OPT_THREADS:
		return options_number("--threads", "a number from 1 to 256", 1,
			256, &b->threads);
	case OPT_LEVEL:
		return options_number("--level", "a number from 1 to 19", 1, 19,
			&b->level);
	default:
		return STATUS_USAGE;
	}
}

/* What does not go together. */
static int
check(struct backup *b)
{
	bool from_stdin = b->stdin_name != NULL;

	if (b->stdin_command && !from_stdin)
		return tool_usage("--stdin-command needs --stdin NAME, the"
				  " file's name");
	if (from_stdin && (b->n_paths || b->files_from))
		return tool_usage("--stdin takes the place of paths");
	if (!from_stdin && b->n_paths == 0)
		return tool_usage("no path to back up; 'yore backup --help'"
				  " tells more");
	if (b->n_paths > 1 && b->source)
		return tool_usage("--source names one path: back up the others"
				  " by runs of their own");
	if (b->n_paths > 1 && b->files_from)
		return tool_usage("--files-from restricts one path");
	return 0;
}

static int
set_per_directory(struct backup *b)
{
	struct err e = ERR_INIT;

	if (!*b->per_directory)
		return 0;
	if (exclude_rules_per_directory(b->rules, b->per_directory, &e) < 0)
		return tool_usage("%s", e.text);
	return 0;
}

int
backup_take_options(
	struct backup *b, const struct command *c, int argc, char **argv)
{
	int opt, status;

	*b = (struct backup){ .host = address_host(),
		.per_directory = EXCLUDE_FILE_NAME };
	b->rules = exclude_rules_new();
	options_begin(&b->options, c, argc, argv, "e:xt:n", own);
	while ((opt = options_next(&b->options)) != -1) {
		status = take_exclude(b, opt);
		if (status < 0)
			status = take_source(b, opt);
		if (status < 0)
			status = take_other(b, opt);
		if (status)
			return status;
	}
	b->paths = argv + optind;
	b->n_paths = argc - optind;
	status = set_per_directory(b);
	return status ? status : check(b);
}

void
backup_release(struct backup *b)
{
	exclude_rules_free(b->rules);
}
