/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Multipart uploads: their parts wait in memory. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include "tests/s3/server.h"
#include "tests/s3/xml.h"

#define PARTS_MAX 10000

struct part {
	uint8_t *data;
	size_t len;
	char etag[33];
};

struct upload {
	struct upload *next;
	unsigned id;
	char *key;
	struct part *part; /* PARTS_MAX + 1 of them, by number */
};

static struct {
	pthread_mutex_t lock;
	struct upload *all;
	unsigned last;
} uploads = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void
upload_free(struct upload *u)
{
	for (int i = 0; i <= PARTS_MAX; i++)
		free(u->part[i].data);
	free(u->part);
	free(u->key);
	free(u);
}

/* The upload that the call names, taken off the list if asked so. */
static struct upload *
find(const struct call *c, bool take)
{
	const char *id = call_param(c, "uploadId");

	for (struct upload **u = &uploads.all; *u; u = &(*u)->next) {
		struct upload *found = *u;

		if (!id || strtoul(id, NULL, 10) != found->id ||
			strcmp(found->key, c->key))
			continue;
		if (take)
			*u = found->next;
		return found;
	}
	return NULL;
}

static void
no_such_upload(struct reply *r)
{
	reply_error(r, 404, "NoSuchUpload", "There is no such upload");
}

static void
begin_xml(struct reply *r, const char *name)
{
	r->status = 200;
	reply_field(r, "Content-Type", "application/xml");
	buf_printf(&r->body,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<%s>"
		"<Bucket>%s</Bucket><Key>",
		name, server.bucket);
}

void
upload_begin(struct call *c, struct reply *r)
{
	auto_lock(&uploads.lock);
	struct upload *u = xcalloc(1, sizeof(*u));

	u->id = ++uploads.last;
	u->key = xstrdup(c->key);
	u->part = xcalloc(PARTS_MAX + 1, sizeof(*u->part));
	u->next = uploads.all;
	uploads.all = u;
	begin_xml(r, "InitiateMultipartUploadResult");
	xml_text(&r->body, c->key);
	buf_printf(&r->body,
		"</Key><UploadId>%u</UploadId></InitiateMultipartUploadResult>",
		u->id);
}

void
upload_part(struct call *c, struct reply *r)
{
	auto_lock(&uploads.lock);
	const char *number = call_param(c, "partNumber");
	unsigned long n = number ? strtoul(number, NULL, 10) : 0;
	struct upload *u = find(c, false);
	struct part *p;

	if (!u) {
		no_such_upload(r);
		return;
	}
	if (n < 1 || n > PARTS_MAX) {
		reply_error(r, 400, "InvalidArgument",
			"Parts are numbered from 1 to 10000");
		return;
	}
	p = &u->part[n];
	r->status = 200;
	sign_hex_md5(c->body, c->body_len, p->etag);
	reply_field(r, "ETag", "\"%s\"", p->etag);
	if (c->fault.kind == FAULT_LOST)
		return;
	free(p->data);
	p->len = c->body_len;
	p->data = c->body ? steal(c->body) : xmalloc(1);
}

void
upload_abort(struct call *c, struct reply *r)
{
	auto_lock(&uploads.lock);
	struct upload *u = find(c, true);

	if (!u) {
		no_such_upload(r);
		return;
	}
	upload_free(u);
	r->status = 204;
}

/* The part that an element <Part> names; NULL when there is none such. */
static const struct part *
named_part(const struct upload *u, const char *xml, unsigned long *number)
{
	auto_free char *n = xml_next(&(const char *){ xml }, "PartNumber");
	auto_free char *etag = xml_next(&(const char *){ xml }, "ETag");
	const char *bare = etag && *etag == '"' ? etag + 1 : etag;
	const struct part *p;

	if (!n || !etag)
		return NULL;
	*number = strtoul(n, NULL, 10);
	if (*number < 1 || *number > PARTS_MAX)
		return NULL;
	p = &u->part[*number];
	return p->data && !strncmp(bare, p->etag, 32) ? p : NULL;
}

/* Put the parts together that the body lists; false when the reply says why
 * they do not make an object. */
static bool
join(const struct call *c, const struct upload *u, struct buf *out,
	struct reply *r)
{
	const char *p = c->body ? (char *)c->body : "";
	unsigned long last = 0, number = 0;
	size_t last_len = SIZE_MAX;
	char *xml;

	while ((xml = xml_next(&p, "Part"))) {
		const struct part *part = named_part(u, xml, &number);

		free(xml);
		if (!part)
			reply_error(r, 400, "InvalidPart", "No such part");
		else if (number <= last)
			reply_error(r, 400, "InvalidPartOrder",
				"The parts are not in order");
		else if (last_len < (size_t)server.min_part)
			reply_error(r, 400, "EntityTooSmall",
				"A part is too small");
		if (r->status)
			return false;
		buf_append(out, part->data, part->len);
		last = number;
		last_len = part->len;
	}
	if (!last)
		reply_error(r, 400, "MalformedXML", "No part is named");
	return last;
}

void
upload_complete(struct call *c, struct reply *r)
{
	auto_lock(&uploads.lock);
	auto_buf struct buf whole = BUF_INIT;
	struct upload *u = find(c, false);
	char etag[33];

	if (!u) {
		no_such_upload(r);
		return;
	}
	if (!join(c, u, &whole, r) ||
		!object_store(c, r, whole.data, whole.len))
		return;
	sign_hex_md5(whole.data, whole.len, etag);
	begin_xml(r, "CompleteMultipartUploadResult");
	xml_text(&r->body, c->key);
	buf_printf(&r->body,
		"</Key><ETag>&quot;%s-1&quot;</ETag>"
		"</CompleteMultipartUploadResult>",
		etag);
	if (c->fault.kind != FAULT_LOST)
		upload_free(find(c, true));
}
