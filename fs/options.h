/* SPDX-License-Identifier: GPL-2.0-or-later */
/* yorefs's command line, in the form that mount(8) uses too. */
#ifndef YORE_FS_OPTIONS_H
#define YORE_FS_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include "repo/base/auto.h"
#include "repo/base/err.h"

enum options_what { OPTIONS_MOUNT, OPTIONS_HELP, OPTIONS_VERSION };

struct options {
	enum options_what what;
	char *repo;
	char *address; /* NULL: everything */
	char *mountpoint;
	char *kernel; /* for mount(2), comma-separated, or NULL */
	char *key_file;
	char *password_file;
	char *password_command;
	char *format; /* as in struct history_open_options */
	char *metrics;	 /* path of a socket, or NULL */
	char *cache_dir; /* NULL: the default; "": none */
	int password_fd;
	size_t memory; /* 0: the default */
	int refresh_s;
	int idle_s;
	int read_ahead_kib;
	bool foreground;
	bool offline;
	bool debug;
	bool verbose;
	bool allow_other;
	bool default_permissions;
	bool store;
};

/* Read argv; -EINVAL with a sentence for what it does not understand.  The
 * caller owes options_release in either case. */
int options_parse(int argc, char **argv, struct options *o, struct err *e);
void options_release(struct options *o);

/* The directory a repository lies in, or NULL when it is elsewhere; given. */
char *options_local_path(const char *repo);

extern const char options_usage[];

#define auto_options AUTO(options_release)

#endif
