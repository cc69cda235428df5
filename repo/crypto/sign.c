/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * canonical request = method, path, query, headers, their names, payload hash,
 * a line each; string to sign = algorithm, date, scope, hash of that; the key
 * is derived from the secret by HMAC over day, region, service and a constant.
 */
#include "repo/crypto/sign.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "repo/base/hex.h"
#include "repo/crypto/id.h"
#include "repo/crypto/kdf.h"
#include "repo/crypto/openssl.h"

#define DAY_LEN 8

static bool
is_unreserved(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || (c && strchr("-._~", c));
}

void
sign_encode(struct buf *out, const char *text, bool keep_slashes)
{
	static const char digits[] = "0123456789ABCDEF";

	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		char code[3] = { '%', digits[c >> 4], digits[c & 15] };

		if (is_unreserved(c) || (c == '/' && keep_slashes))
			buf_append(out, text, 1);
		else
			buf_append(out, code, sizeof(code));
	}
}

static void
end_text(struct buf *b)
{
	buf_append(b, "", 1);
}

static const char *
text_of(const struct buf *b)
{
	return (const char *)b->data;
}

static int
compare_pairs(const void *a, const void *b)
{
	const struct sign_pair *x = a, *y = b;
	int c = strcmp(x->name, y->name);

	return c ? c : strcmp(x->value, y->value);
}

/* A copy of text, encoded; given. */
static char *
encoded(const char *text)
{
	struct buf b = BUF_INIT;

	sign_encode(&b, text, false);
	end_text(&b);
	return (char *)b.data;
}

void
sign_query(struct buf *out, const struct sign_pair *pairs, size_t n)
{
	struct sign_pair sorted[SIGN_PAIRS_MAX];
	char *owned[2 * SIGN_PAIRS_MAX];

	assert(n <= SIGN_PAIRS_MAX);
	for (size_t i = 0; i < n; i++) {
		owned[2 * i] = encoded(pairs[i].name);
		owned[2 * i + 1] = encoded(pairs[i].value);
		sorted[i].name = owned[2 * i];
		sorted[i].value = owned[2 * i + 1];
	}
	qsort(sorted, n, sizeof(*sorted), compare_pairs);
	for (size_t i = 0; i < n; i++)
		buf_printf(out, "%s%s=%s", i > 0 ? "&" : "", sorted[i].name,
			sorted[i].value);
	for (size_t i = 0; i < 2 * n; i++)
		free(owned[i]);
}

void
sign_date(char date[SIGN_DATE_LEN + 1], int64_t seconds)
{
	time_t t = (time_t)seconds;
	struct tm tm;

	if (!gmtime_r(&t, &tm) ||
		strftime(date, SIGN_DATE_LEN + 1, "%Y%m%dT%H%M%SZ", &tm) == 0)
		memcpy(date, "19700101T000000Z", SIGN_DATE_LEN + 1);
}

void
sign_payload(const void *data, size_t len, char hash[SIGN_HASH_LEN + 1])
{
	uint8_t digest[HASH_LEN];

	sha256(data, len, digest);
	hex_encode(hash, digest, sizeof(digest));
}

void
sign_md5(const void *data, size_t len, char md5[SIGN_MD5_LEN + 1])
{
	uint8_t digest[16];

	kdf_must(EVP_Digest(data, len, digest, NULL, EVP_md5(), NULL), "MD5");
	EVP_EncodeBlock((unsigned char *)md5, digest, sizeof(digest));
}

/* -- The canonical request ------------------------------------------------ */

static void
add_trimmed(struct buf *b, const char *value)
{
	const char *end = value + strlen(value);

	value += strspn(value, " ");
	while (end > value && end[-1] == ' ')
		end--;
	for (; value < end; value++)
		if (*value != ' ' || value[-1] != ' ')
			buf_append(b, value, 1);
}

/* Lines of headers to b, their names to names; one of several values is a line
 * with commas. */
static void
add_headers(struct buf *b, struct buf *names, const struct sign_request *r)
{
	const struct sign_pair *sorted[SIGN_PAIRS_MAX];
	size_t n = r->n_headers;

	assert(n <= SIGN_PAIRS_MAX);
	for (size_t i = 0; i < n; i++) { /* few, and stable */
		size_t at = i;

		for (; at > 0 &&
			strcmp(sorted[at - 1]->name, r->headers[i].name) > 0;
			at--)
			sorted[at] = sorted[at - 1];
		sorted[at] = &r->headers[i];
	}
	for (size_t i = 0; i < n; i++) {
		const char *name = sorted[i]->name;
		bool again = i > 0 && strcmp(sorted[i - 1]->name, name) == 0;

		if (again)
			b->len--; /* the end of the line */
		buf_printf(b, "%s%s", again ? "," : name, again ? "" : ":");
		add_trimmed(b, sorted[i]->value);
		buf_append(b, "\n", 1);
		if (!again)
			buf_printf(names, "%s%s", i > 0 ? ";" : "", name);
	}
	end_text(names);
}

/* Hash of the canonical request; the names of its headers to names. */
static void
canonical(const struct sign_request *r, struct buf *names,
	char hash[SIGN_HASH_LEN + 1])
{
	auto_buf struct buf b = BUF_INIT;

	buf_printf(&b, "%s\n%s\n%s\n", r->method, r->path, r->query);
	add_headers(&b, names, r);
	buf_printf(&b, "\n%s\n%s", text_of(names), r->payload);
	sign_payload(b.data, b.len, hash);
}

/* -- The signature -------------------------------------------------------- */

static void
step(uint8_t key[KDF_MAC_LEN], const char *text, size_t len)
{
	kdf_hmac(key, &(struct kdf_part){ text, len }, 1, key);
}

static void
derive(uint8_t key[KDF_MAC_LEN], const struct sign_key *k, const char *date)
{
	size_t len = 4 + strlen(k->secret_key);
	char *secret = xasprintf("AWS4%s", k->secret_key);
	const unsigned char *day = (const unsigned char *)date;

	kdf_must(HMAC(EVP_sha256(), secret, (int)len, day, DAY_LEN, key,
			 NULL) != NULL,
		"HMAC");
	secret_wipe(secret, len);
	free(secret);
	step(key, k->region, strlen(k->region));
	step(key, k->service, strlen(k->service));
	step(key, "aws4_request", 12);
}

void
sign_authorization(
	struct buf *out, const struct sign_key *k, const struct sign_request *r)
{
	auto_buf struct buf names = BUF_INIT, text = BUF_INIT;
	char hash[SIGN_HASH_LEN + 1], signature[SIGN_HASH_LEN + 1];
	uint8_t key[KDF_MAC_LEN];

	canonical(r, &names, hash);
	buf_printf(&text, "AWS4-HMAC-SHA256\n%s\n%.8s/%s/%s/aws4_request\n%s",
		r->date, r->date, k->region, k->service, hash);
	derive(key, k, r->date);
	step(key, text_of(&text), text.len);
	hex_encode(signature, key, sizeof(key));
	secret_wipe(key, sizeof(key));
	buf_printf(out,
		"AWS4-HMAC-SHA256 Credential=%s/%.8s/%s/%s/aws4_request, "
		"SignedHeaders=%s, Signature=%s",
		k->access_key, r->date, k->region, k->service, text_of(&names),
		signature);
}

void
sign_outlive_exit(void)
{
	OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL);
}
