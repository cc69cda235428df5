/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include "tools/options.h"

static int
run(const struct command *c, int argc, char **argv)
{
	struct options o;

	options_begin(&o, c, argc, argv, "", NULL);
	while (options_next(&o) != -1)
		;
	if (options_arguments(&o, 0, 0))
		return STATUS_USAGE;
	if (o.json)
		printf("{\"type\":\"version\",\"version\":\"%s\"}\n",
			PACKAGE_VERSION);
	else
		printf("yore %s\n", PACKAGE_VERSION);
	return STATUS_DONE;
}

const struct command command_version = {
	.name = "version",
	.synopsis = "",
	.summary = "Print the version",
	.help = "",
	.run = run,
};
