/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An upload gathers bytes until there is more than one part of them.  From then
 * on it is a multipart upload: full parts are sent while the next is filled,
 * and nothing has the name before the last request.  A part is sent only when a
 * quarter of the next is there too, so that no request is spent on a few bytes
 * at the end.
 */
#include "repo/store/s3_upload.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "repo/base/clock.h"
#include "repo/store/s3_confirm.h"

#define PART_LEN (16u << 20)
#define FULL_LEN (20u << 20) /* then a part of these is sent */
#define PARTS_MAX 10000
/* What grows beyond the first gets a mapping of its own, of which only what is
 * written counts, and which goes back as a whole (repo/base/memory.h). */
#define SMALL_LEN (1u << 20)
#define MAPPED_LEN (33u << 20)
#define IN_FLIGHT 3
/* Of all uploads together: two parts on the line, one that is ready, one that is
 * being filled. */
#define MEMORY_MAX (64u << 20)
#define ROOM_WAIT_MS 200
#define ROOM_WAITS 25
#define TEXT_MAX (64u << 10)
#define UPLOAD_ID_MAX 1024
#define ABORT_PATIENCE_S 5
#define PUTS_MAX 3 /* of an object that does not stay */

struct part {
	struct s3_call call;
	struct buf bytes;
	char number[12];
	bool busy;
};

struct s3_upload {
	struct upload upload;
	struct s3_sink *sink;
	char *name;
	struct buf pending;
	uint64_t sent; /* bytes of parts */
	struct s3_call beginning;
	bool broken;	      /* a part failed: never to be named */
	bool begun;	      /* multipart: beginning was started */
	bool beginning_waits; /* and is still to be finished */
	char id[UPLOAD_ID_MAX];
	struct part parts[IN_FLIGHT]; /* part n is in slot n % IN_FLIGHT */
	unsigned n_parts;
	struct buf done; /* XML of the finished parts, in order */
	struct cancel cancel;
	struct store_call how;
};

static struct s3_upload *
upload_of(struct upload *up)
{
	return (struct s3_upload *)up;
}

void
s3_upload_escape(struct buf *out, const char *text)
{
	for (; *text; text++)
		if (strchr("<>&\"'", *text))
			buf_printf(out, "&#%d;", *text);
		else
			buf_append(out, text, 1);
}

/* -- Names that are taken ------------------------------------------------- */

static int
taken(struct s3_sink *s, const char *name, struct err *e)
{
	auto_free char *what = s3_client_address(s->client, name);

	return err_set(e, EEXIST, "%s: the name is taken", what);
}

/* For services that cannot refuse.  Who may only write learns nothing. */
static int
check_free(struct s3_sink *s, const char *name, struct err *e)
{
	uint64_t size;
	int r = s3_object_size(s->client, name, &size, e);

	if (r == 0)
		return taken(s, name, e);
	if (r != -ENOENT && r != -EACCES)
		return r;
	if (e)
		*e = (struct err)ERR_INIT;
	return 0;
}

/* Whether the name is taken by what an earlier attempt wrote.  Who may not look
 * assumes it: names are random. */
static bool
is_own(struct s3_sink *s, const char *name, const void *data, size_t len)
{
	auto_free uint8_t *there = xmalloc(len + 1);
	size_t got = 0;
	int r = s3_object_get(s->client, name, 0, len + 1, there, &got, NULL,
		NULL);

	return r == -EACCES ||
	       (r == 0 && got == len && memcmp(there, data, len) == 0);
}

/* Whether the service may have refused for the condition's sake. */
static bool
refuses_conditions(const struct s3_call *call)
{
	static const char *const codes[] = { "", "NotImplemented",
		"InvalidArgument", "InvalidRequest" };
	int status = call->rs.head.status;

	if (call->rs.outcome != HTTP_ANSWERED || call->n_headers == 0 ||
		(status != 400 && status != 501))
		return false;
	for (size_t i = 0; i < n_elements(codes); i++)
		if (strcmp(call->error.code, codes[i]) == 0)
			return true;
	return false;
}

/* -- One request ---------------------------------------------------------- */

static void
add_condition(struct s3_sink *s, struct s3_call *call)
{
	call->n_headers = 0;
	if (!atomic_load(&s->unconditional))
		call->headers[call->n_headers++] =
			(struct sign_pair){ "if-none-match", "*" };
}

