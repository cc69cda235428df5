/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Options: those that every command has, and the loop over all of them.
 *
 *	struct options o;
 *	options_begin(&o, c, argc, argv, "l", own);
 *	while ((opt = options_next(&o)) != -1)
 *		switch (opt) ...
 *	argv[optind] is the first argument
 *
 * --help prints and exits 0; an unknown option prints one line and exits 2.
 */
#ifndef YORE_TOOLS_OPTIONS_H
#define YORE_TOOLS_OPTIONS_H

#include <getopt.h>
#include <stdbool.h>
#include "repo/unlock.h"
#include "tools/tool.h"

/* Values of a command's own long options without a letter start here. */
#define OPTION_OWN 512
#define OPTIONS_MAX 64

struct options {
	const struct command *command;
	int argc;
	char **argv;
	char shorts[64];
	struct option longs[OPTIONS_MAX];
	bool long_only; /* -name is --name (find); set after begin */

	const char *repo; /* NULL when not said */
	const char *endpoint; /* of --endpoint, or NULL */
	const char *cache_dir; /* as in struct history_open_options */
	struct unlock unlock;
	bool offline;
	const char *format; /* as in struct history_open_options */
	bool patient;  /* as in struct history_open_options; a command's own */
	size_t memory; /* likewise */
	bool json;
	bool quiet;
	int verbose;
};

void options_begin(struct options *o, const struct command *c, int argc,
	char **argv, const char *shorts, const struct option *own);
int options_next(struct options *o);

/* Arguments left; a usage error unless their number is within min..max
 * (max < 0: any): then returns STATUS_USAGE, else 0. */
int options_arguments(const struct options *o, int min, int max);

/* What stands behind an option just met, within min..max, or a length of time
 * over 0; else a usage error that says what it is not, "a number from 1 on". */
int options_number(const char *option, const char *what, uint64_t min,
	uint64_t max, uint64_t *v);
int options_duration(const char *option, const char *what, int64_t *ns);

/*
 * The repository: -r, else YORE_REPOSITORY; with --endpoint as one of its own
 * options.  NULL after a usage error.
 */
const char *options_repository(struct options *o);

#endif
