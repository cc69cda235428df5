/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/store/s3_xml.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <expat.h>
#include "repo/base/buf.h"
#include "repo/base/library.h"

#define DEPTH_MAX 8
#define ELEMENT_MAX 64
#define TEXT_MAX 4096

/* clang-format off */
#define FUNCTIONS(F) \
	F(XML_ParserCreate) F(XML_ParserFree) F(XML_SetUserData) \
	F(XML_SetElementHandler) F(XML_SetCharacterDataHandler) \
	F(XML_SetStartDoctypeDeclHandler) F(XML_Parse) F(XML_StopParser)
/* clang-format on */
LIBRARY(expat, EXPAT_LIBRARY, FUNCTIONS);

struct walk {
	XML_Parser parser;
	s3_xml_each *each;
	void *ctx;
	char path[DEPTH_MAX * (ELEMENT_MAX + 1)];
	unsigned depth;
	char text[TEXT_MAX + 1];
	size_t text_len;
	bool ended; /* by each */
	bool bad;
};

static void
stop(struct walk *w, bool *why)
{
	*why = true;
	expat.XML_StopParser(w->parser, XML_FALSE);
}

static void
on_start(void *ctx, const char *name, const char **attributes)
{
	struct walk *w = ctx;
	size_t len = strlen(w->path);

	(void)attributes;
	if (w->depth == DEPTH_MAX || strlen(name) > ELEMENT_MAX) {
		stop(w, &w->bad);
		return;
	}
	snprintf(w->path + len, sizeof(w->path) - len, "%s%s",
		w->depth > 0 ? "/" : "", name);
	w->depth++;
	w->text_len = 0;
}

static void
on_end(void *ctx, const char *name)
{
	struct walk *w = ctx;
	char *slash;

	(void)name;
	if (w->ended || w->bad)
		return;
	w->text[w->text_len] = '\0';
	if (!w->each(w->ctx, w->path, w->text)) {
		stop(w, &w->ended);
		return;
	}
	slash = strrchr(w->path, '/');
	*(slash ? slash : w->path) = '\0';
	w->depth--;
	w->text_len = 0;
}

static void
on_text(void *ctx, const char *text, int len)
{
	struct walk *w = ctx;

	if ((size_t)len > TEXT_MAX - w->text_len) {
		stop(w, &w->bad);
		return;
	}
	memcpy(w->text + w->text_len, text, (size_t)len);
	w->text_len += (size_t)len;
}

static void
on_doctype(void *ctx, const char *name, const char *system, const char *public,
	int has_internal)
{
	struct walk *w = ctx;

	(void)name;
	(void)system;
	(void)public;
	(void)has_internal;
	stop(w, &w->bad);
}

int
s3_xml_load(struct err *e)
{
	return library_load(&expat_library, e);
}

int
s3_xml_walk(const void *xml, size_t len, s3_xml_each *each, void *ctx,
	struct err *e)
{
	struct walk w = { .each = each, .ctx = ctx };
	enum XML_Status status;
	int r = s3_xml_load(e);

	if (r)
		return r;
	/* sent to keep the connection alive while the server worked */
	for (; len > 0 && strchr(" \r\n\t", *(const char *)xml); len--)
		xml = (const char *)xml + 1;
	if (len > INT_MAX)
		return err_set(e, EUCLEAN, "too much XML");
	w.parser = expat.XML_ParserCreate(NULL);
	if (!w.parser)
		return err_set(e, ENOMEM, "memory is exhausted");
	expat.XML_SetUserData(w.parser, &w);
	expat.XML_SetElementHandler(w.parser, on_start, on_end);
	expat.XML_SetCharacterDataHandler(w.parser, on_text);
	expat.XML_SetStartDoctypeDeclHandler(w.parser, on_doctype);
	status = expat.XML_Parse(w.parser, xml, (int)len, 1);
	expat.XML_ParserFree(w.parser);
	if (status == XML_STATUS_OK || (w.ended && !w.bad))
		return 0;
	return err_set(e, EUCLEAN, "the answer is not the XML it should be");
}

/* -- Errors and single values --------------------------------------------- */

static bool
set_text(char *out, size_t size, const char *text)
{
	snprintf(out, size, "%s", text);
	return true;
}

static bool
take_error(void *ctx, const char *path, const char *text)
{
	struct s3_error *x = ctx;

	if (strcmp(path, "Error/Code") == 0)
		return set_text(x->code, sizeof(x->code), text);
	if (strcmp(path, "Error/Message") == 0)
		return set_text(x->message, sizeof(x->message), text);
	if (strcmp(path, "Error/Region") == 0)
		return set_text(x->region, sizeof(x->region), text);
	if (strcmp(path, "Error") == 0 && !x->code[0])
		return set_text(x->code, sizeof(x->code), "Error");
	return strncmp(path, "Error", 5) == 0;
}

bool
s3_xml_error(const void *xml, size_t len, struct s3_error *out)
{
	*out = (struct s3_error){ .code = "" };
	/* half of an error is one all the same */
	if (len > 0)
		(void)s3_xml_walk(xml, len, take_error, out, NULL);
	return out->code[0] != '\0';
}

struct wanted {
	const char *path;
	char *value;
	size_t size;
	int r;
};

