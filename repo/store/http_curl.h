/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libcurl when it is needed (repo/base/library.h).  It brings twenty libraries
 * along, which take as long to be loaded as a local repository takes to be
 * mounted.
 */
#ifndef YORE_STORE_HTTP_CURL_H
#define YORE_STORE_HTTP_CURL_H

/* its macros that look at types know functions only */
#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>
#include "repo/base/library.h"

/* Macros of their own arguments, for compilers that check no types. */
#undef curl_easy_setopt
#undef curl_easy_getinfo
#undef curl_share_setopt
#undef curl_multi_setopt

/* clang-format off */
#define HTTP_CURL_FUNCTIONS(F) \
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

extern struct http_curl_functions {
	HTTP_CURL_FUNCTIONS(LIBRARY_POINTER)
} http_curl_functions;

/* Before any other function of libcurl's is called. */
int http_curl_load(struct err *e);

#define curl_global_init http_curl_functions.curl_global_init
#define curl_free http_curl_functions.curl_free
#define curl_slist_append http_curl_functions.curl_slist_append
#define curl_slist_free_all http_curl_functions.curl_slist_free_all
#define curl_easy_init http_curl_functions.curl_easy_init
#define curl_easy_cleanup http_curl_functions.curl_easy_cleanup
#define curl_easy_setopt http_curl_functions.curl_easy_setopt
#define curl_easy_getinfo http_curl_functions.curl_easy_getinfo
#define curl_easy_strerror http_curl_functions.curl_easy_strerror
#define curl_multi_init http_curl_functions.curl_multi_init
#define curl_multi_cleanup http_curl_functions.curl_multi_cleanup
#define curl_multi_setopt http_curl_functions.curl_multi_setopt
#define curl_multi_add_handle http_curl_functions.curl_multi_add_handle
#define curl_multi_remove_handle http_curl_functions.curl_multi_remove_handle
#define curl_multi_info_read http_curl_functions.curl_multi_info_read
#define curl_multi_perform http_curl_functions.curl_multi_perform
#define curl_multi_poll http_curl_functions.curl_multi_poll
#define curl_multi_wakeup http_curl_functions.curl_multi_wakeup
#define curl_share_init http_curl_functions.curl_share_init
#define curl_share_setopt http_curl_functions.curl_share_setopt
#define curl_share_cleanup http_curl_functions.curl_share_cleanup
#define curl_url http_curl_functions.curl_url
#define curl_url_cleanup http_curl_functions.curl_url_cleanup
#define curl_url_get http_curl_functions.curl_url_get
#define curl_url_set http_curl_functions.curl_url_set

#endif
