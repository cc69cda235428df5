/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/store/http_curl.h"

struct http_curl_functions http_curl_functions;
static struct library curl =
	LIBRARY_OF(http_curl_functions, CURL_LIBRARY, HTTP_CURL_FUNCTIONS);

int
http_curl_load(struct err *e)
{
	return library_load(&curl, e);
}
