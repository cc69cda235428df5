/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files that are read here and there: after a first such READ a thread of its own
 * makes ready what others will need, and after a second one hands what they go
 * through to the kernel's page cache (view_at_random), each once a file.
 *
 * It cannot deadlock: NOTIFY_STORE waits for READs in flight, and those wait
 * for nothing of this thread, which holds no lock meanwhile.
 */
#ifndef YORE_FS_RANDOM_H
#define YORE_FS_RANDOM_H

#include "fs/call.h"

struct random;

struct random *random_new(struct mount *m); /* borrowed */
/* A short READ, already answered, was not at the beginning of its file, and the
 * short one before was of another. */
void random_expect(struct random *r, struct call *c);
/* Likewise, but it was not where the one before in the same file was. */
void random_note(struct random *r, struct call *c);
/* No store is under way or begins afterwards; while the session is there. */
void random_stop(struct random *r);
void random_free(struct random *r);

#endif
