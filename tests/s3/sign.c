/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Signature version 4, checked as AWS checks it: the canonical request is made
 * anew from what was understood, not from the bytes that came.
 */
#include "tests/s3/server.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <string.h>
#include <time.h>

struct authorization {
	char *text; /* what the pointers point into */
	const char *id, *date, *region, *service, *end;
	const char *headers, *signature;
};

static void
to_hex(const uint8_t *data, size_t len, char *hex)
{
	for (size_t i = 0; i < len; i++)
		snprintf(hex + 2 * i, 3, "%02x", data[i]);
}

static void
hex_sha256(const void *data, size_t len, char hex[65])
{
	uint8_t sum[32];

	SHA256(data, len, sum);
	to_hex(sum, sizeof(sum), hex);
}

static void
md5(const void *data, size_t len, uint8_t sum[16])
{
	EVP_Digest(data, len, sum, NULL, EVP_md5(), NULL);
}

void
sign_hex_md5(const void *data, size_t len, char hex[33])
{
	uint8_t sum[16];

	md5(data, len, sum);
	to_hex(sum, sizeof(sum), hex);
}

static void
hmac(const uint8_t *key, size_t key_len, const char *text, uint8_t out[32])
{
	HMAC(EVP_sha256(), key, (int)key_len, (const uint8_t *)text,
		strlen(text), out, NULL);
}

/* The value behind "name=" at *p, up to a comma; NULL when something else is
 * there. */
static char *
take(char **p, const char *name)
{
	size_t len = strlen(name);

	*p += strspn(*p, " ");
	if (strncmp(*p, name, len))
		return NULL;
	*p += len;
	return strsep(p, ",");
}

static bool
parse_authorization(const struct call *c, struct authorization *a)
{
	const char *value = head_get(&c->head, "Authorization");
	char *p, *scope;

	*a = (struct authorization){ .text = NULL };
	if (!value || strncmp(value, "AWS4-HMAC-SHA256 ", 17))
		return false;
	p = a->text = xstrdup(value + 17);
	scope = take(&p, "Credential=");
	if (!scope || !p || !(a->headers = take(&p, "SignedHeaders=")) || !p ||
		!(a->signature = take(&p, "Signature=")) || p)
		return false;
	a->id = strsep(&scope, "/");
	a->date = strsep(&scope, "/");
	a->region = strsep(&scope, "/");
	a->service = strsep(&scope, "/");
	a->end = scope;
	return a->end && strlen(a->date) == 8 && !strcmp(a->service, "s3") &&
	       !strcmp(a->end, "aws4_request");
}

