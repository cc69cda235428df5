/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/store/s3_client.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "repo/base/clock.h"
#include "repo/base/log.h"
#include "repo/crypto/keyring.h"
#include "repo/store/s3_judge.h"

#define STRANGER_S 5 /* for a service that has never answered */
#define SILENT_S 5   /* for one that has stopped to */
#define STALL_S 20
#define PROGRESS_MIN (1u << 20)
#define EMPTY_PAYLOAD \
	"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

struct s3_client *
s3_client_new(struct s3_config *config, unsigned patience_s)
{
	struct s3_client *c = xcalloc(1, sizeof(*c));
	const struct http_options o = { .ca_file = config->ca_file };

	c->config = *config;
	*config = (struct s3_config){ .bucket = NULL };
	c->patience_s = c->config.timeout_s ? c->config.timeout_s : patience_s;
	c->http = http_new(&o);
	if (c->config.bucket)
		c->credentials = s3_credentials_new(c->config.profile);
	return c;
}

void
s3_client_free(struct s3_client *c)
{
	if (!c)
		return;
	http_free(c->http);
	s3_credentials_free(c->credentials);
	s3_config_release(&c->config);
	free(c);
}

void
s3_client_stats(struct s3_client *c, struct store_stats *st)
{
	st->gets = atomic_load(&c->requests[S3_GET]);
	st->heads = atomic_load(&c->requests[S3_HEAD]);
	st->lists = atomic_load(&c->requests[S3_LIST]);
	st->puts = atomic_load(&c->requests[S3_PUT]);
	st->bytes = atomic_load(&c->bytes);
	st->errors = atomic_load(&c->errors);
	st->retries = atomic_load(&c->retries);
	st->seconds = histogram_read(&c->seconds);
}

char *
s3_client_address(const struct s3_client *c, const char *name)
{
	const struct s3_config *cf = &c->config;

	name = name ? name : "";
	if (cf->bucket)
		return xasprintf("s3://%s/%s%s", cf->bucket, cf->prefix, name);
	return xasprintf("%s://%s%s/%s", cf->origin.scheme, cf->origin.host,
		cf->origin.path, name);
}

/* -- An attempt ----------------------------------------------------------- */

/* Append the encoded path; terminated. */
static void
add_path(const struct s3_client *c, const struct s3_call *call, struct buf *b)
{
	const struct s3_config *cf = &c->config;

	buf_printf(b, "%s/", cf->origin.path);
	if (cf->bucket && !cf->virtual_host)
		buf_printf(b, "%s%s", cf->bucket, call->name ? "/" : "");
	if (call->name) {
		sign_encode(b, cf->prefix, true);
		sign_encode(b, call->name, true);
	}
	buf_append(b, "", 1);
}

static char *
host_of(const struct s3_client *c)
{
	const struct s3_config *cf = &c->config;

	return cf->virtual_host
		       ? xasprintf("%s.%s", cf->bucket, cf->origin.host)
		       : xstrdup(cf->origin.host);
}

static void
add_line(struct s3_call *call, const char *name, const char *value)
{
	struct http_request *rq = &call->rq;

	if (strcmp(name, "host") != 0)
		call->lines[rq->n_headers++] = xasprintf("%s: %s", name, value);
}

static void
sign(struct s3_client *c, struct s3_call *call, const struct s3_identity *id,
	struct sign_request *r, struct sign_pair *headers)
{
	const struct sign_key key = { .access_key = id->access_key,
		.secret_key = id->secret_key,
		.region = c->config.region,
		.service = "s3" };
	int64_t now = clock_wall_ns() / NS_PER_S;

	sign_date(r->date, now + atomic_load(&c->clock_offset_s));
	if (call->body)
		sign_payload(call->body, call->body_len, r->payload);
	else
		memcpy(r->payload, EMPTY_PAYLOAD, SIGN_HASH_LEN + 1);
	headers[r->n_headers++] = (struct sign_pair){ "x-amz-date", r->date };
	headers[r->n_headers++] =
		(struct sign_pair){ "x-amz-content-sha256", r->payload };
	if (id->session_token)
		headers[r->n_headers++] =
			(struct sign_pair){ "x-amz-security-token",
				id->session_token };
	call->authorization.len = 0;
	sign_authorization(&call->authorization, &key, r);
	buf_append(&call->authorization, "", 1);
}

/* The keys, or nothing for requests that are not signed. */
static int
identify(struct s3_client *c, struct s3_call *call, struct s3_identity *id,
	struct err *e)
{
	int r = c->credentials ? s3_credentials_get(c->credentials, id, e) : 0;

	if (r < 0)
		return r;
	call->serial = id->serial;
	call->temporary = id->session_token != NULL;
	return 0;
}

/* Everything of the request that is on its first line or in its head. */
static void
build(struct s3_client *c, struct s3_call *call, const struct s3_identity *id)
{
	auto_buf struct buf path = BUF_INIT, query = BUF_INIT;
	auto_free char *host = host_of(c);
	struct sign_pair headers[SIGN_PAIRS_MAX] = { { "host", host } };
	struct sign_request r = { .method = call->method, .headers = headers };

	r.n_headers = 1;
	for (size_t i = 0; i < call->n_headers; i++)
		headers[r.n_headers++] = call->headers[i];
	if (call->kept > 0)
		headers[r.n_headers++] =
			(struct sign_pair){ "if-match", call->etag };
	add_path(c, call, &path);
	sign_query(&query, call->query, call->n_query);
	buf_append(&query, "", 1);
	r.path = (const char *)path.data;
	r.query = (const char *)query.data;
	if (c->credentials)
		sign(c, call, id, &r, headers);
	for (size_t i = 0; i < r.n_headers; i++)
		add_line(call, headers[i].name, headers[i].value);
	if (c->credentials)
		add_line(call, "Authorization",
			(const char *)call->authorization.data);
	call->url.len = 0;
	buf_printf(&call->url, "%s://%s%s%s%s", c->config.origin.scheme, host,
		r.path, *r.query ? "?" : "", r.query);
	buf_append(&call->url, "", 1);
}

