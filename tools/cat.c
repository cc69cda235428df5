/* SPDX-License-Identifier: GPL-2.0-or-later */
/* yore cat: a file's content on standard output. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "tools/content.h"
#include "tools/options.h"
#include "tools/spot.h"

static int
cat(struct history *h, const struct history_listing *l, const char *address,
	struct err *e)
{
	auto_spot struct spot p = { .view = NULL };
	int r = spot_open(h, l, address, &p, e);

	if (r < 0)
		return r;
	if (S_ISDIR(p.attr.mode))
		return err_set(e, EISDIR, "%s: is a directory", address);
	if (!S_ISREG(p.attr.mode))
		return err_set(e, EINVAL, "%s: is not a file", address);
	r = content_write(p.view, &p.attr, STDOUT_FILENO, e);
	if (r < 0)
		tool_prefix(e, p.path, address);
	return r;
}

static int
run(const struct command *c, int argc, char **argv)
{
	struct options o;
	struct err e = ERR_INIT;
	auto_history struct history *h = NULL;
	auto_listing struct history_listing *l = NULL;
	int status;

	options_begin(&o, c, argc, argv, "", NULL);
	while (options_next(&o) != -1)
		;
	status = options_arguments(&o, 1, -1);
	if (status == 0)
		status = spot_open_repository(&o, &h);
	if (status)
		return status;
	l = history_listing(h);
	for (int i = optind; i < argc; i++)
		if (cat(h, l, argv[i], &e) < 0)
			status = tool_fail(&e);
	return status;
}

const struct command command_cat = {
	.name = "cat",
	.synopsis = "[-r REPO] ADDRESS...",
	.summary = "Write a file of a snapshot to standard output",
	.help = "",
	.run = run,
};