/* etag is set to what the service says. */
static int
put(struct s3_sink *s, const char *name, const void *data, size_t len,
	bool *refused, char etag[HTTP_ETAG_MAX], struct err *e)
{
	auto_s3_call struct s3_call call = { .kind = S3_PUT,
		.method = "PUT",
		.name = name,
		.body = len > 0 ? data : "",
		.body_len = len,
		.text_max = TEXT_MAX };
	int r;

	add_condition(s, &call);
	r = call.n_headers > 0 ? 0 : check_free(s, name, e);
	if (r == 0)
		r = s3_call(s->client, &call, e);
	*refused = r < 0 && refuses_conditions(&call);
	memcpy(etag, call.rs.head.etag, HTTP_ETAG_MAX);
	if (r == -EEXIST && call.unsure && is_own(s, name, data, len)) {
		*etag = '\0';
		return 0;
	}
	return r;
}

static int
put_if_free(struct s3_sink *s, const char *name, const void *data, size_t len,
	char etag[HTTP_ETAG_MAX], struct err *e)
{
	bool refused;
	int r = put(s, name, data, len, &refused, etag, e);

	if (!refused)
		return r;
	atomic_store(&s->unconditional, true);
	r = put(s, name, data, len, &refused, etag, e);
	if (r < 0 && r != -EEXIST) /* it was something else */
		atomic_store(&s->unconditional, false);
	return r;
}

int
s3_upload_whole(struct s3_sink *s, const char *name, const void *data,
	size_t len, struct err *e)
{
	char etag[HTTP_ETAG_MAX];
	int r = -ENODATA;

	for (unsigned n = 0; n < PUTS_MAX && r == -ENODATA; n++) {
		r = put_if_free(s, name, data, len, etag, e);
		if (r == 0 && s3_confirm_wants(name))
			r = s3_confirm(s, name, len, etag, e);
	}
	return r;
}

static int
refuse(const struct s3_upload *u, const char *what, struct err *e)
{
	auto_free char *where = s3_client_address(u->sink->client, u->name);

	return err_set(e, EIO, "%s: the server answers with a %s", where, what);
}

/* -- Memory --------------------------------------------------------------- */

/* Count n bytes more; false when a moment's waiting did not make room. */
static bool
take_room(struct s3_sink *s, size_t n)
{
	int64_t end_ns = clock_mono_ns() + ROOM_WAIT_MS * 1000000LL;
	struct timespec end = { .tv_sec = end_ns / NS_PER_S,
		.tv_nsec = (long)(end_ns % NS_PER_S) };
	int r = 0;

	auto_lock(&s->lock);
	while (s->bytes + n > MEMORY_MAX && r == 0)
		r = pthread_cond_clockwait(
			&s->changed, &s->lock, CLOCK_MONOTONIC, &end);
	if (r == 0)
		s->bytes += n;
	return r == 0;
}

static void
give_room(struct s3_sink *s, size_t n)
{
	auto_lock(&s->lock);

	s->bytes -= n;
	pthread_cond_broadcast(&s->changed);
}

static void
let_go(struct s3_sink *s, struct buf *b)
{
	give_room(s, b->len);
	buf_release(b);
}

/* -- Parts ---------------------------------------------------------------- */

/* An ETag that goes back to the server as it came. */
static bool
is_etag(const char *etag)
{
	static const char good[] = "0123456789abcdefghijklmnopqrstuvwxyz"
				   "ABCDEFGHIJKLMNOPQRSTUVWXYZ-_.\"";

	return *etag && etag[strspn(etag, good)] == '\0';
}

static int
part_finish(struct s3_upload *u, struct part *p, struct err *e)
{
	const char *etag = p->call.rs.head.etag;
	int r;

	if (!p->busy)
		return 0;
	p->busy = false;
	r = s3_call_finish(u->sink->client, &p->call, e);
	if (r == 0 && !is_etag(etag))
		r = refuse(u, "part without an ETag", e);
	if (r == 0) {
		buf_printf(&u->done, "<Part><PartNumber>%s</PartNumber><ETag>",
			p->number);
		s3_upload_escape(&u->done, etag);
		buf_printf(&u->done, "</ETag></Part>");
	}
	s3_call_release(&p->call);
	let_go(u->sink, &p->bytes);
	return r;
}

