/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is answered, and what a fault makes of it on its way. */
#include "tests/s3/server.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void
reply_field(struct reply *r, const char *name, const char *fmt, ...)
{
	char value[4096];
	va_list args;

	va_start(args, fmt);
	vsnprintf(value, sizeof(value), fmt, args);
	va_end(args);
	buf_printf(&r->fields, "%s: %s\r\n", name, value);
}

void
reply_error(struct reply *r, int status, const char *code, const char *message)
{
	reply_release(r);
	r->status = status;
	reply_field(r, "Content-Type", "application/xml");
	buf_printf(&r->body,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<Error><Code>%s</Code><Message>%s</Message>"
		"<RequestId>TEST</RequestId></Error>",
		code, message);
}

void
reply_release(struct reply *r)
{
	buf_release(&r->fields);
	buf_release(&r->body);
	*r = (struct reply){ .fields = BUF_INIT, .body = BUF_INIT };
}

static const char *
reason(int status)
{
	switch (status) {
	case 200:
		return "OK";
	case 204:
		return "No Content";
	case 206:
		return "Partial Content";
	case 503:
		return "Slow Down";
	default:
		return "Status";
	}
}

/* The head of the answer: with its length, or in chunks. */
static void
put_head(struct buf *b, const struct reply *r, bool chunked)
{
	time_t now = server_time();
	struct tm tm;
	char date[64];

	gmtime_r(&now, &tm);
	strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", &tm);
	buf_printf(b,
		"HTTP/1.1 %d %s\r\nDate: %s\r\nServer: tests/s3/server\r\n",
		r->status, reason(r->status), date);
	buf_append(b, r->fields.data, r->fields.len);
	if (r->closes)
		buf_printf(b, "Connection: close\r\n");
	if (chunked)
		buf_printf(b, "Transfer-Encoding: chunked\r\n\r\n");
	else if (r->status == 204)
		buf_printf(b, "\r\n");
	else
		buf_printf(b, "Content-Length: %zu\r\n\r\n", r->body.len);
}

/* Say nothing more until the other side has had enough. */
static void
silence(struct call *c)
{
	char data[4096];

	while (stream_read(c->in, data, sizeof(data)) > 0)
		;
}

static void
flood(int fd)
{
	net_send(fd, "HTTP/1.1 200 OK\r\n", 17);
	for (unsigned i = 0; i < 1000000; i++) {
		char field[80];
		int len = snprintf(field, sizeof(field),
			"x-more-%u: and more and more and more\r\n", i);

		if (!net_send(fd, field, (size_t)len))
			return;
	}
}

static bool
send_slowly(int fd, const struct buf *b, int64_t rate)
{
	int64_t next = net_now();
	size_t sent = 0;

	if (rate <= 0)
		rate = 10;
	while (sent < b->len) {
		size_t n = (size_t)(rate + 9) / 10;

		if (n > b->len - sent)
			n = b->len - sent;
		if (!net_send(fd, b->data + sent, n))
			return false;
		sent += n;
		net_sleep_until(next += 100000000);
	}
	return true;
}

static bool
send_chunks(int fd, const struct reply *r)
{
	auto_buf struct buf b = BUF_INIT;
	size_t half = r->body.len / 2;

	put_head(&b, r, true);
	if (half)
		buf_printf(&b, "%zx\r\n", half);
	buf_append(&b, r->body.data, half);
	if (half)
		buf_printf(&b, "\r\n");
	if (r->body.len > half) {
		buf_printf(&b, "%zx\r\n", r->body.len - half);
		buf_append(&b, r->body.data + half, r->body.len - half);
		buf_printf(&b, "\r\n");
	}
	buf_printf(&b, "0\r\n\r\n");
	return net_send(fd, b.data, b.len);
}

/* How many bytes of the answer go out before it breaks. */
static size_t
broken_at(const struct call *c, const struct buf *b, size_t head)
{
	int64_t n = c->fault.argument;

	if (c->fault.kind == FAULT_TRUNCATED)
		return head + (b->len - head) / 2;
	if (c->fault.kind == FAULT_CLOSE || c->fault.kind == FAULT_UNHEARD ||
		n < 0)
		return 0;
	return head + (size_t)n < b->len ? head + (size_t)n : b->len;
}

static bool
send_broken(struct call *c, const struct buf *b, size_t head)
{
	size_t n = broken_at(c, b, head);
	int fd = c->in->fd;

	net_send(fd, b->data, n);
	if (c->fault.kind == FAULT_STALL)
		silence(c);
	else if (c->fault.kind == FAULT_RESET ||
		 c->fault.kind == FAULT_UNHEARD) {
		if (n) /* what was sent must arrive before the reset does */
			net_sleep_until(net_now() + 20000000);
		net_reset(fd);
	}
	return false;
}

/* Send b, whose first bytes are the head, as the fault wants it. */
static bool
send_with_fault(
	struct call *c, const struct reply *r, struct buf *b, size_t head)
{
	int fd = c->in->fd;

	switch (c->fault.kind) {
	case FAULT_RESET:
	case FAULT_CLOSE:
	case FAULT_STALL:
	case FAULT_TRUNCATED:
	case FAULT_UNHEARD:
		return send_broken(c, b, head);
	case FAULT_GARBAGE:
		net_send(fd, "The cake is a lie.\r\n\r\n", 22);
		return false;
	case FAULT_HEADERS:
		flood(fd);
		return false;
	case FAULT_SLOW:
		return send_slowly(fd, b, c->fault.argument);
	case FAULT_CHUNKED:
		if (r->status != 204 && !call_is(c, "HEAD"))
			return send_chunks(fd, r);
		break;
	case FAULT_FLIP:
		if (b->len > head)
			b->data[head + (b->len - head) / 2] ^= 1;
		break;
	case FAULT_DELAY:
		net_sleep_until(net_now() + c->fault.argument * 1000000);
		break;
	default:
		break;
	}
	return net_send(fd, b->data, b->len);
}

bool
reply_send(struct call *c, struct reply *r)
{
	auto_buf struct buf b = BUF_INIT;
	size_t head;

	r->closes = r->closes || head_closes(&c->head);
	put_head(&b, r, false);
	head = b.len;
	if (!call_is(c, "HEAD") && r->status != 204)
		buf_append(&b, r->body.data, r->body.len);
	c->entry.status = r->status;
	c->entry.down = b.len - head;
	c->entry.fault = c->fault.name;
	journal_end(&c->entry);
	return send_with_fault(c, r, &b, head) && !r->closes;
}
