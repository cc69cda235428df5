/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * yore backup in three parts: backup.c runs one source after the other,
 * backup_options.c understands the command line, backup_input.c feeds bytes
 * from standard input or a command.
 */
#ifndef YORE_TOOLS_BACKUP_H
#define YORE_TOOLS_BACKUP_H

#include <sys/types.h>
#include "repo/write/writer.h"
#include "tools/options.h"

#define BACKUP_TAGS_MAX 64

struct backup {
	struct options options;
	struct exclude_rules *rules;
	const char *tags[BACKUP_TAGS_MAX];
	size_t n_tags;
	const char *host;
	const char *source;	/* --source; NULL: from the path */
	const char *files_from; /* --files-from or --files-from0 */
	char files_from_separator;
	const char *stdin_name;	   /* --stdin */
	const char *stdin_command; /* whose output is backed up */
	const char *per_directory; /* name of files with patterns; "" none */
	int64_t time_ns;
	bool one_file_system;
	bool dry_run;
	bool force;
	uint64_t limit_upload;
	uint64_t threads;
	uint64_t level;
	char **paths;
	int n_paths;
};

/* Understand the command line; 0 or STATUS_USAGE or STATUS_FAILED (printed).
 * The caller owes backup_release in any case. */
int backup_take_options(
	struct backup *b, const struct command *c, int argc, char **argv);
void backup_release(struct backup *b);

/* Bytes that come through a descriptor. */
struct backup_input {
	int fd;
	pid_t pid; /* of the command, or -1: standard input */
	int status;
};

int backup_input_open(
	struct backup_input *in, const char *command, struct err *e);
/* After the end of file: 0, or what made the bytes incomplete (printed by
 * backup_input_explain). */
int backup_input_finished(struct backup_input *in);
void backup_input_explain(const struct backup_input *in, struct err *e);
void backup_input_close(struct backup_input *in);

#endif
