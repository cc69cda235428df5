/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A proxy that makes a near S3 server behave like a far, slow or failing one,
 * and counts what is asked of it.
 *
 *   proxy PORT LOG [NAME=NUMBER...]
 *
 * passes requests on to PORT of the loopback, logs them (journal.h), and treats
 * them as pace.h says.  It prints its own port and one for control (control.h),
 * whose commands are
 *
 *   set NAME=NUMBER...
 *   normal | hole | drop | refuse    the state of the line (pace.h)
 *   cut                              reset every connection now
 *   count                            requests so far, and in flight
 *
 * A connection has two threads.  The upward one reads requests, passes them on
 * and queues what is known of them; the downward one takes them off the queue,
 * reads the response to each, and sends it not before its time.  Each request
 * has a time of its own, so requests that are sent without waiting for answers
 * are delayed once, not one after the other.
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include "repo/base/buf.h"
#include "tests/s3/control.h"
#include "tests/s3/http.h"
#include "tests/s3/journal.h"
#include "tests/s3/pace.h"

#define QUANTUM (32 << 10)

struct request {
	struct request *next;
	struct entry entry;
	char *target, *range;
	enum accident accident;
	bool logged;
};

struct direction {
	struct stream from;
	int to;
	struct pace own, *all;
	uint64_t moved;
};

struct connection {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct request *first, **last; /* passed on, not answered */
	bool over; /* no more requests come, or nobody wants answers */
	unsigned number;
	struct direction up, down;
	struct connection *next, **where; /* of all, under all.lock */
};

static struct {
	pthread_mutex_t lock;
	struct connection *connections;
	unsigned number;
	int listener, port;
	struct pace up, down;
} all = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.up = PACE_INIT,
	.down = PACE_INIT,
};

static struct request *
request_new(struct connection *c, const struct head *h)
{
	struct request *r = xcalloc(1, sizeof(*r));
	const char *range = head_get(h, "Range");
	int64_t length = head_length(h);

	r->target = xstrdup(h->target);
	r->range = xstrdup(range ? range : "-");
	r->entry = (struct entry){
		.connection = c->number,
		.operation = http_operation(h->method, h->target),
		.range = r->range,
		.target = r->target,
		.up = length > 0 ? (uint64_t)length : 0,
	};
	r->accident = pace_accident();
	journal_begin(&r->entry);
	return r;
}

static void
request_log(struct request *r)
{
	if (!r->logged)
		journal_end(&r->entry);
	r->logged = true;
}

static void
request_free(struct request *r)
{
	request_log(r);
	free(r->target);
	free(r->range);
	free(r);
}

static void
push(struct connection *c, struct request *r)
{
	auto_lock(&c->lock);

	*c->last = r;
	c->last = &r->next;
	pthread_cond_broadcast(&c->changed);
}

/* The next request to answer; NULL when there is none and none will come. */
static struct request *
pop(struct connection *c)
{
	auto_lock(&c->lock);
	struct request *r;

	while (!c->first && !c->over)
		pthread_cond_wait(&c->changed, &c->lock);
	r = c->first;
	if (r && !(c->first = r->next))
		c->last = &c->first;
	return r;
}

static void
end(struct connection *c)
{
	auto_lock(&c->lock);

	c->over = true;
	pthread_cond_broadcast(&c->changed);
}

static void
wait_for_end(struct connection *c)
{
	auto_lock(&c->lock);

	while (!c->over)
		pthread_cond_wait(&c->changed, &c->lock);
}

/* Pass n bytes on; false when a side is gone. */
static bool
pass(struct direction *d, int64_t n)
{
	char data[QUANTUM];

	while (n > 0) {
		ssize_t got = stream_read(
			&d->from, data, n < QUANTUM ? (size_t)n : QUANTUM);

		if (got <= 0)
			return false;
		pace_take(&d->own, d->all, (size_t)got);
		pace_gate();
		if (!net_send(d->to, data, (size_t)got))
			return false;
		d->moved += (uint64_t)got;
		n -= got;
	}
	return true;
}

/* How many bytes the line has that comes next; -1 when there is none. */
static int64_t
line_length(struct stream *s)
{
	const uint8_t *end;

	while (!(
		end = memmem(s->data + s->start, s->end - s->start, "\r\n", 2)))
		if (stream_fill(s, HEAD_MAX) <= 0)
			return -1;
	return end + 2 - (s->data + s->start);
}

/* Pass chunks on, up to the empty one that ends a body. */
static bool
pass_chunks(struct direction *d)
{
	int64_t line, size;

	while ((line = line_length(&d->from)) > 0) {
		size = strtoll((char *)d->from.data + d->from.start, NULL, 16);
		if (size <= 0)
			return size == 0;
		if (!pass(d, line + size + 2))
			return false;
	}
	return false;
}

