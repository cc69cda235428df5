/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a request to a curl handle, and from what the server sends to a
 * response that is whole or says that it is not.
 */
#include "repo/store/http_transfer.h"

#include <stdio.h>
#include <string.h>

#define ERROR_TEXT_MAX (64u << 10)
#define SKIP_MAX (1u << 20)
#define RECEIVE_BUFFER (256L << 10)
#define SEND_BUFFER (512L << 10)
#define STALL_BYTES_A_S 1024L
#define STALL_S 20L
#define CONNECT_S 10L

/* -- The answer's body ---------------------------------------------------- */

static bool
is_success(int status)
{
	return status >= 200 && status < 300;
}

/* A 206: exactly what was asked for, or less at the end of the object. */
static const char *
decide_part(struct http_transfer *t)
{
	const struct http_range *want = &t->rq->range;
	const struct http_head *h = &t->rs->head;
	uint64_t n = h->last - h->first + 1;

	if (!h->has_range || h->first != want->off || n > want->len)
		return "the server sent another range than was asked for";
	if (n < want->len && h->size != (int64_t)(h->last + 1))
		return "the server sent a part of the range";
	if (h->length >= 0 && (uint64_t)h->length != n)
		return "the server contradicts itself about the length";
	t->expected = (size_t)n;
	return NULL;
}

/* A 200: the whole object, which is cut to the range here. */
static const char *
decide_whole(struct http_transfer *t)
{
	const struct http_range *want = &t->rq->range;
	const struct http_head *h = &t->rs->head;
	uint64_t size = h->length >= 0 ? (uint64_t)h->length : UINT64_MAX;
	uint64_t left = size > want->off ? size - want->off : 0;

	if (left > 0 && want->off > SKIP_MAX)
		return "the server ignores ranges";
	t->skip = want->off;
	t->expected = left < want->len ? (size_t)left : want->len;
	t->open_end = left > want->len || left == 0;
	return NULL;
}

/* Once the head is there: where the body goes. */
static void
decide(struct http_transfer *t)
{
	const struct http_head *h = &t->rs->head;
	bool range = t->rq->range.len > 0;

	t->decided = true;
	t->into_range = range && (h->status == 206 || h->status == 200);
	if (h->bad)
		t->wrong = "the head of the answer is malformed";
	else if (h->encoded)
		t->wrong = "the server encoded what was not to be encoded";
	else if (!t->into_range)
		t->wrong = h->status == 206 ? "the server sent a part of the "
					      "whole that was asked for"
					    : NULL;
	else
		t->wrong = h->status == 206 ? decide_part(t) : decide_whole(t);
}

static size_t
take_text(struct http_transfer *t, const char *data, size_t n)
{
	struct buf *text = &t->rs->text;
	bool success = is_success(t->rs->head.status);
	size_t max = success ? t->rq->text_max : ERROR_TEXT_MAX;

	if (n > max - text->len) {
		t->enough = !success; /* what matters comes first */
		if (success)
			t->wrong = "the answer is longer than it may be";
		return 0;
	}
	buf_append(text, data, n);
	return n;
}

static size_t
take_range(struct http_transfer *t, const char *data, size_t n)
{
	struct http_response *rs = t->rs;
	size_t skipped = t->skip < n ? (size_t)t->skip : n;
	size_t left = t->expected - rs->got;
	size_t taken = n - skipped < left ? n - skipped : left;

	t->skip -= skipped;
	if (taken > 0)
		memcpy((char *)t->rq->range.into + rs->got, data + skipped,
			taken);
	rs->got += taken;
	if (t->rq->range.come)
		*t->rq->range.come += taken;
	if (rs->got == t->expected && t->open_end) {
		t->enough = true;
		return 0;
	}
	if (skipped + taken == n)
		return n;
	t->wrong = "the server sent more than the range";
	return 0;
}

/* An S3 error with status 200, where an object was asked for: none of ours
 * looks like that. */
static bool
is_error_text(const struct http_transfer *t, const char *data, size_t n)
{
	return t->into_range && t->rs->head.status == 200 && n > 0 &&
	       *data == '<' && memmem(data, n, "<Error>", strlen("<Error>"));
}

static size_t
on_body(char *data, size_t size, size_t n, void *ctx)
{
	struct http_transfer *t = ctx;

	(void)size; /* always 1 */
	if (!t->decided) {
		decide(t);
		if (!t->wrong && is_error_text(t, data, n))
			t->wrong = "the server sent an error as an object";
	}
	if (t->wrong)
		return 0;
	return t->into_range ? take_range(t, data, n) : take_text(t, data, n);
}

static size_t
on_header(char *line, size_t size, size_t n, void *ctx)
{
	struct http_transfer *t = ctx;

	(void)size;
	if (!t->decided) /* else it is a trailer */
		http_head_line(&t->rs->head, line, n);
	return n;
}

/* curl is about to send the request; again, when a connection that it had kept
 * broke before a byte of the answer came. */
static int
on_send(void *ctx, char *to, char *from, int to_port, int from_port)
{
	struct http_transfer *t = ctx;

	(void)to;
	(void)from;
	(void)to_port;
	(void)from_port;
	t->rs->sent_again = t->sent;
	t->sent = true;
	return CURL_PREREQFUNC_OK;
}

/* -- The request ---------------------------------------------------------- */

static bool
add_header(struct http_transfer *t, const char *line)
{
	struct curl_slist *longer = curl_slist_append(t->headers, line);

	if (longer)
		t->headers = longer;
	return longer != NULL;
}