/* The parts that are under way, the first sent first. */
static int
parts_finish(struct s3_upload *u, struct err *e)
{
	int r = 0;

	for (unsigned i = 0; i < IN_FLIGHT && r == 0; i++)
		r = part_finish(u, &u->parts[(u->n_parts + i) % IN_FLIGHT], e);
	return r;
}

/* Ask for an id, which is needed with the first part only. */
static int
begin_start(struct s3_upload *u, struct err *e)
{
	int r;

	u->begun = true;
	u->beginning = (struct s3_call){ .kind = S3_OTHER,
		.method = "POST",
		.name = u->name,
		.query = { { "uploads", "" } },
		.n_query = 1,
		.body = "",
		.text_max = TEXT_MAX,
		.how = &u->how };
	r = s3_call_start(u->sink->client, &u->beginning, e);
	u->beginning_waits = r == 0;
	return r;
}

static int
begin_finish(struct s3_upload *u, struct err *e)
{
	const struct buf *text = &u->beginning.rs.text;
	int r;

	if (!u->beginning_waits)
		return 0;
	u->beginning_waits = false;
	r = s3_call_finish(u->sink->client, &u->beginning, e);
	if (r == 0 && (s3_xml_value(text->data, text->len,
			       "InitiateMultipartUploadResult/UploadId", u->id,
			       sizeof(u->id)) < 0 ||
			      !u->id[0])) {
		u->id[0] = '\0';
		r = refuse(u, "upload without an id", e);
	}
	s3_call_release(&u->beginning);
	return r;
}

/* Move the first len bytes of what is pending to a part. */
static void
fill(struct s3_upload *u, struct part *p, size_t len)
{
	p->bytes = u->pending;
	u->pending = (struct buf)BUF_INIT;
	if (p->bytes.len > len) {
		buf_reserve(&u->pending, MAPPED_LEN);
		buf_append(&u->pending, p->bytes.data + len,
			p->bytes.len - len);
	}
	p->bytes.len = len;
	u->sent += len;
}

/* Send the first len bytes of what is pending as the next part. */
static int
part_start(struct s3_upload *u, size_t len, struct err *e)
{
	struct part *p = &u->parts[u->n_parts % IN_FLIGHT];
	int r = begin_finish(u, e);

	if (r == 0)
		r = part_finish(u, p, e);
	if (r == 0 && u->n_parts == PARTS_MAX)
		r = err_set(e, EFBIG, "%s is too big", u->name);
	if (r < 0)
		return r;
	fill(u, p, len);
	snprintf(p->number, sizeof(p->number), "%u", ++u->n_parts);
	p->call = (struct s3_call){ .kind = S3_PUT,
		.method = "PUT",
		.name = u->name,
		.query = { { "partNumber", p->number }, { "uploadId", u->id } },
		.n_query = 2,
		.body = p->bytes.data,
		.body_len = p->bytes.len,
		.text_max = TEXT_MAX,
		.how = &u->how };
	r = s3_call_start(u->sink->client, &p->call, e);
	p->busy = r == 0;
	return r;
}

/* -- The upload ----------------------------------------------------------- */

int
s3_upload_begin(struct s3_sink *s, const struct sink_ops *ops, const char *name,
	struct upload **up, struct err *e)
{
	struct s3_upload *u = xcalloc(1, sizeof(*u));

	(void)e;
	u->upload.ops = ops;
	u->sink = s;
	u->name = xstrdup(name);
	buf_printf(&u->done, "<CompleteMultipartUpload>");
	u->cancel = (struct cancel)CANCEL_INIT;
	u->how.cancel = &u->cancel;
	*up = &u->upload;
	return 0;
}

/* Room for n bytes; but not for ever, since whoever could give some may be
 * waiting for something else. */
static int
wait_for_room(struct s3_upload *u, size_t n, struct err *e)
{
	for (unsigned i = 0; i < ROOM_WAITS; i++) {
		int r = take_room(u->sink, n) ? 1 : parts_finish(u, e);

		if (r)
			return r < 0 ? r : 0;
	}
	auto_lock(&u->sink->lock);
	u->sink->bytes += n;
	return 0;
}

