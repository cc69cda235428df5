/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/store/s3_config.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include "repo/crypto/sign.h"
#include "repo/store/s3_credentials.h"
#include "repo/store/s3_xml.h"

#define PREFIX_MAX 700
#define BUCKET_MAX 255
#define TIMEOUT_MAX 86400

/* -- Options -------------------------------------------------------------- */

struct options {
	char *endpoint, *region, *profile, *style, *ca, *timeout;
};

static void
options_release(struct options *o)
{
	free(o->endpoint);
	free(o->region);
	free(o->profile);
	free(o->style);
	free(o->ca);
	free(o->timeout);
}
#define auto_options AUTO(options_release)

static int
digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at =
		c ? strchr(digits, c >= 'A' && c <= 'F' ? c | 32 : c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* A copy with %XX resolved; NULL for a broken one or %00; given. */
static char *
decoded(const char *text, size_t len)
{
	char *out = xcalloc(1, len + 1), *to = out;

	for (size_t i = 0; i < len; i++) {
		int high = 0, low = 0;

		if (text[i] != '%') {
			*to++ = text[i];
			continue;
		}
		if (len - i < 3 || (high = digit(text[i + 1])) < 0 ||
			(low = digit(text[i + 2])) < 0 || high + low == 0) {
			free(out);
			return NULL;
		}
		*to++ = (char)(high * 16 + low);
		i += 2;
	}
	return out;
}

static int
take_option(struct options *o, const char *text, size_t len, struct err *e)
{
	const struct {
		const char *name;
		char **value;
	} known[] = {
		{ "endpoint", &o->endpoint },
		{ "region", &o->region },
		{ "profile", &o->profile },
		{ "style", &o->style },
		{ "ca", &o->ca },
		{ "timeout", &o->timeout },
	};
	size_t name_len = strcspn(text, "=&");

	for (size_t i = 0; i < n_elements(known) && name_len < len; i++) {
		if (strlen(known[i].name) != name_len ||
			memcmp(known[i].name, text, name_len) != 0)
			continue;
		free(*known[i].value);
		*known[i].value =
			decoded(text + name_len + 1, len - name_len - 1);
		if (*known[i].value && **known[i].value)
			return 0;
		break;
	}
	return err_set(e, EINVAL,
		"?%.*s is no option of a store; there are endpoint=, region=, "
		"profile=, style=, ca=, timeout=",
		(int)(len < 100 ? len : 100), text);
}

static int
take_options(struct options *o, const char *text, struct err *e)
{
	int r = 0;

	while (r == 0 && *text) {
		size_t len = strcspn(text, "&");

		r = take_option(o, text, len, e);
		text += len + (text[len] == '&');
	}
	return r;
}

/* -- Defaults ------------------------------------------------------------- */

/* The first variable that is set; NULL when none is. */
static const char *
variable(const char *a, const char *b)
{
	const char *value = getenv(a);

	if (!value || !*value)
		value = b ? getenv(b) : NULL;
	return value && *value ? value : NULL;
}

static void
set_region(struct s3_config *c, struct options *o)
{
	const char *value = variable("AWS_REGION", "AWS_DEFAULT_REGION");

	if (o->region)
		c->region = steal(o->region);
	else if (value)
		c->region = xstrdup(value);
	else
		c->region = s3_credentials_setting(o->profile, "region");
	if (!c->region)
		c->region = xstrdup("us-east-1");
}

/* Made absolute, since a mount changes its directory. */
static int
set_ca(struct s3_config *c, const struct options *o, struct err *e)
{
	const char *path = o->ca ? o->ca : variable("AWS_CA_BUNDLE", NULL);

	if (!path)
		return 0;
	c->ca_file = realpath(path, NULL);
	if (!c->ca_file)
		return err_sys(e, errno, "cannot open %s", path);
	return 0;
}

static int
set_timeout(struct s3_config *c, const struct options *o, struct err *e)
{
	char *end;
	long n;

	if (!o->timeout)
		return 0;
	n = strtol(o->timeout, &end, 10);
	if (n < 1 || n > TIMEOUT_MAX || *end)
		return err_set(e, EINVAL, "?timeout=%s: not 1 to %d seconds",
			o->timeout, TIMEOUT_MAX);
	c->timeout_s = (unsigned)n;
	return 0;
}

static int
set_style(struct s3_config *c, const struct options *o, bool endpoint,
	struct err *e)
{
	c->virtual_host = !endpoint && !strchr(c->bucket, '.');
	if (!o->style)
		return 0;
	c->virtual_host = strcmp(o->style, "virtual") == 0;
	if (c->virtual_host || strcmp(o->style, "path") == 0)
		return 0;
	return err_set(
		e, EINVAL, "?style=%s: neither path nor virtual", o->style);
}

static int
set_endpoint(struct s3_config *c, struct options *o, struct err *e)
{
	const char *url = o->endpoint ? o->endpoint
				      : variable("AWS_ENDPOINT_URL_S3",
						"AWS_ENDPOINT_URL");
	auto_free char *amazon =
		xasprintf("https://s3.%s.amazonaws.com", c->region);
	int r = http_origin_parse(url ? url : amazon, &c->origin, e);

	if (r == 0)
		r = set_style(c, o, url != NULL, e);
	return r;
}

/* -- The address ---------------------------------------------------------- */

static bool
is_bucket(const char *name)
{
	static const char good[] = "abcdefghijklmnopqrstuvwxyz0123456789.-_"
				   "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	size_t len = strlen(name);

	return len > 0 && len <= BUCKET_MAX && strspn(name, good) == len &&
	       *name != '.';
}

static bool
is_prefix(const char *prefix)
{
	for (const char *p = prefix; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			return false;
	return strlen(prefix) <= PREFIX_MAX;
}

/* What is behind s3://, up to the options. */
static int
set_bucket(struct s3_config *c, const char *text, size_t len, struct err *e)
{
	const char *slash = memchr(text, '/', len);
	size_t bucket = slash ? (size_t)(slash - text) : len;
	const char *from = text + bucket, *end = text + len;

	while (from < end && *from == '/')
		from++;
	while (end > from && end[-1] == '/')
		end--;
	c->bucket = strndup(text, bucket);
	c->prefix = xasprintf(
		"%.*s%s", (int)(end - from), from, end > from ? "/" : "");
	if (is_bucket(c->bucket) && is_prefix(c->prefix))
		return 0;
	return err_set(e, EINVAL,
		"%.*s: not a bucket and a prefix, as in s3://bucket/prefix",
		(int)len, text);
}

/* One that is not the default belongs to the name: another service's bucket of
 * the same name is another store. */
static char *
name_of(const struct s3_config *c)
{
	const struct http_origin *o = &c->origin;
	int len = (int)strlen(c->prefix);
	const char *slash = len > 0 ? "/" : "";

	len -= len > 0;
	if (strstr(o->host, ".amazonaws.com"))
		return xasprintf(
			"s3://%s%s%.*s", c->bucket, slash, len, c->prefix);
	return xasprintf("s3://%s%s%.*s?endpoint=%s://%s%s", c->bucket, slash,
		len, c->prefix, o->scheme, o->host, o->path);
}

static int
parse_s3(struct s3_config *c, const char *text, size_t len, struct options *o,
	struct err *e)
{
	int r = set_bucket(c, text, len, e);

	if (r < 0)
		return r;
	set_region(c, o);
	c->profile = steal(o->profile);
	r = set_endpoint(c, o, e);
	if (r == 0)
		c->name = name_of(c);
	return r;
}

static int
parse_static(struct s3_config *c, const char *text, size_t len, struct err *e)
{
	auto_free char *url = strndup(text, len);
	int r = http_origin_parse(url, &c->origin, e);

	if (r < 0)
		return r;
	c->prefix = xstrdup("");
	c->name = xasprintf(
		"%s://%s%s", c->origin.scheme, c->origin.host, c->origin.path);
	return 0;
}

int
s3_config_parse(const char *address, struct s3_config *c, struct err *e)
{
	auto_options struct options o = { .endpoint = NULL };
	size_t len = strcspn(address, "?");
	int r = s3_xml_load(e);

	*c = (struct s3_config){ .bucket = NULL };
	if (r == 0)
		r = take_options(&o, address + len + (address[len] == '?'), e);
	if (r == 0)
		r = set_ca(c, &o, e);
	if (r == 0)
		r = set_timeout(c, &o, e);
	if (r == 0 && strncmp(address, "s3://", 5) == 0)
		r = parse_s3(c, address + 5, len - 5, &o, e);
	else if (r == 0)
		r = parse_static(c, address, len, e);
	if (r < 0)
		s3_config_release(c);
	return r;
}

char *
s3_config_with_endpoint(const char *address, const char *endpoint)
{
	struct buf b = BUF_INIT;

	if (strncmp(address, "s3://", 5) != 0)
		return NULL;
	buf_printf(
		&b, "%s%sendpoint=", address, strchr(address, '?') ? "&" : "?");
	sign_encode(&b, endpoint, true);
	buf_append(&b, "", 1);
	return (char *)b.data;
}

void
s3_config_release(struct s3_config *c)
{
	http_origin_release(&c->origin);
	free(c->bucket);
	free(c->prefix);
	free(c->region);
	free(c->profile);
	free(c->ca_file);
	free(c->name);
	*c = (struct s3_config){ .bucket = NULL };
}
