/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An S3 server that fails when it is told to.
 *
 *   server DIRECTORY LOG ID:SECRET:RIGHTS[:TOKEN]...
 *
 * serves one bucket, "yore" in region "test-1", whose objects are the files
 * below DIRECTORY (keys.h), to those who sign with one of the keys (RIGHTS as
 * in server.h).  It logs requests (journal.h), prints its port and one for
 * control (control.h), whose commands are
 *
 *   fault OPERATION PATTERN WHEN KIND   something goes wrong (fault.h)
 *   faults                              what went wrong so far
 *   clear                               nothing more goes wrong
 *   count                               requests so far, and in flight
 *   set clock=S      the server's clock is S seconds ahead
 *   set page=N       keys on a page of a listing, at first 1000
 *   set conditional=0|1   whether If-None-Match is implemented, at first 1
 *   set min_part=N   bytes of a part that is not the last, at first 5 MiB
 *
 * What a client does wrong is refused as real servers do; what it cannot do at
 * all is answered 501.  A thread serves a connection.
 */
#include "tests/s3/server.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include "tests/s3/control.h"
#include "tests/s3/keys.h"

struct server server = {
	.bucket = "yore",
	.region = "test-1",
	.page = 1000,
	.conditional = true,
	.min_part = 5 << 20,
};

time_t
server_time(void)
{
	return time(NULL) + server.clock;
}

static void
bucket_reply(struct call *c, struct reply *r)
{
	if (!strcmp(c->head.method, "HEAD")) {
		r->status = 200;
	} else if (!strcmp(c->head.method, "GET") &&
		   call_param(c, "location")) {
		r->status = 200;
		reply_field(r, "Content-Type", "application/xml");
		buf_printf(&r->body,
			"<LocationConstraint>%s</LocationConstraint>",
			server.region);
	} else {
		reply_error(r, 501, "NotImplemented", "Not implemented");
	}
}

static void
do_call(struct call *c, struct reply *r)
{
	static const struct {
		const char *operation;
		void (*reply)(struct call *c, struct reply *r);
	} table[] = {
		{ "GET", object_get },
		{ "HEAD", object_get },
		{ "PUT", object_put },
		{ "DELETE", object_delete },
		{ "BATCH", object_delete_many },
		{ "LIST", list_reply },
		{ "BEGIN", upload_begin },
		{ "PART", upload_part },
		{ "COMPLETE", upload_complete },
		{ "ABORT", upload_abort },
		{ "BUCKET", bucket_reply },
	};

	if (strcmp(c->bucket, server.bucket)) {
		reply_error(r, 404, "NoSuchBucket", "There is no such bucket");
		return;
	}
	for (size_t i = 0; i < n_elements(table); i++)
		if (call_is(c, table[i].operation)) {
			table[i].reply(c, r);
			return;
		}
	reply_error(r, 501, "NotImplemented", "Not implemented");
}

static void
fail_with_status(struct reply *r, int status)
{
	static const struct {
		int status;
		const char *code;
	} codes[] = {
		{ 301, "PermanentRedirect" },
		{ 307, "TemporaryRedirect" },
		{ 400, "RequestTimeout" },
		{ 403, "AccessDenied" },
		{ 404, "NoSuchKey" },
		{ 412, "PreconditionFailed" },
		{ 429, "TooManyRequests" },
		{ 500, "InternalError" },
		{ 501, "NotImplemented" },
		{ 503, "SlowDown" },
	};
	const char *code = "Unknown";

	for (size_t i = 0; i < n_elements(codes); i++)
		if (codes[i].status == status)
			code = codes[i].code;
	reply_error(r, status, code, "A test wants it so");
	if (status / 100 == 3)
		reply_field(r, "Location", "http://127.0.0.1:1/elsewhere");
}