/* The empty chunk and what follows it. */
static bool
pass_last_chunk(struct direction *d)
{
	int64_t line;

	while ((line = line_length(&d->from)) > 2)
		if (!pass(d, line))
			return false;
	return line == 2 && pass(d, line);
}

static bool
swallow(struct stream *from, int64_t n)
{
	char data[QUANTUM];

	while (n > 0) {
		ssize_t got = stream_read(
			from, data, n < QUANTUM ? (size_t)n : QUANTUM);

		if (got <= 0)
			return false;
		n -= got;
	}
	return true;
}

/* Pass a request on, or keep it from the server.  The answer to "Expect:
 * 100-continue" travels the usual way. */
static bool
pass_request(struct connection *c, const struct head *h)
{
	struct request *r = request_new(c, h);
	bool busy = r->accident == ACCIDENT_BUSY;

	push(c, r); /* it may be freed from now on */
	if (busy)
		return swallow(&c->up.from, head_length(h));
	return net_send(c->up.to, h->raw, h->raw_len) &&
	       pass(&c->up, head_length(h));
}

static bool
say_busy(struct connection *c, struct request *r)
{
	static const char body[] =
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error>"
		"<Code>SlowDown</Code><Message>The line is busy.</Message>"
		"</Error>";
	auto_buf struct buf b = BUF_INIT;

	buf_printf(&b,
		"HTTP/1.1 503 Slow Down\r\nContent-Type: application/xml\r\n"
		"Content-Length: %zu\r\n\r\n%s",
		sizeof(body) - 1, body);
	r->entry.status = 503;
	r->entry.down = sizeof(body) - 1;
	r->entry.fault = "busy";
	request_log(r);
	return net_send(c->down.to, b.data, b.len);
}

/* A request ends with its body, and that is when the server answers. */
static void
wait_for_first_byte(const struct request *r)
{
	double ms = pace_get(DELAY) + pace_random() * pace_get(JITTER);
	int64_t end = r->entry.up ? net_now() : r->entry.begin;

	if (ms > 0)
		net_sleep_until(end + (int64_t)(ms * 1e6));
	pace_gate();
}

/* The head of the final response; what comes before it is passed on. */
static bool
read_head(struct connection *c, struct head *h)
{
	while (head_read(&c->down.from, h) == 1) {
		if (h->status / 100 != 1)
			return true;
		net_send(c->down.to, h->raw, h->raw_len);
		head_release(h);
	}
	return false;
}

static int64_t
body_length(const struct request *r, const struct head *h)
{
	if (!strcmp(r->entry.operation, "HEAD") || h->status == 204 ||
		h->status == 304)
		return 0;
	return head_length(h);
}

/* Part of the response, then what was drawn for it. */
static bool
have_accident(struct connection *c, struct request *r, int64_t length)
{
	int64_t part = (int64_t)(pace_random() * (double)length);

	r->entry.fault = r->accident == ACCIDENT_STALL ? "stall" : "reset";
	pass(&c->down, part);
	if (r->accident == ACCIDENT_STALL)
		wait_for_end(c);
	r->entry.down = c->down.moved;
	return false;
}

/* A body of known length; the journal has its line before the end of it. */
static bool
pass_body(struct connection *c, struct request *r, int64_t length)
{
	int64_t tail = length < QUANTUM ? length : QUANTUM;
	bool well = pass(&c->down, length - tail);

	r->entry.down = c->down.moved + (uint64_t)(well ? tail : 0);
	request_log(r);
	return well && pass(&c->down, tail);
}

static bool
pass_chunked(struct connection *c, struct request *r)
{
	bool well = pass_chunks(&c->down);

	r->entry.down = c->down.moved;
	request_log(r);
	return well && pass_last_chunk(&c->down);
}

static bool
pass_response(struct connection *c, struct request *r)
{
	struct head h;
	int64_t length;
	bool well;

	if (!read_head(c, &h))
		return false;
	length = body_length(r, &h);
	wait_for_first_byte(r);
	r->entry.status = h.status;
	c->down.moved = 0;
	if (length == 0 && r->accident == NO_ACCIDENT)
		request_log(r);
	if (!net_send(c->down.to, h.raw, h.raw_len))
		well = false;
	else if (r->accident != NO_ACCIDENT)
		well = have_accident(c, r, length);
	else if (length < 0 && head_chunked(&h))
		well = pass_chunked(c, r);
	else if (length >= 0)
		well = pass_body(c, r, length);
	else
		well = false; /* an S3 server tells how much it sends */
	well = well && !head_closes(&h);
	head_release(&h);
	return well;
}

