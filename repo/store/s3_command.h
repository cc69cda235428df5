/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keys from the output of a command. */
#ifndef YORE_STORE_S3_COMMAND_H
#define YORE_STORE_S3_COMMAND_H

#include <stddef.h>
#include "repo/store/s3_credentials.h"

/*
 * Run a command by /bin/sh -c, without standard input, for at most a minute,
 * and take its output (at most 64 KiB).  id is given.  -EPERM with what is the
 * matter, but nothing of the output.
 */
int s3_command_run(const char *command, struct s3_identity *id, struct err *e);

/* What it makes of an output. */
int s3_command_parse(
	const char *json, size_t len, struct s3_identity *id, struct err *e);

#endif