/* Whether the call's fault is an answer of its own. */
static bool
answered_by_fault(struct call *c, struct reply *r)
{
	switch (c->fault.kind) {
	case FAULT_STATUS:
		fail_with_status(r, (int)c->fault.argument);
		return true;
	case FAULT_SKEWED:
		reply_error(
			r, 403, "RequestTimeTooSkewed", "A test wants it so");
		return true;
	case FAULT_ERROR:
		reply_error(r, 200, "InternalError", "A test wants it so");
		return true;
	case FAULT_CLOSE:
	case FAULT_GARBAGE:
	case FAULT_HEADERS:
		r->status = 200;
		return true;
	default:
		/* without a number of bytes, nothing is done and nothing said
		 */
		r->status = 200;
		return (c->fault.kind == FAULT_RESET ||
			       c->fault.kind == FAULT_STALL) &&
		       c->fault.argument < 0;
	}
}

static bool
answer(struct call *c)
{
	struct reply r = { .fields = BUF_INIT, .body = BUF_INIT };
	const char *prefix = call_param(c, "prefix");
	bool keep;

	if (sign_check(c, &r)) {
		c->fault = fault_next(c->entry.operation, c->key   ? c->key
							  : prefix ? prefix
								   : "");
		if (!answered_by_fault(c, &r)) {
			r.status = 0;
			do_call(c, &r);
		}
	}
	keep = reply_send(c, &r);
	reply_release(&r);
	return keep;
}

struct guest {
	struct stream in;
	unsigned number;
};

static void *
serve(void *arg)
{
	struct guest *g = arg;
	struct call c;
	bool keep = true;

	while (keep && call_read(&g->in, g->number, &c) == 1) {
		keep = answer(&c);
		call_release(&c);
	}
	close(g->in.fd);
	stream_release(&g->in);
	free(g);
	return NULL;
}

static bool
set(const char *word)
{
	int value;

	if (sscanf(word, "clock=%d", &value) == 1)
		server.clock = value;
	else if (sscanf(word, "page=%d", &value) == 1 && value > 0)
		server.page = value;
	else if (sscanf(word, "conditional=%d", &value) == 1)
		server.conditional = value;
	else if (sscanf(word, "min_part=%d", &value) == 1)
		server.min_part = value;
	else
		return false;
	return true;
}

static bool
command(char *line, struct buf *reply)
{
	if (!strncmp(line, "fault ", 6))
		return fault_add(line + 6);
	if (!strncmp(line, "set ", 4))
		return set(line + 4);
	if (!strcmp(line, "faults"))
		fault_list(reply);
	else if (!strcmp(line, "clear"))
		fault_clear();
	else if (!strcmp(line, "count"))
		journal_counts(reply);
	else
		return false;
	return true;
}

static bool
add_access(char *text)
{
	struct access *a;

	server.access = xrealloc(
		server.access, (server.n_access + 1) * sizeof(*server.access));
	a = &server.access[server.n_access++];
	a->id = strsep(&text, ":");
	a->secret = strsep(&text, ":");
	a->rights = strsep(&text, ":");
	a->token = text;
	return a->rights;
}

int
main(int argc, char **argv)
{
	int port, listener;

	if (argc < 4) {
		fprintf(stderr, "usage: server DIRECTORY LOG "
				"ID:SECRET:RIGHTS[:TOKEN]...\n");
		return 2;
	}
	net_die_with_parent();
	server.directory = open(argv[1], O_DIRECTORY | O_RDONLY | O_CLOEXEC);
	if (server.directory < 0) {
		perror(argv[1]);
		return 1;
	}
	for (int i = 3; i < argc; i++)
		if (!add_access(argv[i]))
			return 2;
	journal_open(argv[2]);
	keys_load(server.directory);
	listener = net_listen(&port);
	control_start(port, command);
	for (unsigned number = 1;; number++) {
		struct guest *g = xcalloc(1, sizeof(*g));

		g->number = number;
		stream_init(&g->in, net_accept(listener));
		net_thread(serve, g);
	}
}