static bool
take_value(void *ctx, const char *path, const char *text)
{
	struct wanted *x = ctx;
	size_t len = strlen(text);

	if (strcmp(path, x->path) != 0)
		return true;
	x->r = len < x->size ? 0 : -ERANGE;
	if (x->r == 0)
		memcpy(x->value, text, len + 1);
	return false;
}

int
s3_xml_value(
	const void *xml, size_t len, const char *path, char *value, size_t size)
{
	struct wanted x = {
		.path = path, .value = value, .size = size, .r = -ENOENT
	};

	(void)s3_xml_walk(xml, len, take_value, &x, NULL);
	return x.r;
}

/* -- Pages of listings ---------------------------------------------------- */

struct paging {
	struct s3_page *page;
	char key[TEXT_MAX + 1];
	char size[24];
	char modified[S3_TIME_MAX];
	bool folders; /* common prefixes are among the items */
	bool encoded; /* EncodingType is url; may come after the items */
	bool listing; /* the root was right */
	bool bad;
};

static bool
keep_item(struct paging *x)
{
	struct s3_page *p = x->page;
	char *end;

	errno = 0;
	uint64_t size = strtoull(x->size, &end, 10);

	if (errno || x->size[0] < '0' || x->size[0] > '9' || *end ||
		p->n == S3_PAGE_MAX)
		return false;
	if (p->n == p->cap) {
		p->cap = p->cap ? 2 * p->cap : 256;
		p->items = xrealloc(p->items, p->cap * sizeof(*p->items));
	}
	p->items[p->n++] = (struct s3_item){ .key = xstrdup(x->key),
		.size = size,
		.modified_ns = s3_time_parse(x->modified) };
	x->key[0] = x->size[0] = x->modified[0] = '\0';
	return true;
}

/* A common prefix. */
static bool
keep_folder(struct paging *x)
{
	x->folders = true;
	x->modified[0] = '\0';
	return set_text(x->size, sizeof(x->size), "0") && keep_item(x);
}

/* What may stand in a page; whether it does. */
static bool
take_item(struct paging *x, const char *path, const char *text)
{
	if (strcmp(path, "Contents/Key") == 0 ||
		strcmp(path, "CommonPrefixes/Prefix") == 0)
		return set_text(x->key, sizeof(x->key), text);
	if (strcmp(path, "Contents/Size") == 0)
		return set_text(x->size, sizeof(x->size), text);
	if (strcmp(path, "Contents/LastModified") == 0)
		return set_text(x->modified, sizeof(x->modified), text);
	if (strcmp(path, "Contents") == 0)
		x->bad = !keep_item(x);
	else if (strcmp(path, "CommonPrefixes") == 0)
		x->bad = !keep_folder(x);
	else
		return false;
	return true;
}

static bool
take_page(void *ctx, const char *path, const char *text)
{
	struct paging *x = ctx;
	static const char root[] = "ListBucketResult";
	const size_t len = sizeof(root) - 1;

	x->listing = strncmp(path, root, len) == 0 &&
		     (path[len] == '/' || path[len] == '\0');
	path += path[len] == '/' ? len + 1 : 0;
	if (!x->listing)
		return false;
	if (take_item(x, path, text))
		return !x->bad;
	if (strcmp(path, "IsTruncated") == 0)
		x->page->more = strcmp(text, "true") == 0;
	else if (strcmp(path, "EncodingType") == 0)
		x->encoded = strcmp(text, "url") == 0;
	else if (strcmp(path, "NextContinuationToken") == 0) {
		x->bad = strlen(text) > S3_TOKEN_MAX;
		set_text(x->page->token, sizeof(x->page->token), text);
	}
	return !x->bad;
}

static int
digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 32;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* In place: %XX, and + for a space.  False for %00 and what is not %XX. */
static bool
decode(char *s)
{
	char *to = s;

	for (; *s; s++) {
		int high, low;

		if (*s != '%') {
			*to++ = *s == '+' ? ' ' : *s;
			continue;
		}
		high = digit(s[1]);
		low = high < 0 ? -1 : digit(s[2]);
		if (low < 0 || high + low == 0)
			return false;
		*to++ = (char)(high * 16 + low);
		s += 2;
	}
	*to = '\0';
	return true;
}

static bool
keys_are_good(struct paging *x)
{
	for (size_t i = 0; i < x->page->n; i++) {
		char *key = x->page->items[i].key;

		if (x->encoded && !decode(key))
			return false;
		if (*key == '\0' || strlen(key) > S3_KEY_MAX)
			return false;
	}
	return true;
}

static int
compare_items(const void *a, const void *b)
{
	return strcmp(((const struct s3_item *)a)->key,
		((const struct s3_item *)b)->key);
}

int
s3_xml_page(const void *xml, size_t len, struct s3_page *page, struct err *e)
{
	struct paging x = { .page = page };
	int r;

	*page = (struct s3_page){ .n = 0 };
	r = s3_xml_walk(xml, len, take_page, &x, e);
	if (r == 0 && (x.bad || !x.listing || !keys_are_good(&x) ||
			      (page->more && !page->token[0])))
		r = err_set(e, EUCLEAN, "the answer is not a listing");
	if (r < 0)
		s3_page_release(page);
	else if (x.folders)
		qsort(page->items, page->n, sizeof(*page->items),
			compare_items);
	return r;
}

void
s3_page_release(struct s3_page *page)
{
	for (size_t i = 0; i < page->n; i++)
		free(page->items[i].key);
	free(page->items);
	*page = (struct s3_page){ .n = 0 };
}