static int
append(struct s3_upload *u, const void *data, size_t len, struct err *e)
{
	const uint8_t *from = data;

	while (len > 0) {
		size_t n = FULL_LEN - u->pending.len;
		int r = 0;

		if (!u->begun && u->pending.len > PART_LEN)
			r = begin_start(u, e);
		if (r == 0 && n == 0)
			r = part_start(u, PART_LEN, e);
		n = n < len ? n : len;
		if (r == 0 && n > 0)
			r = wait_for_room(u, n, e);
		if (r < 0)
			return r;
		if (u->pending.len + n > SMALL_LEN && u->pending.cap < FULL_LEN)
			buf_reserve(&u->pending, MAPPED_LEN);
		buf_append(&u->pending, from, n);
		from += n;
		len -= n;
	}
	return 0;
}

int
s3_upload_append(struct upload *up, const void *data, size_t len, struct err *e)
{
	struct s3_upload *u = upload_of(up);
	int r = append(u, data, len, e);

	u->broken |= r < 0;
	return r;
}

static void
upload_free(struct s3_upload *u)
{
	for (size_t i = 0; i < IN_FLIGHT; i++)
		let_go(u->sink, &u->parts[i].bytes);
	let_go(u->sink, &u->pending);
	buf_release(&u->done);
	free(u->name);
	free(u);
}

/* Parts that lie about are the service's to clear when this fails. */
static void
abort_multipart(struct s3_upload *u)
{
	auto_s3_call struct s3_call call = { .kind = S3_OTHER,
		.method = "DELETE",
		.name = u->name,
		.query = { { "uploadId", u->id } },
		.n_query = 1,
		.text_max = TEXT_MAX,
		.patience_s = ABORT_PATIENCE_S };

	(void)s3_call(u->sink->client, &call, NULL);
}

void
s3_upload_abort(struct upload *up)
{
	struct s3_upload *u = upload_of(up);

	cancel_raise(&u->cancel);
	(void)begin_finish(u, NULL);
	for (size_t i = 0; i < IN_FLIGHT; i++)
		(void)part_finish(u, &u->parts[i], NULL);
	if (u->id[0])
		abort_multipart(u);
	upload_free(u);
}

/* After an answer that was lost: whether the object is there. */
static bool
is_complete(struct s3_upload *u)
{
	uint64_t size;
	int r = s3_object_size(u->sink->client, u->name, &size, NULL);

	return r == -EACCES || (r == 0 && size == u->sent);
}

static int
complete_once(struct s3_upload *u, bool *refused, struct err *e)
{
	auto_s3_call struct s3_call call = { .kind = S3_OTHER,
		.method = "POST",
		.name = u->name,
		.query = { { "uploadId", u->id } },
		.n_query = 1,
		.body = u->done.data,
		.body_len = u->done.len,
		.text_max = TEXT_MAX };
	int r;

	add_condition(u->sink, &call);
	r = call.n_headers > 0 ? 0 : check_free(u->sink, u->name, e);
	if (r == 0)
		r = s3_call(u->sink->client, &call, e);
	*refused = r < 0 && refuses_conditions(&call);
	if ((r == -ENOENT || r == -EEXIST) && call.unsure && is_complete(u))
		return 0;
	return r;
}

static int
complete(struct s3_upload *u, struct err *e)
{
	bool refused = false;
	int r = complete_once(u, &refused, e);

	if (!refused)
		return r;
	atomic_store(&u->sink->unconditional, true);
	return complete_once(u, &refused, e);
}

static int
finish_multipart(struct s3_upload *u, struct err *e)
{
	int r = part_start(u, u->pending.len, e);

	if (r == 0)
		r = parts_finish(u, e);
	if (r < 0)
		return r;
	buf_printf(&u->done, "</CompleteMultipartUpload>");
	r = complete(u, e);
	if (r == 0 && s3_confirm_wants(u->name))
		r = s3_confirm(u->sink, u->name, u->sent, "", e);
	return r;
}

int
s3_upload_commit(struct upload *up, struct err *e)
{
	struct s3_upload *u = upload_of(up);
	int r = 0;

	if (u->broken)
		r = err_set(e, EIO, "%s: the upload was broken off", u->name);
	if (r == 0 && !u->begun && u->pending.len > PART_LEN)
		r = begin_start(u, e);
	if (r == 0 && u->begun)
		r = finish_multipart(u, e);
	else if (r == 0)
		r = s3_upload_whole(
			u->sink, u->name, u->pending.data, u->pending.len, e);
	if (r < 0 && u->begun)
		s3_upload_abort(up);
	else
		upload_free(u);
	return r;
}
