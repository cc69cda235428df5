/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pages of listings (ListObjectsV2).  A token is the last key or common prefix
 * of the page before, in hexadecimal.
 */
#include <stdio.h>
#include <string.h>
#include "tests/s3/keys.h"
#include "tests/s3/server.h"
#include "tests/s3/xml.h"

struct page {
	const struct call *call;
	const char *prefix, *delimiter;
	char *after;
	bool url;
	size_t room;
	char **item; /* XML of each key or common prefix */
	char **name; /* the same, bare */
	size_t n;
	bool more;
};

static void
put_name(struct buf *b, const struct page *p, const char *element,
	const char *name)
{
	buf_printf(b, "<%s>", element);
	if (p->url)
		call_encode(b, name, true);
	else
		xml_text(b, name);
	buf_printf(b, "</%s>", element);
}

static char *
text_of(struct buf *b)
{
	buf_append(b, "", 1);
	return (char *)buf_steal(b, NULL);
}

static void
add_item(struct page *p, const char *name, char *item)
{
	p->item = xrealloc(p->item, (p->n + 1) * sizeof(*p->item));
	p->name = xrealloc(p->name, (p->n + 1) * sizeof(*p->name));
	p->name[p->n] = xstrdup(name);
	p->item[p->n++] = item;
}

static char *
object_item(const struct page *p, const struct object *o)
{
	struct buf b = BUF_INIT;
	struct tm tm;
	char date[64];

	gmtime_r(&o->modified, &tm);
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S.000Z", &tm);
	buf_printf(&b, "<Contents>");
	put_name(&b, p, "Key", o->key);
	buf_printf(&b,
		"<LastModified>%s</LastModified><ETag>&quot;%s&quot;</ETag>"
		"<Size>%lu</Size><StorageClass>STANDARD</StorageClass>"
		"</Contents>",
		date, o->etag, o->size);
	return text_of(&b);
}

static char *
prefix_item(const struct page *p, const char *prefix)
{
	struct buf b = BUF_INIT;

	buf_printf(&b, "<CommonPrefixes>");
	put_name(&b, p, "Prefix", prefix);
	buf_printf(&b, "</CommonPrefixes>");
	return text_of(&b);
}

/* The common prefix that a key is listed under, given; NULL for itself. */
static char *
common_prefix(const struct page *p, const char *key)
{
	const char *end;

	if (!p->delimiter || !*p->delimiter)
		return NULL;
	end = strstr(key + strlen(p->prefix), p->delimiter);
	if (!end)
		return NULL;
	return xasprintf("%.*s", (int)(end + strlen(p->delimiter) - key), key);
}

static bool
add_object(void *ctx, const struct object *o)
{
	struct page *p = ctx;
	auto_free char *common = common_prefix(p, o->key);

	if (p->call->fault.kind == FAULT_STALE &&
		o->stored > p->call->fault.made)
		return true;
	if (common && (!strcmp(common, p->after) ||
			      (p->n && !strcmp(common, p->name[p->n - 1]))))
		return true;
	if (p->n == p->room) {
		p->more = true;
		return false;
	}
	if (common)
		add_item(p, common, prefix_item(p, common));
	else
		add_item(p, o->key, object_item(p, o));
	return true;
}

/* Forget all items but the first n. */
static void
drop_items(struct page *p, size_t n)
{
	while (p->n > n) {
		p->n--;
		free(p->item[p->n]);
		free(p->name[p->n]);
	}
}

/* What the fault makes of the page. */
static void
bend_page(struct page *p)
{
	enum fault_kind kind = p->call->fault.kind;
	size_t half = p->n / 2;

	if (kind == FAULT_PART) {
		drop_items(p, half);
		p->more = false;
	} else if (kind == FAULT_ENDLESS || kind == FAULT_TOKENLESS) {
		p->more = true;
	} else if (kind == FAULT_UNORDERED) {
		for (size_t i = 0; i < half; i++) {
			char *t = p->item[i];

			p->item[i] = p->item[p->n - 1 - i];
			p->item[p->n - 1 - i] = t;
		}
	}
}