static void *
downward(void *arg)
{
	struct connection *c = arg;
	struct request *r;
	bool well = true;

	while (well && (r = pop(c))) {
		if (r->accident == ACCIDENT_BUSY) {
			wait_for_first_byte(r);
			well = say_busy(c, r);
		} else {
			well = pass_response(c, r);
		}
		/* closed by either side, or on purpose */
		if (!well)
			net_reset(r->accident == NO_ACCIDENT ? c->down.from.fd
							     : c->down.to);
		request_free(r);
	}
	shutdown(c->down.to, SHUT_RDWR);
	return NULL;
}

static void
upward(struct connection *c)
{
	int64_t start = net_now() + (int64_t)(pace_get(CONNECT) * 1e6);
	struct head h;
	bool well = true;

	while (well && head_read(&c->up.from, &h) == 1) {
		net_sleep_until(start);
		pace_gate();
		well = pass_request(c, &h);
		head_release(&h);
	}
	end(c);
}

static void
enlist(struct connection *c)
{
	auto_lock(&all.lock);

	c->next = all.connections;
	c->where = &all.connections;
	if (c->next)
		c->next->where = &c->next;
	all.connections = c;
}

static void
connection_free(struct connection *c)
{
	{
		auto_lock(&all.lock);

		*c->where = c->next;
		if (c->next)
			c->next->where = c->where;
	}
	for (struct request *r; (r = pop(c));)
		request_free(r);
	close(c->up.from.fd);
	close(c->up.to);
	stream_release(&c->up.from);
	stream_release(&c->down.from);
	free(c);
}

/* A connection: this thread is the upward one. */
static void *
serve(void *arg)
{
	struct connection *c = arg;
	pthread_t down;

	if (pthread_create(&down, NULL, downward, c))
		abort();
	upward(c);
	pthread_join(down, NULL);
	connection_free(c);
	return NULL;
}

static struct connection *
connection_new(int client, int server)
{
	struct connection *c = xcalloc(1, sizeof(*c));

	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->changed, NULL);
	c->last = &c->first;
	c->number = ++all.number;
	c->up = (struct direction){ .own = PACE_INIT, .all = &all.up };
	c->down = (struct direction){ .own = PACE_INIT, .all = &all.down };
	stream_init(&c->up.from, client);
	stream_init(&c->down.from, server);
	c->up.to = server;
	c->down.to = client;
	enlist(c);
	return c;
}

static void
accept_one(void)
{
	int server = -1, client = net_accept(all.listener);

	if (pace_line_now() != LINE_REFUSE)
		server = net_connect(all.port);
	if (server < 0) {
		net_reset(client);
		close(client);
		return;
	}
	net_thread(serve, connection_new(client, server));
}

static void
cut(void)
{
	auto_lock(&all.lock);

	for (struct connection *c = all.connections; c; c = c->next) {
		net_reset(c->up.from.fd);
		net_reset(c->up.to);
	}
}

static void
set_line(enum line l)
{
	/* What nobody accepts fills a queue of one; the kernel drops the rest.
	 */
	listen(all.listener, l == LINE_DROP ? 0 : 1024);
	pace_line(l);
	if (l == LINE_REFUSE)
		cut();
}

static bool
command(char *line, struct buf *reply)
{
	static const char *const lines[] = {
		[LINE_NORMAL] = "normal",
		[LINE_HOLE] = "hole",
		[LINE_DROP] = "drop",
		[LINE_REFUSE] = "refuse",
	};

	if (!strncmp(line, "set ", 4))
		return pace_set(line + 4);
	if (!strcmp(line, "count"))
		journal_counts(reply);
	else if (!strcmp(line, "cut"))
		cut();
	else {
		for (unsigned i = 0; i < n_elements(lines); i++)
			if (!strcmp(line, lines[i])) {
				set_line(i);
				return true;
			}
		return false;
	}
	return true;
}

int
main(int argc, char **argv)
{
	int port;

	if (argc < 3) {
		fprintf(stderr, "usage: proxy PORT LOG [NAME=NUMBER...]\n");
		return 2;
	}
	net_die_with_parent();
	all.port = atoi(argv[1]);
	journal_open(argv[2]);
	for (int i = 3; i < argc; i++)
		if (!pace_set(argv[i])) {
			fprintf(stderr, "proxy: what is %s?\n", argv[i]);
			return 2;
		}
	all.listener = net_listen(&port);
	control_start(port, command);
	for (;;) {
		/* in a hole, connections wait to be accepted by the kernel */
		if (pace_line_now() == LINE_DROP)
			pace_gate();
		accept_one();
	}
}
