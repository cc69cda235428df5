/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Signing of requests with AWS Signature Version 4, in the Authorization
 * header.  What is signed is built here from the same strings that are sent:
 * path and query are encoded once (RFC 3986, strictly) and used for both.
 */
#ifndef YORE_CRYPTO_SIGN_H
#define YORE_CRYPTO_SIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "repo/base/buf.h"

#define SIGN_HASH_LEN 64  /* hexadecimal digits */
#define SIGN_DATE_LEN 16  /* 20130524T000000Z */
#define SIGN_MD5_LEN 24	  /* base64 */
#define SIGN_PAIRS_MAX 16 /* of headers, of query parameters */

struct sign_pair {
	const char *name;
	const char *value;
};

struct sign_key {
	const char *access_key;
	const char *secret_key;
	const char *region;
	const char *service;
};

struct sign_request {
	const char *method;
	const char *path;		 /* as sent: sign_encode's */
	const char *query;		 /* as sent: sign_query's; not NULL */
	const struct sign_pair *headers; /* all to be signed, host too */
	size_t n_headers;
	char date[SIGN_DATE_LEN + 1]; /* sign_date's */
	char payload[SIGN_HASH_LEN + 1];
};

/* Append text with every byte but A-Z a-z 0-9 - . _ ~ as %XX; '/' too unless
 * slashes are kept. */
void sign_encode(struct buf *out, const char *text, bool keep_slashes);

/* Append n (at most SIGN_PAIRS_MAX) parameters, encoded and sorted, as
 * a=1&b=2. */
void sign_query(struct buf *out, const struct sign_pair *pairs, size_t n);

/* Seconds since 1970 as the date of a request. */
void sign_date(char date[SIGN_DATE_LEN + 1], int64_t seconds);

/* SHA-256 of a payload, in hexadecimal digits. */
void sign_payload(const void *data, size_t len, char hash[SIGN_HASH_LEN + 1]);

/* MD5 of a payload, in base64, for servers that ask for Content-MD5. */
void sign_md5(const void *data, size_t len, char md5[SIGN_MD5_LEN + 1]);

/*
 * Append the value of the Authorization header.  Names of headers are given in
 * lower case, in any order; of values, outer spaces go and inner runs count as
 * one.  At most SIGN_PAIRS_MAX headers.
 */
void sign_authorization(struct buf *out, const struct sign_key *k,
	const struct sign_request *r);

/*
 * To be called before the first use of OpenSSL by any library: what it has set
 * up stays when main returns, for threads that still run then.
 */
void sign_outlive_exit(void);

#endif
