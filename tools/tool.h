/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the commands of yore share: the table that main dispatches by, exit
 * statuses, and how a command that can be interrupted says so.
 */
#ifndef YORE_TOOLS_TOOL_H
#define YORE_TOOLS_TOOL_H

#include <stdatomic.h>
#include <stdbool.h>
#include "repo/base/err.h"

enum {
	STATUS_DONE = 0,
	STATUS_FAILED = 1,
	STATUS_USAGE = 2,
	STATUS_PARTLY = 3,
	STATUS_NO_REPOSITORY = 10,
	STATUS_LOCKED_OUT = 11,
	STATUS_INTERRUPTED = 130,
};

struct command {
	const char *name;
	const char *synopsis; /* what follows "yore NAME" */
	const char *summary;  /* one line */
	const char *help;     /* the options that are its own */
	int (*run)(const struct command *c, int argc, char **argv);
};

extern const struct command command_backup, command_cache, command_cat,
	command_check, command_rebuild,
	command_copy,
	command_diff, command_evict, command_find, command_forget, command_formats, command_head, command_init,
	command_key, command_ls, command_mount, command_needs, command_pin, command_prefetch, command_prune,
	command_replicate, command_restore, command_snapshots, command_stats,
	command_status, command_sync, command_umount, command_unpin,
	command_version, command_versions;

/* Print the error's sentence on standard error; returns STATUS_FAILED. */
int tool_fail(const struct err *e);
/* The same for an error of opening a repository: the status that tells no
 * repository, locked out and other failures apart. */
int tool_fail_open(const struct err *e);
/* Put what (an address, a path) before the sentence, unless a view has named
 * the file, as SOURCE@TIME:path, already. */
void tool_prefix(struct err *e, const char *path, const char *what);
/* One line of usage error; returns STATUS_USAGE. */
int tool_usage(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Flush standard output: `status`, or STATUS_FAILED when it cannot be
 * written (and says so). */
int tool_finish(int status);

/* -- Interrupts: by default SIGINT and SIGTERM end the program at once ------
 */

void interrupt_install(void);
/* From now on the first signal only makes interrupt_came() true. */
void interrupt_defer(void);
bool interrupt_came(void);
const atomic_bool *interrupt_flag(void);
/* 128 plus the signal that came. */
int interrupt_status(void);

#endif
