/* SPDX-License-Identifier: GPL-2.0-or-later */
/* GET, HEAD, PUT and DELETE of objects. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "tests/s3/keys.h"
#include "tests/s3/server.h"
#include "tests/s3/xml.h"

struct range {
	bool asked;
	uint64_t from, len;
};

/*
 * What of an object of this size is asked for: true, with asked false when the
 * header is none that S3 understands, which means all of it; false when nothing
 * of the range is there.
 */
static bool
parse_range(const char *value, uint64_t size, struct range *r)
{
	unsigned long long from, to;
	int end = 0;

	*r = (struct range){ .asked = false, .from = 0, .len = size };
	if (!value || strncmp(value, "bytes=", 6))
		return true;
	value += 6;
	if (sscanf(value, "-%llu%n", &to, &end) == 1 && !value[end]) {
		r->from = to < size ? size - to : 0;
		to = size - 1;
	} else if (sscanf(value, "%llu-%llu%n", &from, &to, &end) == 2 &&
		   !value[end] && from <= to) {
		r->from = from;
	} else if (sscanf(value, "%llu-%n", &from, &end) == 1 && end &&
		   !value[end]) {
		r->from = from;
		to = size - 1;
	} else {
		return true;
	}
	r->asked = true;
	if (r->from >= size)
		return false;
	r->len = (to < size ? to + 1 : size) - r->from;
	return true;
}

/* What the fault makes of the range. */
static void
bend_range(const struct call *c, uint64_t size, struct range *r)
{
	if (!r->asked)
		return;
	if (c->fault.kind == FAULT_WHOLE)
		*r = (struct range){ .asked = false, .from = 0, .len = size };
	else if (c->fault.kind == FAULT_SHORTER)
		r->len -= r->len / 2;
	else if (c->fault.kind == FAULT_BESIDE && r->from + r->len < size)
		r->from++;
	else if (c->fault.kind == FAULT_BESIDE && r->from)
		r->from--;
}

static void
append_file(struct buf *b, int fd, uint64_t from, uint64_t len)
{
	uint8_t *p = buf_reserve(b, len);

	while (len) {
		ssize_t n = pread(fd, p, len, (off_t)from);

		if (n <= 0)
			return; /* a test has shortened the file */
		p += n;
		b->len += (size_t)n;
		from += (uint64_t)n;
		len -= (uint64_t)n;
	}
}

static void
describe(struct reply *r, const struct object *o)
{
	struct tm tm;
	char date[64];

	gmtime_r(&o->modified, &tm);
	strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", &tm);
	reply_field(r, "ETag", "\"%s\"", o->etag);
	reply_field(r, "Last-Modified", "%s", date);
	reply_field(r, "Accept-Ranges", "bytes");
	reply_field(r, "Content-Type", "binary/octet-stream");
}

static void
missing(const struct call *c, struct reply *r)
{
	/* who may not list shall not learn what there is */
	if (strchr(c->who->rights, 'l'))
		reply_error(r, 404, "NoSuchKey", "There is no such key");
	else
		reply_error(r, 403, "AccessDenied", "Access denied");
}

/* If-Match, with the ETag of one object. */
static bool
is_wanted(const struct call *c, const struct object *o)
{
	const char *match = head_get(&c->head, "If-Match");
	auto_free char *etag = xasprintf("\"%s\"", o->etag);

	return !match || !strcmp(match, etag) || !strcmp(match, o->etag);
}

void
object_get(struct call *c, struct reply *r)
{
	struct object o;
	auto_close int fd = keys_open(c->key, &o);
	struct range range;

	if (fd < 0) {
		missing(c, r);
		return;
	}
	if (!parse_range(head_get(&c->head, "Range"), o.size, &range)) {
		reply_error(r, 416, "InvalidRange",
			"Nothing of the range is there");
		reply_field(r, "Content-Range", "bytes */%lu", o.size);
		return;
	}
	if (!is_wanted(c, &o)) {
		reply_error(r, 412, "PreconditionFailed", "It is another one");
		return;
	}
	bend_range(c, o.size, &range);
	describe(r, &o);
	r->status = range.asked ? 206 : 200;
	if (range.asked && c->fault.kind != FAULT_MUTE)
		reply_field(r, "Content-Range", "bytes %lu-%lu/%lu", range.from,
			range.from + range.len - 1, o.size);
	append_file(&r->body, fd, range.from, range.len);
	if (c->fault.kind == FAULT_LONGER)
		buf_append(&r->body, "and more", 8);
}

bool
object_store(struct call *c, struct reply *r, const void *data, size_t len)
{
	const char *condition = head_get(&c->head, "If-None-Match");
	int ret;

	if (condition && (!server.conditional || strcmp(condition, "*"))) {
		reply_error(r, 501, "NotImplemented",
			"Conditional writing is not implemented");
		return false;
	}
	if (c->fault.kind == FAULT_LOST)
		return true;
	ret = keys_put(c->key, data, len, condition != NULL);
	if (ret == -EEXIST)
		reply_error(r, 412, "PreconditionFailed",
			"There is such a key already");
	else if (ret == -EINVAL)
		reply_error(r, 400, "InvalidArgument",
			"This server cannot store such keys");
	else if (ret)
		reply_error(r, 507, "InsufficientStorage", strerror(-ret));
	return ret == 0;
}

void
object_put(struct call *c, struct reply *r)
{
	char etag[33];

	if (head_length(&c->head) < 0) {
		reply_error(r, 411, "MissingContentLength",
			"Content-Length is needed");
		return;
	}
	if (!object_store(c, r, c->body, c->body_len))
		return;
	sign_hex_md5(c->body, c->body_len, etag);
	reply_field(r, "ETag", "\"%s\"", etag);
	r->status = 200;
}

void
object_delete(struct call *c, struct reply *r)
{
	if (c->fault.kind != FAULT_LOST)
		keys_remove(c->key);
	r->status = 204;
}

void
object_delete_many(struct call *c, struct reply *r)
{
	const char *p = c->body ? (char *)c->body : "";
	auto_free char *quiet = NULL;
	char *item;

	if (!head_get(&c->head, "Content-MD5")) {
		reply_error(r, 400, "InvalidRequest", "Content-MD5 is missing");
		return;
	}
	quiet = xml_next(&(const char *){ p }, "Quiet");
	r->status = 200;
	reply_field(r, "Content-Type", "application/xml");
	buf_printf(&r->body,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<DeleteResult>");
	while ((item = xml_next(&p, "Object"))) {
		auto_free char *key = xml_next(&(const char *){ item }, "Key");

		free(item);
		if (!key)
			continue;
		if (c->fault.kind != FAULT_LOST)
			keys_remove(key);
		if (quiet && !strcmp(quiet, "true"))
			continue;
		buf_printf(&r->body, "<Deleted><Key>");
		xml_text(&r->body, key);
		buf_printf(&r->body, "</Key></Deleted>");
	}
	buf_printf(&r->body, "</DeleteResult>");
}
