/* SPDX-License-Identifier: GPL-2.0-or-later */
/* yore head: what a web server cannot tell of a repository it publishes. */
#include <stdio.h>
#include "repo/store/web_head.h"
#include "tools/options.h"

static int
print_head(const char *repo, struct err *e)
{
	auto_store struct store *store = NULL;
	uint64_t size;
	int r = store_open(repo, &store, e);

	if (r == 0)
		r = store_size(store, "format", &size, e);
	return r < 0 ? r : web_head_print(store, stdout, e);
}

static int
run(const struct command *c, int argc, char **argv)
{
	struct options o;
	struct err e = ERR_INIT;
	int status;

	options_begin(&o, c, argc, argv, "", NULL);
	while (options_next(&o) != -1)
		;
	status = options_arguments(&o, 0, 0);
	if (status)
		return status;
	if (!options_repository(&o))
		return STATUS_USAGE;
	if (print_head(o.repo, &e) < 0)
		return tool_fail_open(&e);
	return STATUS_DONE;
}

const struct command command_head = {
	.name = "head",
	.synopsis = "[-r REPO]",
	.summary = "Print what a web server needs to publish a repository",
	.help = "",
	.run = run,
};