static bool
prepare_headers(struct http_transfer *t)
{
	const struct http_request *rq = t->rq;
	char range[80];
	bool ok = add_header(t, "Expect:") && add_header(t, "Accept:");

	if (rq->body)
		ok = ok &&
		     add_header(t, "Content-Type: application/octet-stream");
	if (rq->range.len > 0) {
		snprintf(range, sizeof(range), "Range: bytes=%llu-%llu",
			(unsigned long long)rq->range.off,
			(unsigned long long)rq->range.off + rq->range.len - 1);
		ok = ok && add_header(t, range);
	}
	for (size_t i = 0; i < rq->n_headers; i++)
		ok = ok && add_header(t, rq->headers[i]);
	curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->headers);
	return ok;
}

static void
prepare_method(struct http_transfer *t)
{
	const struct http_request *rq = t->rq;

	if (strcmp(rq->method, "HEAD") == 0) {
		curl_easy_setopt(t->easy, CURLOPT_NOBODY, 1L);
		return;
	}
	if (rq->body) {
		curl_easy_setopt(t->easy, CURLOPT_POSTFIELDS, rq->body);
		curl_easy_setopt(t->easy, CURLOPT_POSTFIELDSIZE_LARGE,
			(curl_off_t)rq->body_len);
	}
	curl_easy_setopt(t->easy, CURLOPT_CUSTOMREQUEST, rq->method);
}

/* Only where it was sent, only as it was written, only in good company. */
static void
prepare_manners(struct http_transfer *t)
{
	CURL *c = t->easy;

	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(c, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(c, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	/* a resolver that hangs must not hang the thread of all requests */
	curl_easy_setopt(c, CURLOPT_QUICK_EXIT, 1L);
	curl_easy_setopt(c, CURLOPT_USERAGENT, "yore/" PACKAGE_VERSION);
	if (strncmp(t->rq->url, "http:", 5) == 0)
		curl_easy_setopt(c, CURLOPT_PROXY, "");
}

static void
prepare_times(struct http_transfer *t)
{
	long stall_s = t->rq->stall_s ? (long)t->rq->stall_s : STALL_S;

	curl_easy_setopt(t->easy, CURLOPT_CONNECTTIMEOUT,
		stall_s < CONNECT_S ? stall_s : CONNECT_S);
	curl_easy_setopt(t->easy, CURLOPT_LOW_SPEED_LIMIT, STALL_BYTES_A_S);
	curl_easy_setopt(t->easy, CURLOPT_LOW_SPEED_TIME, stall_s);
}

bool
http_transfer_prepare(struct http_transfer *t, const char *ca_file)
{
	CURL *c = t->easy = curl_easy_init();

	if (!c)
		return false;
	prepare_manners(t);
	curl_easy_setopt(c, CURLOPT_URL, t->rq->url);
	prepare_method(t);
	curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
	curl_easy_setopt(c, CURLOPT_STREAM_WEIGHT, t->rq->ahead ? 16L : 256L);
	curl_easy_setopt(c, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(c, CURLOPT_BUFFERSIZE, RECEIVE_BUFFER);
	curl_easy_setopt(c, CURLOPT_UPLOAD_BUFFERSIZE, SEND_BUFFER);
	prepare_times(t);
	if (ca_file)
		curl_easy_setopt(c, CURLOPT_CAINFO, ca_file);
	curl_easy_setopt(c, CURLOPT_PREREQFUNCTION, on_send);
	curl_easy_setopt(c, CURLOPT_PREREQDATA, t);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, t);
	curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(c, CURLOPT_HEADERDATA, t);
	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, t->error);
	curl_easy_setopt(c, CURLOPT_PRIVATE, t);
	return prepare_headers(t);
}

/* -- The end -------------------------------------------------------------- */

void
http_transfer_end(
	struct http_transfer *t, enum http_outcome outcome, const char *why)
{
	t->rs->outcome = outcome;
	snprintf(t->rs->why, sizeof(t->rs->why), "%s", why);
}

/* An answer that curl takes for whole. */
static void
settle_answer(struct http_transfer *t)
{
	struct http_response *rs = t->rs;

	if (!t->decided)
		decide(t);
	if (!t->wrong && t->into_range && rs->got < t->expected)
		t->wrong = "the answer ended too early";
	if (!t->wrong && rs->head.status == 0)
		t->wrong = "the answer has no head";
	if (t->wrong) {
		rs->got = 0; /* nothing of it is trusted */
		http_transfer_end(t, HTTP_BROKEN, t->wrong);
	} else
		http_transfer_end(t, HTTP_ANSWERED, "");
}

static bool
reached_server(const struct http_transfer *t)
{
	curl_off_t us = 0;

	curl_easy_getinfo(t->easy, CURLINFO_PRETRANSFER_TIME_T, &us);
	return us > 0;
}

static enum http_outcome
outcome_of(const struct http_transfer *t, CURLcode code)
{
	switch (code) {
	case CURLE_OPERATION_TIMEDOUT:
		return reached_server(t) ? HTTP_TIMED_OUT : HTTP_UNREACHABLE;
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_CONNECT:
	case CURLE_SSL_CONNECT_ERROR:
		return HTTP_UNREACHABLE;
	case CURLE_UNSUPPORTED_PROTOCOL: /* also an answer that is not HTTP */
		return reached_server(t) ? HTTP_BROKEN : HTTP_REFUSED;
	case CURLE_URL_MALFORMAT:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_ENGINE_NOTFOUND:
		return HTTP_REFUSED;
	default:
		return HTTP_BROKEN;
	}
}

void
http_transfer_settle(struct http_transfer *t, CURLcode code)
{
	if (code == CURLE_OK || (code == CURLE_WRITE_ERROR && t->enough)) {
		settle_answer(t);
		return;
	}
	const char *why = t->wrong	? t->wrong
			  : t->error[0] ? t->error
					: curl_easy_strerror(code);

	if (t->wrong)
		t->rs->got = 0;
	http_transfer_end(t, outcome_of(t, code), why);
}
