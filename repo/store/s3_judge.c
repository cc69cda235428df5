/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/store/s3_judge.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "repo/base/clock.h"

#define SKEW_S 240 /* servers refuse a clock that is 15 minutes off */

static bool
is_one_of(const char *code, const char *const *codes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(code, codes[i]) == 0)
			return true;
	return false;
}

static bool
is_passing(int status, const char *code)
{
	static const char *const codes[] = { "InternalError", "SlowDown",
		"ServiceUnavailable", "RequestTimeout", "OperationAborted",
		"ConditionalRequestConflict", "Busy", "Throttling",
		"RequestLimitExceeded", "BandwidthLimitExceeded" };

	return status == 408 || status == 429 || status == 500 ||
	       status == 502 || status == 503 || status == 504 ||
	       is_one_of(code, codes, n_elements(codes));
}

static bool
is_expiry(const struct s3_call *call)
{
	static const char *const codes[] = { "ExpiredToken",
		"ExpiredTokenException", "TokenRefreshRequired", "InvalidToken",
		"InvalidAccessKeyId" };

	if (call->error.code[0])
		return is_one_of(call->error.code, codes, n_elements(codes));
	/* the answer to a HEAD cannot say why */
	return call->kind == S3_HEAD && call->temporary &&
	       (call->rs.head.status == 403 || call->rs.head.status == 400);
}

/* Whether the clock is off; then the difference is noted. */
static bool
is_skew(struct s3_client *c, const struct s3_call *call)
{
	const struct http_head *h = &call->rs.head;
	int64_t here = clock_wall_ns() / NS_PER_S;
	int64_t off = h->date - here - atomic_load(&c->clock_offset_s);

	if (h->status != 403 || h->date == 0)
		return false;
	if (strcmp(call->error.code, "RequestTimeTooSkewed") != 0 &&
		(call->error.code[0] || (off < SKEW_S && off > -SKEW_S)))
		return false;
	atomic_store(&c->clock_offset_s, h->date - here);
	return true;
}

/* -- Verdicts ------------------------------------------------------------- */

/* What came of an object before the connection broke is kept, if its next
 * bytes can be asked for by its ETag. */
static enum s3_verdict
judge_failure(struct s3_call *call)
{
	const struct http_head *h = &call->rs.head;
	bool same = call->kept == 0 || strcmp(h->etag, call->etag) == 0;

	call->unsure = true;
	if (call->rs.got == 0)
		return S3_AGAIN_LATER;
	call->kept += call->rs.got;
	if (!same || !h->etag[0] || call->kept >= call->range.len)
		call->kept = 0;
	memcpy(call->etag, h->etag, sizeof(call->etag));
	return S3_AGAIN_LATER;
}

/* The rest of an object that is another one by now: from the beginning. */
static bool
is_other_object(struct s3_call *call)
{
	if (call->kept == 0 ||
		(call->rs.head.status != 412 &&
			strcmp(call->rs.head.etag, call->etag) == 0))
		return false;
	call->kept = 0;
	return true;
}

static enum s3_verdict
judge_answer(struct s3_client *c, struct s3_call *call)
{
	int status = call->rs.head.status;

	atomic_store(&c->answered, true);
	atomic_store(&c->silent, false);
	if (call->rs.text.len > 0)
		s3_xml_error(
			call->rs.text.data, call->rs.text.len, &call->error);
	if (is_passing(status, call->error.code)) {
		call->unsure = true;
		return S3_AGAIN_LATER;
	}
	if (is_other_object(call))
		return S3_AGAIN_LATER;
	if (status < 400 || !c->credentials)
		return S3_ENDED;
	if (!call->skewed && is_skew(c, call)) {
		call->skewed = true;
		return S3_AGAIN_NOW;
	}
	if (!call->renewed && is_expiry(call)) {
		call->renewed = true;
		s3_credentials_refused(c->credentials, call->serial);
		return S3_AGAIN_NOW;
	}
	return S3_ENDED;
}

enum s3_verdict
s3_judge(struct s3_client *c, struct s3_call *call)
{
	call->error = (struct s3_error){ .code = "" };
	call->unsure |= call->rs.sent_again;
	switch (call->rs.outcome) {
	case HTTP_ANSWERED:
		return judge_answer(c, call);
	case HTTP_CANCELLED:
	case HTTP_REFUSED:
		return S3_ENDED;
	case HTTP_UNREACHABLE:
		return S3_AGAIN_LATER;
	default:
		return judge_failure(call);
	}
}

/* -- Errors --------------------------------------------------------------- */

static int
errno_of(int status, const char *code)
{
	static const struct {
		const char *code;
		int number;
	} known[] = {
		{ "NotImplemented", EOPNOTSUPP },
		{ "MethodNotAllowed", EOPNOTSUPP },
		{ "AccessDenied", EACCES },
		{ "SignatureDoesNotMatch", EPERM },
		{ "InvalidAccessKeyId", EPERM },
		{ "InvalidToken", EPERM },
		{ "ExpiredToken", EPERM },
		{ "NoSuchKey", ENOENT },
		{ "NoSuchUpload", ENOENT },
		{ "NoSuchBucket", ENXIO },
		{ "PreconditionFailed", EEXIST },
	};

	for (size_t i = 0; i < n_elements(known); i++)
		if (strcmp(code, known[i].code) == 0)
			return known[i].number;
	switch (status) {
	case 401:
	case 403:
		return EACCES;
	case 404:
		return ENOENT;
	case 405:
	case 501:
		return EOPNOTSUPP;
	case 412:
		return EEXIST;
	case 416:
		return ERANGE;
	default:
		return EIO;
	}
}

/* What to do about it, where that is known. */
static char *
advice(const struct s3_call *call)
{
	const char *region = call->rs.head.region[0] ? call->rs.head.region
						     : call->error.region;
	int status = call->rs.head.status;

	if (*region && (status == 301 || status == 307 || status == 400))
		return xasprintf("; its region is %s: give ?region=", region);
	if (status >= 300 && status < 400)
		return xstrdup("; redirects are not followed");
	return xstrdup("");
}

static const char *
meaning(int code)
{
	switch (code) {
	case ENOENT:
		return "there is no such object";
	case ENXIO:
		return "there is no such bucket";
	case EEXIST:
		return "the name is taken";
	case EACCES:
		return "access is denied";
	case EPERM:
		return "the keys are refused";
	default:
		return "the server refuses";
	}
}

static int
answer_error(const struct s3_call *call, const char *what, struct err *e)
{
	int status = call->rs.head.status;
	int code = errno_of(status, call->error.code);
	auto_free char *hint = advice(call);

	if (status >= 200 && status < 300 && !call->error.code[0])
		return 0;
	return err_set(e, code, "%s: %s (%s%sHTTP %d%s%s)%s", what,
		meaning(code), call->error.code,
		call->error.code[0] ? ", " : "", status,
		code == EIO && call->error.message[0] ? ", " : "",
		code == EIO ? call->error.message : "", hint);
}

int
s3_judge_error(struct s3_client *c, struct s3_call *call, struct err *e)
{
	auto_free char *what =
		s3_client_address(c, call->name ? call->name : call->about);
	bool answered = call->rs.outcome == HTTP_ANSWERED;
	int r = answered ? answer_error(call, what, e) : -EIO;

	if (r == -EIO && call->how && cancel_raised(call->how->cancel))
		return err_set(e, EINTR, "%s: interrupted", what);
	if (answered)
		return r;
	return err_set(e, EIO, "%s: no answer from %s: %s", what,
		c->config.origin.host, call->rs.why);
}