static int
by_encoding(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
canonical_query(struct buf *out, const struct call *c)
{
	char *word[n_elements(c->param)];
	size_t n = 0;

	for (size_t i = 0; i < c->n_params; i++) {
		struct buf b = BUF_INIT;

		call_encode(&b, c->param[i].name, false);
		buf_append(&b, "=", 1);
		call_encode(&b, c->param[i].value, false);
		buf_append(&b, "", 1);
		word[n++] = (char *)buf_steal(&b, NULL);
	}
	qsort(word, n, sizeof(*word), by_encoding);
	for (size_t i = 0; i < n; i++) {
		buf_printf(out, "%s%s", i ? "&" : "", word[i]);
		free(word[i]);
	}
}

/* Whether a header is on the list "host;x-amz-date;...". */
static bool
on_list(const char *list, const char *name)
{
	size_t len = strlen(name);

	while (*list) {
		size_t word = strcspn(list, ";");

		if (word == len && !strncasecmp(list, name, len))
			return true;
		list += word + (list[word] == ';');
	}
	return false;
}

/* The values of all fields of this name, spaces made one. */
static bool
canonical_header(struct buf *out, const struct call *c, const char *name)
{
	const struct head *h = &c->head;
	bool found = false;

	buf_printf(out, "%s:", name);
	for (size_t i = 0; i < h->n; i++) {
		if (strcasecmp(h->field[i].name, name))
			continue;
		if (found)
			buf_append(out, ",", 1);
		found = true;
		for (const char *v = h->field[i].value; *v; v++)
			if (*v != ' ' || v[1] != ' ')
				buf_append(out, v, 1);
	}
	buf_append(out, "\n", 1);
	return found;
}

/* What was signed; false when a header on the list is not there. */
static bool
canonical(struct buf *out, const struct call *c, const char *headers)
{
	auto_free char *list = xstrdup(headers);
	char *rest = list, *name;
	bool there = true;

	buf_printf(out, "%s\n", c->head.method);
	call_encode(out, c->path, true);
	buf_append(out, "\n", 1);
	canonical_query(out, c);
	buf_append(out, "\n", 1);
	while ((name = strsep(&rest, ";")))
		there = there && canonical_header(out, c, name);
	buf_printf(out, "\n%s\n%s", headers,
		head_get(&c->head, "x-amz-content-sha256"));
	return there;
}

static void
signature(const struct call *c, const struct authorization *a,
	const struct buf *request, const char *secret, char hex[65])
{
	auto_buf struct buf text = BUF_INIT;
	auto_free char *first = xasprintf("AWS4%s", secret);
	uint8_t key[32];

	hex_sha256(request->data, request->len, hex);
	buf_printf(&text, "AWS4-HMAC-SHA256\n%s\n%s/%s/s3/aws4_request\n%s",
		head_get(&c->head, "x-amz-date"), a->date, a->region, hex);
	buf_append(&text, "", 1);
	hmac((uint8_t *)first, strlen(first), a->date, key);
	hmac(key, 32, a->region, key);
	hmac(key, 32, a->service, key);
	hmac(key, 32, "aws4_request", key);
	hmac(key, 32, (char *)text.data, key);
	to_hex(key, 32, hex);
}

static bool
refuse(struct reply *r, int status, const char *code, const char *message)
{
	reply_error(r, status, code, message);
	return false;
}

static const struct access *
find_access(const char *id)
{
	for (size_t i = 0; i < server.n_access; i++)
		if (!strcmp(server.access[i].id, id))
			return &server.access[i];
	return NULL;
}

/* Host and every x-amz- header must be signed. */
static bool
all_signed(const struct call *c, const char *headers)
{
	for (size_t i = 0; i < c->head.n; i++) {
		const char *name = c->head.field[i].name;

		if ((!strncasecmp(name, "x-amz-", 6) ||
			    !strcasecmp(name, "host")) &&
			!on_list(headers, name))
			return false;
	}
	return on_list(headers, "host");
}

static bool
check_date(const struct call *c, const struct authorization *a, struct reply *r)
{
	const char *date = head_get(&c->head, "x-amz-date");
	struct tm tm = { .tm_sec = 0 };
	char *end = date ? strptime(date, "%Y%m%dT%H%M%SZ", &tm) : NULL;

	if (!end || *end || strncmp(date, a->date, 8))
		return refuse(r, 403, "AccessDenied",
			"AWS authentication requires a valid x-amz-date "
			"header");
	if (llabs((long long)timegm(&tm) - (long long)server_time()) > 15 * 60)
		return refuse(r, 403, "RequestTimeTooSkewed",
			"The difference between the request time and the "
			"current time is too large");
	return true;
}

static bool
check_content(const struct call *c, struct reply *r)
{
	const char *sum = head_get(&c->head, "x-amz-content-sha256");
	const char *content_md5 = head_get(&c->head, "Content-MD5");
	uint8_t raw[16];
	char hex[65], base64[25];

	hex_sha256(
		c->body_len ? c->body : (const uint8_t *)"", c->body_len, hex);
	if (strcmp(sum, "UNSIGNED-PAYLOAD") && strcmp(sum, hex))
		return refuse(r, 400, "XAmzContentSHA256Mismatch",
			"The content is not what x-amz-content-sha256 says");
	md5(c->body, c->body_len, raw);
	EVP_EncodeBlock((uint8_t *)base64, raw, sizeof(raw));
	if (content_md5 && strcmp(content_md5, base64))
		return refuse(r, 400, "BadDigest",
			"The content is not what Content-MD5 says");
	return true;
}

static bool
check_signature(struct call *c, const struct authorization *a, struct reply *r)
{
	auto_buf struct buf request = BUF_INIT;
	const char *token = head_get(&c->head, "x-amz-security-token");
	char hex[65];

	c->who = find_access(a->id);
	if (!c->who)
		return refuse(r, 403, "InvalidAccessKeyId",
			"There is no such access key");
	if (strcmp(a->region, server.region))
		return refuse(r, 400, "AuthorizationHeaderMalformed",
			"The region is wrong");
	if (!check_date(c, a, r))
		return false;
	if (!all_signed(c, a->headers))
		return refuse(r, 403, "AccessDenied",
			"There were headers that are not signed");
	if (!head_get(&c->head, "x-amz-content-sha256"))
		return refuse(r, 400, "InvalidRequest",
			"x-amz-content-sha256 is missing");
	if (!canonical(&request, c, a->headers))
		return refuse(r, 403, "SignatureDoesNotMatch",
			"A signed header is missing");
	signature(c, a, &request, c->who->secret, hex);
	if (strcmp(hex, a->signature))
		return refuse(r, 403, "SignatureDoesNotMatch",
			"The signature is not that of the request");
	if (c->who->token && (!token || strcmp(token, c->who->token)))
		return refuse(r, 400, token ? "ExpiredToken" : "InvalidToken",
			"The security token is not that of the key");
	return true;
}

static bool
may(const struct call *c, struct reply *r)
{
	static const struct {
		const char *operation;
		char right;
	} needed[] = { { "GET", 'r' }, { "HEAD", 'r' }, { "LIST", 'l' },
		{ "BUCKET", 'l' }, { "DELETE", 'd' }, { "BATCH", 'd' } };
	char right = 'w';

	for (size_t i = 0; i < n_elements(needed); i++)
		if (call_is(c, needed[i].operation))
			right = needed[i].right;
	return strchr(c->who->rights, right) ||
	       refuse(r, 403, "AccessDenied", "Access denied");
}

bool
sign_check(struct call *c, struct reply *r)
{
	struct authorization a;
	bool good;

	if (!head_get(&c->head, "Authorization"))
		return refuse(r, 403, "AccessDenied", "Access denied");
	if (!parse_authorization(c, &a))
		good = refuse(r, 400, "AuthorizationHeaderMalformed",
			"The authorization header is malformed");
	else
		good = check_signature(c, &a, r) && check_content(c, r) &&
		       may(c, r);
	free(a.text);
	return good;
}