static void
free_lines(struct s3_call *call)
{
	for (size_t i = 0; i < call->rq.n_headers; i++) {
		secret_wipe(call->lines[i], strlen(call->lines[i]));
		free(call->lines[i]);
	}
	call->rq.n_headers = 0;
}

/* That are still to move. */
static size_t
bytes_of(const struct s3_call *call)
{
	return call->body_len + call->range.len - call->kept;
}

/* What comes from here on is written behind what was kept. */
static _Atomic size_t *
expect_rest(const struct s3_call *call)
{
	struct store_arrival *a = call->how ? call->how->arrival : NULL;

	if (!a)
		return NULL;
	auto_lock(&a->lock);
	a->len = call->kept;
	return &a->len;
}

static int
begin_attempt(struct s3_client *c, struct s3_call *call, struct err *e)
{
	struct s3_identity id = { .access_key = NULL };
	struct http_request *rq = &call->rq;
	int r = identify(c, call, &id, e);

	if (r < 0)
		return r;
	free_lines(call);
	build(c, call, &id);
	s3_identity_release(&id);
	rq->method = call->method;
	rq->url = (const char *)call->url.data;
	rq->headers = (const char *const *)call->lines;
	rq->body = call->body;
	rq->body_len = call->body_len;
	rq->text_max = call->text_max;
	rq->want = call->want;
	rq->range = call->range;
	rq->range.off += call->kept;
	rq->range.len -= call->kept;
	if (call->kept)
		rq->range.into = (char *)call->range.into + call->kept;
	rq->range.come = expect_rest(call);
	rq->cancel = call->how ? call->how->cancel : NULL;
	rq->ahead = call->how && call->how->ahead;
	rq->deadline_ns = http_retry_deadline(&call->retry, bytes_of(call));
	rq->stall_s = call->retry.patience_s < STALL_S ? call->retry.patience_s
						       : STALL_S;
	atomic_fetch_add(&c->requests[call->kind], 1);
	call->attempt_ns = clock_mono_ns();
	call->transfer = http_start(c->http, rq, &call->rs);
	return 0;
}

/* -- The call ------------------------------------------------------------- */

/* One call has waited its full time; those that follow need not. */
static unsigned
patience(const struct s3_client *c, const struct s3_call *call)
{
	unsigned s = call->patience_s ? call->patience_s : c->patience_s;

	return atomic_load(&c->silent) && s > SILENT_S ? SILENT_S : s;
}

int
s3_call_start(struct s3_client *c, struct s3_call *call, struct err *e)
{
	struct cancel *cancel = call->how ? call->how->cancel : NULL;
	int r;

	call->began_ns = clock_mono_ns();
	http_retry_begin(
		&call->retry, patience(c, call), bytes_of(call), cancel);
	r = begin_attempt(c, call, e);
	if (r < 0)
		s3_call_release(call);
	return r;
}

/* A service that never answered is more likely misspelt than down. */
static void
lose_patience(struct s3_client *c, struct s3_call *call)
{
	int64_t end = call->began_ns + STRANGER_S * NS_PER_S;

	if (call->rs.outcome == HTTP_UNREACHABLE &&
		!atomic_load(&c->answered) && call->retry.give_up_ns > end)
		call->retry.give_up_ns = end;
}

static int
end_call(struct s3_client *c, struct s3_call *call, struct err *e)
{
	enum http_outcome outcome = call->rs.outcome;
	int r = s3_judge_error(c, call, e);

	if (r != -EINTR && outcome != HTTP_ANSWERED && outcome != HTTP_REFUSED)
		atomic_store(&c->silent, true);
	if (r == 0 && call->range.len > 0) {
		call->got = call->kept + call->rs.got;
		atomic_fetch_add(&c->bytes, call->got);
	}
	if (r < 0 && r != -ENOENT && r != -EEXIST && r != -ERANGE &&
		r != -EINTR)
		atomic_fetch_add(&c->errors, 1);
	return r;
}

int
s3_call_finish(struct s3_client *c, struct s3_call *call, struct err *e)
{
	size_t won = 0; /* bytes that time was given for */

	for (;;) {
		enum s3_verdict v;
		int r;

		http_wait(steal(call->transfer));
		histogram_add(&c->seconds, clock_mono_ns() - call->attempt_ns);
		v = s3_judge(c, call);
		if (call->kept >= won + PROGRESS_MIN) {
			won = call->kept;
			http_retry_progress(&call->retry);
		}
		if (v == S3_ENDED)
			return end_call(c, call, e);
		lose_patience(c, call);
		if (v == S3_AGAIN_LATER && !http_retry_wait(&call->retry,
						   call->rs.head.retry_after_s))
			return end_call(c, call, e);
		atomic_fetch_add(&c->retries, 1);
		log_debug("%s: trying again: %s", call->rq.url,
			call->rs.why[0] ? call->rs.why : call->error.code);
		r = begin_attempt(c, call, e);
		if (r < 0)
			return r;
	}
}

int
s3_call(struct s3_client *c, struct s3_call *call, struct err *e)
{
	int r = s3_call_start(c, call, e);

	return r < 0 ? r : s3_call_finish(c, call, e);
}

void
s3_call_release(struct s3_call *call)
{
	free_lines(call);
	buf_release(&call->url);
	buf_release(&call->authorization);
	http_response_release(&call->rs);
}
