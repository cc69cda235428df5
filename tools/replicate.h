/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * yore replicate in parts: replicate.c understands the command line and runs
 * the loop, replicate_restore.c brings back what is missing, replicate_watch.c sees what changes, replicate_control.c answers
 * yore status and yore sync.  replicate_socket.c is both sides' way to the
 * socket.
 */
#ifndef YORE_TOOLS_REPLICATE_H
#define YORE_TOOLS_REPLICATE_H

#include "repo/base/jansson.h"
#include "repo/write/replicate/replicator.h"
#include "tools/options.h"

struct replicate {
	struct options options;
	const char *host, *source, *pattern, *state_dir;
	char *state_dir_owned;
	int64_t sync_ns, snapshot_ns;
	uint64_t queue_limit, limit_upload;
	bool once;
	bool restore; /* what is missing, before it begins */
	struct replicator *replicator;
	struct replicate_watch *watch;
	struct replicate_control *control;
};

/* Bring back databases that are not there and were replicated before; after a
 * failure, which was printed, the exit status (replicate_restore.c). */
int replicate_restore(struct replicate *r, int n, char **paths);

/* -- Watching -----------------------------------------------------------------
 */

struct replicate_watch;

/* recurring: databases that appear in directories later are added too. */
struct replicate_watch *replicate_watch_new(
	struct replicate *r, bool recurring);
void replicate_watch_free(struct replicate_watch *w);
/* Add what an argument names: a database, or a directory's that match the
 * pattern.  -ENOENT no such directory; -EINVAL a directory and no pattern. */
int replicate_watch_add(
	struct replicate_watch *w, const char *path, struct err *e);
/* Becomes readable when something has changed; -1: nothing tells, call
 * replicate_watch_poll now and then. */
int replicate_watch_fd(const struct replicate_watch *w);
void replicate_watch_read(struct replicate_watch *w);
void replicate_watch_poll(struct replicate_watch *w);

/* -- Control
 * -------------------------------------------------------------------- */

struct replicate_control;

#define REPLICATE_CLIENTS_MAX 16
#define REPLICATE_REQUEST_MAX 65536

int replicate_control_new(
	struct replicate *r, struct replicate_control **c, struct err *e);
void replicate_control_free(struct replicate_control *c);
struct pollfd;
/* Add what is to be polled; at most REPLICATE_CLIENTS_MAX + 1.  Returns their
 * number. */
size_t replicate_control_poll(struct replicate_control *c, struct pollfd *fds);
/* Look at what was polled, and at whoever waits. */
void replicate_control_serve(struct replicate_control *c);

/* -- Socket
 * --------------------------------------------------------------------- */

/* Where state is kept when nothing is said: $STATE_DIRECTORY (systemd),
 * $XDG_STATE_HOME/yore/replicate, ~/.local/state/yore/replicate.  Given. */
char *replicate_state_dir(void);
/* Listen on the socket of this process below state_dir; the descriptor, or
 * -errno.  *name is given: the file to remove at the end. */
int replicate_listen(const char *state_dir, char **name, struct err *e);
/* Call each replicator that listens below state_dir: send it the request, and
 * hand on every line of its answer.  Returns how many there were, or -errno. */
int replicate_ask(const char *state_dir, json_t *request,
	void (*line)(void *ctx, json_t *line), void *ctx, struct err *e);

#endif
