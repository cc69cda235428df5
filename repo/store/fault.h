/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A store that misbehaves on purpose, around another one: the Nth call fails,
 * comes back short, late or with a bit flipped.  For tests, which loop N
 * upwards until an operation goes through untouched; also reachable from the
 * tools as -r fault:SPEC:REPO in builds with --enable-faults, so that whole
 * programs run under it.
 *
 * SPEC: KIND@N[,KIND@N...]  KIND one of eio enospc short flip delay enoent
 *   kill (raise SIGKILL); N counts every call of store and sink together from
 *   1; KIND@N+ means that call and all after it.  delay=MS@N waits MS
 *   milliseconds instead of 200.  Freeing and aborting are not counted.
 *
 * eio, enospc, enoent: the call fails without having done anything (a commit
 *   aborts its upload).
 * short: get returns half, size says half, list ends after its first object;
 *   put and append keep half and lie that all went well.
 * flip: one bit in the middle of what get returns or put and append keep, of
 *   the size, of the first size listed.
 * A call that has nothing to shorten or flip (begin, commit, remove, no bytes)
 * fails with eio, so that no counted fault passes unnoticed.
 */
#ifndef YORE_STORE_FAULT_H
#define YORE_STORE_FAULT_H

#include "repo/store/store.h"

struct fault;

/* Parse spec; *f is given.  -EINVAL names what is wrong. */
int fault_new(const char *spec, struct fault **f, struct err *e);
/* Wrap; the wrapper owns inner, borrows f. */
struct store *fault_store(struct fault *f, struct store *inner);
struct sink *fault_sink(struct fault *f, struct sink *inner);
/* Calls counted so far, and whether any fault was delivered. */
uint64_t fault_calls(const struct fault *f);
bool fault_happened(const struct fault *f);
void fault_free(struct fault *f);

/*
 * What "fault:SPEC:REPO" asks for: the process's one struct fault for that
 * spec (so that store and sink count together; it is never freed), and *repo
 * pointing at REPO inside the argument.
 */
int fault_parse_repo(const char *arg, struct fault **f, const char **repo,
	struct err *e);

#endif
