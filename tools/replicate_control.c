/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The replicator's side of its socket.  Nothing here waits: who asked for a
 * sync and wants to know when it is done stays connected, and is looked at
 * whenever there is news.
 */
#include "tools/replicate.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "repo/base/auto.h"
#include "repo/base/buf.h"
#include "repo/base/clock.h"
#include "tools/json.h"

struct client {
	int fd;
	struct buf request;
	bool waits; /* for a sync */
	bool stored;
	uint64_t *numbers; /* of each database; 0: not asked for, or done */
	size_t n;
	char *failed; /* first thing that was in the way */
};

struct replicate_control {
	struct replicate *r;
	int fd;
	char *name;
	struct client clients[REPLICATE_CLIENTS_MAX];
	size_t n;
};

int
replicate_control_new(
	struct replicate *r, struct replicate_control **out, struct err *e)
{
	struct replicate_control *c = xcalloc(1, sizeof(*c));

	c->r = r;
	c->fd = replicate_listen(r->state_dir, &c->name, e);
	if (c->fd < 0) {
		int code = c->fd;

		free(c);
		return code;
	}
	*out = c;
	return 0;
}

static void
client_release(struct client *cl)
{
	close(cl->fd);
	buf_release(&cl->request);
	free(cl->numbers);
	free(cl->failed);
}

void
replicate_control_free(struct replicate_control *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->n; i++)
		client_release(&c->clients[i]);
	close(c->fd);
	unlink(c->name);
	free(c->name);
	free(c);
}

size_t
replicate_control_poll(struct replicate_control *c, struct pollfd *fds)
{
	size_t n = 0;

	fds[n++] = (struct pollfd){ .fd = c->n < REPLICATE_CLIENTS_MAX ? c->fd
								       : -1,
		.events = POLLIN };
	for (size_t i = 0; i < c->n; i++)
		fds[n++] = (struct pollfd){ .fd = c->clients[i].fd,
			.events = POLLIN };
	return n;
}

/* -- Answers
 * -------------------------------------------------------------------- */

static void
say(struct client *cl, json_t *line)
{
	auto_free char *text = json_dumps(line, JSON_COMPACT);
	auto_free char *whole = xasprintf("%s\n", text ? text : "{}");

	json_decref(line);
	/* whoever does not read its answer goes without */
	if (send(cl->fd, whole, strlen(whole), MSG_NOSIGNAL) < 0)
		return;
}

static const char *const phases[] = {
	[REPLICATION_STARTING] = "starting",
	[REPLICATION_WAITING] = "waiting",
	[REPLICATION_BASE] = "base",
	[REPLICATION_RUNNING] = "replicating",
	[REPLICATION_LOST] = "lost",
};

static void
set_time(json_t *line, const char *key, int64_t t_ns)
{
	if (t_ns)
		json_time_ns(line, key, t_ns);
}

static json_t *
describe(struct replicate *r, size_t i)
{
	struct replication *rp = replicator_get(r->replicator, i);
	const char *path = replication_path(rp);
	struct replication_status s;
	json_t *line = json_line("database");
	int64_t now = clock_wall_ns(), lag;

	replication_status(rp, &s);
	lag = s.behind_ns && s.behind_ns < now ? now - s.behind_ns : 0;
	json_name(line, "path", path, strlen(path));
	json_text(line, "host", r->host);
	json_name(line, "source", replication_name(rp),
		strlen(replication_name(rp)));
	json_text(line, "state", phases[s.phase]);
	set_time(line, "captured", s.captured_ns);
	set_time(line, "stored", s.stored_ns);
	json_u64(line, "lag_milliseconds", (uint64_t)(lag / 1000000));
	json_u64(line, "queue_bytes", s.queue_bytes);
	json_u64(line, "deltas", s.deltas);
	json_u64(line, "bases", s.bases);
	json_u64(line, "locked_microseconds_max",
		(uint64_t)(s.locked_ns_max / 1000));
	json_flag(line, "failing", s.capture_failed || s.upload_failed);
	if (s.error.code)
		json_name(line, "error", s.error.text, strlen(s.error.text));
	if (s.last_error.code) {
		json_name(line, "last_error", s.last_error.text,
			strlen(s.last_error.text));
		json_time_ns(line, "last_error_time", s.last_error_ns);
	}
	return line;
}

