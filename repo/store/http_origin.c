/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>
#include <strings.h>
#include <arpa/inet.h>
#include "repo/store/http.h"
#include "repo/store/http_curl.h"

#define URL_MAX 2000

static void
auto_url_(CURLU **u)
{
	curl_url_cleanup(*u);
}
#define auto_url AUTO(auto_url_)

/* A copy of a part of the URL, or NULL; given. */
static char *
part(CURLU *u, CURLUPart which)
{
	char *of_curl = NULL, *copy;

	if (curl_url_get(u, which, &of_curl, 0) != CURLUE_OK)
		return NULL;
	copy = xstrdup(of_curl);
	curl_free(of_curl);
	return copy;
}

static bool
ends_in(const char *s, const char *end)
{
	size_t len = strlen(s), n = strlen(end);

	return len >= n && strcasecmp(s + len - n, end) == 0;
}

static bool
is_this_machine(const char *host)
{
	struct in_addr four;

	if (strcasecmp(host, "localhost") == 0 || ends_in(host, ".localhost") ||
		strcmp(host, "[::1]") == 0)
		return true;
	return inet_pton(AF_INET, host, &four) == 1 &&
	       (ntohl(four.s_addr) >> 24) == 127;
}

/* Whether the URL has none of the parts that it must not have. */
static bool
is_bare(CURLU *u)
{
	static const CURLUPart none[] = { CURLUPART_USER, CURLUPART_PASSWORD,
		CURLUPART_QUERY, CURLUPART_FRAGMENT };

	for (size_t i = 0; i < n_elements(none); i++) {
		auto_free char *p = part(u, none[i]);

		if (p)
			return false;
	}
	return true;
}

/* The Host header: with the port unless it is the default. */
static char *
host_and_port(CURLU *u, const char *host)
{
	char *port = NULL, *both;

	if (curl_url_get(u, CURLUPART_PORT, &port,
		    CURLU_NO_DEFAULT_PORT) != CURLUE_OK)
		return xstrdup(host);
	both = xasprintf("%s:%s", host, port);
	curl_free(port);
	return both;
}

int
http_origin_parse(const char *url, struct http_origin *o, struct err *e)
{
	int r = http_curl_load(e);

	if (r)
		return r;
	auto_url CURLU *u = curl_url();
	size_t len = strnlen(url, URL_MAX + 1);

	if (!u || len > URL_MAX ||
		curl_url_set(u, CURLUPART_URL, url, CURLU_PATH_AS_IS) !=
			CURLUE_OK)
		return err_set(e, EINVAL,
			"%.200s is not a URL as in https://host/path", url);
	auto_free char *scheme = part(u, CURLUPART_SCHEME);
	auto_free char *host = part(u, CURLUPART_HOST);
	auto_free char *path = part(u, CURLUPART_PATH);

	if (!scheme || !host || !path || !is_bare(u) ||
		(strcmp(scheme, "https") != 0 && strcmp(scheme, "http") != 0))
		return err_set(e, EINVAL,
			"%s: a URL of a store has a scheme, a host and a path "
			"only, as in https://host/path",
			url);
	if (strcmp(scheme, "http") == 0 && !is_this_machine(host))
		return err_set(e, EPERM,
			"%s: beyond this machine only https:// is used", url);
	while ((len = strlen(path)) > 0 && path[len - 1] == '/')
		path[len - 1] = '\0';
	o->host = host_and_port(u, host);
	o->scheme = steal(scheme);
	o->path = steal(path);
	return 0;
}

void
http_origin_release(struct http_origin *o)
{
	free(o->scheme);
	free(o->host);
	free(o->path);
	*o = (struct http_origin){ .scheme = NULL };
}
