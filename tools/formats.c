/* SPDX-License-Identifier: GPL-2.0-or-later */
/* yore formats: what can be mounted beside yore's own repositories. */
#include <stdio.h>
#include "repo/foreign/foreign.h"
#include "tools/json.h"
#include "tools/options.h"

static void
print_line(const char *name, const char *about, const char *marks)
{
	printf("%-15s %s\n%-15s   %s\n", name, about, "", marks);
}

static void
print_json(const char *name, const char *about, const char *marks)
{
	json_t *line = json_line("format");

	json_text(line, "name", name);
	json_text(line, "about", about);
	json_text(line, "marks", marks);
	json_print(line);
}

static int
run(const struct command *c, int argc, char **argv)
{
	void (*print)(const char *name, const char *about, const char *marks);
	struct options o;
	int status;

	options_begin(&o, c, argc, argv, "", NULL);
	if (options_next(&o) != -1)
		return STATUS_USAGE;
	status = options_arguments(&o, 0, 0);
	if (status)
		return status;
	print = o.json ? print_json : print_line;
	print("yore", "repositories of yore", "format");
	for (size_t i = 0; foreign_formats[i]; i++)
		print(foreign_formats[i]->name, foreign_formats[i]->about,
			foreign_formats[i]->marks);
	return tool_finish(STATUS_DONE);
}

const struct command command_formats = {
	.name = "formats",
	.synopsis = "",
	.summary = "List what can be mounted, and how it is recognised",
	.help = "",
	.run = run,
};
