/* SPDX-License-Identifier: GPL-2.0-or-later */
#define CURL_DISABLE_TYPECHECK
#include "repo/store/http_curl.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "repo/base/auto.h"
#include "repo/base/bytes.h"

/* Macros of their own arguments, for compilers that check no types. */
#undef curl_easy_setopt
#undef curl_easy_getinfo
#undef curl_share_setopt
#undef curl_multi_setopt

/* clang-format off */
#define FUNCTIONS(F) \
	F(curl_global_init) F(curl_free) F(curl_slist_append) \
	F(curl_slist_free_all) F(curl_easy_init) F(curl_easy_cleanup) \
	F(curl_easy_setopt) F(curl_easy_getinfo) F(curl_easy_strerror) \
	F(curl_multi_init) F(curl_multi_cleanup) F(curl_multi_setopt) \
	F(curl_multi_add_handle) F(curl_multi_remove_handle) \
	F(curl_multi_info_read) F(curl_multi_perform) F(curl_multi_poll) \
	F(curl_multi_wakeup) F(curl_share_init) F(curl_share_setopt) \
	F(curl_share_cleanup) F(curl_url) F(curl_url_cleanup) \
	F(curl_url_get) F(curl_url_set)
/* clang-format on */

#define MEMBER(name) __typeof__(name) *name;
static struct {
	FUNCTIONS(MEMBER)
} the;

#define PLACE(name) { #name, (void **)&the.name },
static const struct {
	const char *name;
	void **at;
} places[] = { FUNCTIONS(PLACE) };

static char why[256];

static void
load(void)
{
	void *library = dlopen(CURL_LIBRARY, RTLD_NOW | RTLD_LOCAL);

	for (size_t i = 0; library && i < n_elements(places); i++) {
		*places[i].at = dlsym(library, places[i].name);
		if (!*places[i].at)
			library = NULL;
	}
	if (!library)
		snprintf(why, sizeof(why), "%s", dlerror());
}

int
http_curl_load(struct err *e)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, load);
	return why[0] ? err_set(e, ELIBACC, "cannot load libcurl: %s", why) : 0;
}

/* -- Functions of libcurl's names --------------------------------------------
 */

/* Not to be found by the library itself, should a program export what it has.
 */
#pragma GCC visibility push(hidden)

CURLcode
curl_global_init(long flags)
{
	return the.curl_global_init(flags);
}

void
curl_free(void *p)
{
	the.curl_free(p);
}

struct curl_slist *
curl_slist_append(struct curl_slist *list, const char *s)
{
	return the.curl_slist_append(list, s);
}

void
curl_slist_free_all(struct curl_slist *list)
{
	the.curl_slist_free_all(list);
}

CURL *
curl_easy_init(void)
{
	return the.curl_easy_init();
}

void
curl_easy_cleanup(CURL *c)
{
	the.curl_easy_cleanup(c);
}

/* An option's number says of which type its value is. */
CURLcode
curl_easy_setopt(CURL *c, CURLoption option, ...)
{
	CURLcode code;
	va_list ap;

	va_start(ap, option);
	if (option < CURLOPTTYPE_OBJECTPOINT)
		code = the.curl_easy_setopt(c, option, va_arg(ap, long));
	else if (option >= CURLOPTTYPE_OFF_T && option < CURLOPTTYPE_BLOB)
		code = the.curl_easy_setopt(c, option, va_arg(ap, curl_off_t));
	else
		code = the.curl_easy_setopt(c, option, va_arg(ap, void *));
	va_end(ap);
	return code;
}

CURLcode
curl_easy_getinfo(CURL *c, CURLINFO info, ...)
{
	va_list ap;

	va_start(ap, info);
	CURLcode code = the.curl_easy_getinfo(c, info, va_arg(ap, void *));

	va_end(ap);
	return code;
}

const char *
curl_easy_strerror(CURLcode code)
{
	return the.curl_easy_strerror(code);
}

CURLM *
curl_multi_init(void)
{
	return the.curl_multi_init();
}

CURLMcode
curl_multi_cleanup(CURLM *m)
{
	return the.curl_multi_cleanup(m);
}

CURLMcode
curl_multi_setopt(CURLM *m, CURLMoption option, ...)
{
	CURLMcode code;
	va_list ap;

	va_start(ap, option);
	if (option < (int)CURLOPTTYPE_OBJECTPOINT)
		code = the.curl_multi_setopt(m, option, va_arg(ap, long));
	else
		code = the.curl_multi_setopt(m, option, va_arg(ap, void *));
	va_end(ap);
	return code;
}

CURLMcode
curl_multi_add_handle(CURLM *m, CURL *c)
{
	return the.curl_multi_add_handle(m, c);
}

CURLMcode
curl_multi_remove_handle(CURLM *m, CURL *c)
{
	return the.curl_multi_remove_handle(m, c);
}

CURLMsg *
curl_multi_info_read(CURLM *m, int *left)
{
	return the.curl_multi_info_read(m, left);
}

CURLMcode
curl_multi_perform(CURLM *m, int *running)
{
	return the.curl_multi_perform(m, running);
}

CURLMcode
curl_multi_poll(CURLM *m, struct curl_waitfd fds[], unsigned int n,
	int timeout_ms, int *ready)
{
	return the.curl_multi_poll(m, fds, n, timeout_ms, ready);
}

CURLMcode
curl_multi_wakeup(CURLM *m)
{
	return the.curl_multi_wakeup(m);
}

CURLSH *
curl_share_init(void)
{
	return the.curl_share_init();
}

CURLSHcode
curl_share_setopt(CURLSH *s, CURLSHoption option, ...)
{
	CURLSHcode code;
	va_list ap;

	va_start(ap, option);
	if (option == CURLSHOPT_SHARE || option == CURLSHOPT_UNSHARE)
		code = the.curl_share_setopt(s, option, va_arg(ap, int));
	else
		code = the.curl_share_setopt(s, option, va_arg(ap, void *));
	va_end(ap);
	return code;
}

CURLSHcode
curl_share_cleanup(CURLSH *s)
{
	return the.curl_share_cleanup(s);
}

CURLU *
curl_url(void)
{
	return the.curl_url();
}

void
curl_url_cleanup(CURLU *u)
{
	the.curl_url_cleanup(u);
}

CURLUcode
curl_url_set(CURLU *u, CURLUPart what, const char *part, unsigned int flags)
{
	return the.curl_url_set(u, what, part, flags);
}

#pragma GCC visibility pop

CURLUcode
http_curl_url_get(CURLU *u, CURLUPart what, char **part, unsigned int flags)
{
	return the.curl_url_get(u, what, part, flags);
}
