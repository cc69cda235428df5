/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libcurl when it is needed.  It brings twenty libraries along, which take as
 * long to be loaded as a local repository takes to be mounted.  http_curl.c
 * has functions of libcurl's names that pass on what they are given.
 */
#ifndef YORE_STORE_HTTP_CURL_H
#define YORE_STORE_HTTP_CURL_H

#include <curl/curl.h>
#include "repo/base/err.h"

/* Load it, once a process; before any other function of libcurl is called.
 * -ELIBACC it is not there, or too old. */
int http_curl_load(struct err *e);
/* curl_url_get, of which versions differ in whether it takes a const CURLU. */
CURLUcode http_curl_url_get(
	CURLU *u, CURLUPart what, char **part, unsigned int flags);

#endif
