/* SPDX-License-Identifier: GPL-2.0-or-later */
/* yore copy: its options; copy.c copies states, copy_mirror.c objects. */
#ifndef YORE_TOOLS_COPY_H
#define YORE_TOOLS_COPY_H

#include "repo/history.h"
#include "tools/options.h"

struct copy_command {
	struct options o; /* -r is where from */
	const char *to;
	struct unlock from; /* --from-password-file and so on */
	bool from_is_named;
	const char *host, *name, *tag;
	const char *endpoint; /* of --to */
	bool dry_run, lenient;
	bool mirror, remove, verify;
	int64_t grace_ns;
	uint64_t limit_upload;
	char **sources;
	int n_sources;
};

/* Without keys, object by object. */
int copy_mirror_run(struct copy_command *cc);

#endif
