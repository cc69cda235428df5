/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Opening what a -r argument names as a history. */
#ifndef YORE_OPEN_H
#define YORE_OPEN_H

#include "repo/history.h"

struct slot_secret;

struct history_open_options {
	/*
	 * Provides the passphrase or key file.  Asked only when no open slot
	 * unlocks the repository; a second time, and is to answer the same, when
	 * what was kept of a remote repository turns out to be old.  The bytes are borrowed until the
	 * open returns.  NULL: there is none.
	 */
	int (*secret)(void *ctx, struct slot_secret *out, struct err *e);
	void *ctx;
	size_t memory; /* bytes for decoded frames and pages; 0: 60 MiB, of
			 * a remote repository 120 MiB */
	/* Of the disk cache, for repositories that are not local: NULL where it
	 * always is (repo/cache/cache.h), "" for none. */
	const char *cache_dir;
	bool offline; /* nothing is asked of a store that is not local */
	/* What is there: "yore", or a format that "yore formats" lists.  NULL:
	 * a repository, else what it looks like. */
	const char *format;
	/* Who reads waits until the cache has taken it: for reading it full. */
	bool patient;
};

/*
 * Open a repository, or what another program left (repo/foreign), for reading;
 * *h is given.  -ENOENT nothing that is known there, -EINVAL no such format,
 * -EKEYREJECTED wrong key or none, -EPROTONOSUPPORT written by a newer yore.
 * Starts no thread before its first read.
 */
int history_open_repository(const char *repo,
	const struct history_open_options *o, struct history **h,
	struct err *e);

#endif