static void
put_token(struct buf *b, const struct page *p)
{
	const char *last = p->n ? p->name[p->n - 1] : "";

	if (p->call->fault.kind == FAULT_TOKENLESS)
		return;
	if (p->call->fault.kind == FAULT_ENDLESS)
		last = "";
	buf_printf(b, "<NextContinuationToken>t");
	for (; *last; last++)
		buf_printf(b, "%02x", (unsigned char)*last);
	buf_printf(b, "</NextContinuationToken>");
}

/* The key in a token, given; NULL when it is none. */
static char *
parse_token(const char *token)
{
	struct buf b = BUF_INIT;
	unsigned byte;

	if (*token++ != 't')
		return NULL;
	for (; sscanf(token, "%2x", &byte) == 1; token += 2)
		buf_append(&b, &(uint8_t){ (uint8_t)byte }, 1);
	return text_of(&b);
}

static void
put_page(struct buf *b, const struct page *p)
{
	enum fault_kind kind = p->call->fault.kind;

	buf_printf(b,
		"<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/"
		"2006-03-01/\"><Name>%s</Name>",
		server.bucket);
	put_name(b, p, "Prefix", p->prefix);
	buf_printf(b,
		"<KeyCount>%zu</KeyCount><MaxKeys>%zu</MaxKeys>"
		"<IsTruncated>%s</IsTruncated>%s",
		p->n, p->room, p->more ? "true" : "false",
		p->url ? "<EncodingType>url</EncodingType>" : "");
	if (p->more)
		put_token(b, p);
	for (size_t i = 0; i < p->n; i++)
		for (int times = kind == FAULT_TWICE ? 2 : 1; times; times--)
			buf_printf(b, "%s", p->item[i]);
	if (kind == FAULT_FOREIGN)
		buf_printf(b,
			"<Contents><Key>elsewhere/object</Key><Size>1</Size>"
			"</Contents>");
	if (kind != FAULT_MALFORMED)
		buf_printf(b, "</ListBucketResult>");
}

/* Entities of entities: ten of them make ten thousand million. */
static void
put_entities(struct buf *b)
{
	buf_printf(b, "<!DOCTYPE l [<!ENTITY e0 \"lol\">");
	for (int i = 1; i < 11; i++) {
		buf_printf(b, "<!ENTITY e%d \"", i);
		for (int k = 0; k < 10; k++)
			buf_printf(b, "&e%d;", i - 1);
		buf_printf(b, "\">");
	}
	buf_printf(b,
		"]><ListBucketResult><Contents><Key>&e10;</Key><Size>1</Size>"
		"</Contents></ListBucketResult>");
}

static size_t
room(const struct call *c)
{
	const char *asked = call_param(c, "max-keys");
	size_t most = (size_t)server.page;

	return asked && strtoul(asked, NULL, 10) < most
		       ? strtoul(asked, NULL, 10)
		       : most;
}

/* Where the listing goes on; false when the token is none. */
static bool
find_start(struct page *p)
{
	const char *token = call_param(p->call, "continuation-token");
	const char *after = call_param(p->call, "start-after");

	p->after = token ? parse_token(token) : xstrdup(after ? after : "");
	return p->after != NULL;
}

void
list_reply(struct call *c, struct reply *r)
{
	const char *prefix = call_param(c, "prefix");
	const char *encoding = call_param(c, "encoding-type");
	struct page p = {
		.call = c,
		.prefix = prefix ? prefix : "",
		.delimiter = call_param(c, "delimiter"),
		.url = encoding && !strcmp(encoding, "url"),
		.room = room(c),
	};

	if (!find_start(&p)) {
		reply_error(r, 400, "InvalidArgument",
			"The continuation token is none of ours");
		return;
	}
	keys_each(p.prefix, p.after, add_object, &p);
	bend_page(&p);
	r->status = 200;
	reply_field(r, "Content-Type", "application/xml");
	buf_printf(&r->body, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
	if (c->fault.kind == FAULT_ENTITIES)
		put_entities(&r->body);
	else
		put_page(&r->body, &p);
	drop_items(&p, 0);
	free(p.item);
	free(p.name);
	free(p.after);
}