static void
answer_status(struct replicate_control *c, struct client *cl)
{
	size_t n = replicator_count(c->r->replicator);

	for (size_t i = 0; i < n; i++)
		say(cl, describe(c->r, i));
}

/* Whether a request's list of databases (absent: all) has this one. */
static bool
is_asked_for(json_t *request, const char *path)
{
	json_t *list = json_object_get(request, "databases"), *one;
	size_t i;

	if (!json_array_size(list))
		return true;
	json_array_foreach(list, i,
		one) if (json_is_string(one) &&
			 !strcmp(json_string_value(one), path)) return true;
	return false;
}

static void
begin_sync(struct replicate_control *c, struct client *cl, json_t *request)
{
	struct replicator *r = c->r->replicator;

	cl->n = replicator_count(r);
	cl->numbers = xcalloc(cl->n + 1, sizeof(*cl->numbers));
	cl->waits = true;
	cl->stored = json_is_true(json_object_get(request, "wait"));
	for (size_t i = 0; i < cl->n; i++) {
		struct replication *rp = replicator_get(r, i);

		if (!is_asked_for(request, replication_path(rp)))
			continue;
		cl->numbers[i] = replication_sync(rp);
		replicator_look(r, i);
		say(cl, json_pack("{s:s, s:s}", "type", "sync", "path",
				replication_path(rp)));
	}
}

/* Whether the sync is done with: every database is, or failed. */
static bool
sync_is_done(struct replicate_control *c, struct client *cl)
{
	size_t left = 0;

	for (size_t i = 0; i < cl->n; i++) {
		struct err e = ERR_INIT;
		int r = !cl->numbers[i]
				? 1
				: replication_synced(
					  replicator_get(c->r->replicator, i),
					  cl->numbers[i], cl->stored, &e);

		if (r < 0 && !cl->failed)
			cl->failed = xstrdup(e.text);
		if (r)
			cl->numbers[i] = 0;
		left += !r;
	}
	return !left;
}

static void
end_sync(struct client *cl)
{
	json_t *line = json_line("end");

	json_flag(line, "done", !cl->failed);
	if (cl->failed)
		json_name(line, "error", cl->failed, strlen(cl->failed));
	say(cl, line);
}

/* -- Requests
 * ------------------------------------------------------------------- */

/* Whether the client is done with. */
static bool
handle(struct replicate_control *c, struct client *cl)
{
	json_t *request = json_loadb(
		(const char *)cl->request.data, cl->request.len, 0, NULL);
	const char *command =
		json_string_value(json_object_get(request, "command"));
	bool done = true;

	if (command && !strcmp(command, "status")) {
		answer_status(c, cl);
	} else if (command && !strcmp(command, "sync")) {
		begin_sync(c, cl, request);
		done = false;
	}
	json_decref(request);
	return done;
}

static bool
take_request(struct replicate_control *c, struct client *cl)
{
	uint8_t bytes[4096];
	ssize_t n = recv(cl->fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	if (n < 0)
		return errno != EAGAIN && errno != EINTR;
	if (n == 0 || cl->request.len + (size_t)n > REPLICATE_REQUEST_MAX)
		return true;
	if (cl->waits)
		return false;
	buf_append(&cl->request, bytes, (size_t)n);
	return memchr(bytes, '\n', (size_t)n) && handle(c, cl);
}

void
replicate_control_serve(struct replicate_control *c)
{
	struct timeval tv = { .tv_sec = 1 };
	int fd;

	while (c->n < REPLICATE_CLIENTS_MAX &&
		(fd = accept4(c->fd, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
		c->clients[c->n++] =
			(struct client){ .fd = fd, .request = BUF_INIT };
	}
	for (size_t i = 0; i < c->n;) {
		struct client *cl = &c->clients[i];
		bool done = take_request(c, cl);

		if (!done && cl->waits && sync_is_done(c, cl)) {
			end_sync(cl);
			done = true;
		}
		if (done) {
			client_release(cl);
			*cl = c->clients[--c->n];
		} else {
			i++;
		}
	}
}
