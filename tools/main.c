/* SPDX-License-Identifier: GPL-2.0-or-later */
/* yore: dispatches to its commands. */
#include "tools/tool.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "repo/base/auto.h"
#include "repo/base/log.h"
#include "repo/base/memory.h"

static const struct command *const commands[] = {
	&command_init,
	&command_backup,
	&command_snapshots,
	&command_ls,
	&command_cat,
	&command_find,
	&command_diff,
	&command_versions,
	&command_restore,
	&command_mount,
	&command_umount,
	&command_replicate,
	&command_status,
	&command_sync,
	&command_stats,
	&command_forget,
	&command_check,
	&command_rebuild,
	&command_head,
	&command_copy,
	&command_key,
	&command_cache,
	&command_prefetch,
	&command_prune,
	&command_pin,
	&command_unpin,
	&command_evict,
	&command_needs,
	&command_formats,
	&command_version,
};

static int
help(void)
{
	printf("usage: yore COMMAND [OPTIONS] ...\n\n");
	for (size_t i = 0; i < n_elements(commands); i++)
		printf("  %-10s %s\n", commands[i]->name, commands[i]->summary);
	printf("\n'yore COMMAND --help' tells the options, yore(1)"
	       " everything.\n");
	return tool_finish(STATUS_DONE);
}

static const struct command *
find_command(const char *name)
{
	if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0)
		name = "version";
	for (size_t i = 0; i < n_elements(commands); i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	return NULL;
}

/* Descriptors 0 to 2 exist from here on, so that no file of ours becomes
 * standard output.  One that was closed cannot be written to: what should have
 * been printed is missed, not lost. */
static void
open_standard_descriptors(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDONLY) < 0)
			return;
}

int
main(int argc, char **argv)
{
	const struct command *c;

	memory_keep_buffers();
	open_standard_descriptors();
	log_set_program("yore");
	interrupt_install();
	if (argc < 2)
		return tool_usage("no command given; 'yore --help' lists them");
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0)
		return help();
	c = find_command(argv[1]);
	if (!c && *argv[1] == '-')
		return tool_usage("options stand behind the command:"
				  " yore COMMAND %s ...",
			argv[1]);
	if (!c)
		return tool_usage("%s: no such command; 'yore --help' lists"
				  " them",
			argv[1]);
	return tool_finish(c->run(c, argc - 1, argv + 1));
}
