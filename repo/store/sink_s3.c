/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The writing half of the S3 store. */
#include "repo/store/s3.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "repo/store/s3_upload.h"

#define DELETE_MAX 1000
#define TEXT_MAX (1u << 20)

static struct s3_sink *
sink_of(struct sink *s)
{
	return (struct s3_sink *)s;
}

static int
s3_put(struct sink *s, const char *name, const void *data, size_t len,
	struct err *e)
{
	return s3_upload_whole(sink_of(s), name, data, len, e);
}

static const struct sink_ops s3_sink_ops;

static int
s3_begin(struct sink *s, const char *name, struct upload **up, struct err *e)
{
	return s3_upload_begin(sink_of(s), &s3_sink_ops, name, up, e);
}

/* -- Removing ------------------------------------------------------------- */

/* The service says the same of names that did not exist. */
static int
s3_remove(struct sink *s, const char *name, struct err *e)
{
	auto_s3_call struct s3_call call = { .kind = S3_OTHER,
		.method = "DELETE",
		.name = name,
		.text_max = TEXT_MAX };

	return s3_call(sink_of(s)->client, &call, e);
}

static void
add_names(
	struct buf *xml, const char *prefix, const char *const *names, size_t n)
{
	buf_printf(xml, "<Delete><Quiet>true</Quiet>");
	for (size_t i = 0; i < n; i++) {
		buf_printf(xml, "<Object><Key>");
		s3_upload_escape(xml, prefix);
		s3_upload_escape(xml, names[i]);
		buf_printf(xml, "</Key></Object>");
	}
	buf_printf(xml, "</Delete>");
}

struct refusal {
	char key[S3_KEY_MAX + 1];
	char code[S3_CODE_MAX];
	bool found; /* one that counts */
	bool answered;
};

static bool
take_refusal(void *ctx, const char *path, const char *text)
{
	struct refusal *x = ctx;

	if (strcmp(path, "DeleteResult/Error/Key") == 0)
		snprintf(x->key, sizeof(x->key), "%s", text);
	else if (strcmp(path, "DeleteResult/Error/Code") == 0)
		snprintf(x->code, sizeof(x->code), "%s", text);
	else if (strcmp(path, "DeleteResult/Error") == 0)
		x->found = strcmp(x->code, "NoSuchKey") != 0;
	else if (strcmp(path, "DeleteResult") == 0)
		x->answered = true;
	return !x->found;
}

/* What the service says of each name that it did not remove. */
static int
check_removed(struct s3_client *c, const struct s3_call *call, struct err *e)
{
	struct refusal x = { .key = "" };
	int r = s3_xml_walk(
		call->rs.text.data, call->rs.text.len, take_refusal, &x, e);

	if (r == 0 && x.found)
		return err_set(e,
			strcmp(x.code, "AccessDenied") == 0 ? EACCES : EIO,
			"s3://%s/%s: cannot be removed (%s)", c->config.bucket,
			x.key, x.code);
	if (r == 0 && x.answered)
		return 0;
	return err_set(
		e, EIO, "%s: the answer to a removal is none", c->config.name);
}

static int
remove_batch(
	struct s3_client *c, const char *const *names, size_t n, struct err *e)
{
	auto_buf struct buf xml = BUF_INIT;
	char md5[SIGN_MD5_LEN + 1];
	auto_s3_call struct s3_call call = { .kind = S3_OTHER,
		.method = "POST",
		.query = { { "delete", "" } },
		.n_query = 1,
		.headers = { { "content-md5", md5 } },
		.n_headers = 1,
		.text_max = TEXT_MAX };
	int r;

	add_names(&xml, c->config.prefix, names, n);
	sign_md5(xml.data, xml.len, md5);
	call.body = xml.data;
	call.body_len = xml.len;
	r = s3_call(c, &call, e);
	return r < 0 ? r : check_removed(c, &call, e);
}

static int
remove_one_by_one(
	struct sink *s, const char *const *names, size_t n, struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		int r = s3_remove(s, names[i], e);

		if (r < 0 && r != -ENOENT)
			return r;
	}
	return 0;
}

static int
s3_remove_many(
	struct sink *s, const char *const *names, size_t n, struct err *e)
{
	for (size_t i = 0; i < n; i += DELETE_MAX) {
		size_t some = n - i < DELETE_MAX ? n - i : DELETE_MAX;
		int r = remove_batch(sink_of(s)->client, names + i, some, e);

		if (r == -EOPNOTSUPP)
			r = remove_one_by_one(s, names + i, some, e);
		if (r < 0)
			return r;
	}
	return 0;
}

/* -- The sink ------------------------------------------------------------- */

static void
s3_sink_stats(struct sink *s, struct store_stats *st)
{
	s3_client_stats(sink_of(s)->client, st);
}

static void
s3_sink_free(struct sink *s)
{
	s3_client_free(sink_of(s)->client);
	pthread_mutex_destroy(&sink_of(s)->lock);
	pthread_cond_destroy(&sink_of(s)->changed);
	free(s);
}

static const struct sink_ops s3_sink_ops = {
	.put = s3_put,
	.begin = s3_begin,
	.append = s3_upload_append,
	.commit = s3_upload_commit,
	.abort = s3_upload_abort,
	.remove = s3_remove,
	.remove_many = s3_remove_many,
	.stats = s3_sink_stats,
	.free = s3_sink_free,
};

int
sink_s3_open(const char *address, struct sink **s, struct err *e)
{
	struct s3_config config;
	int r;

	if (s3_is_static(address))
		return err_set(e, EROFS,
			"%s: what a web server publishes is only read",
			address);
	r = s3_config_parse(address, &config, e);
	if (r < 0)
		return r;
	struct s3_sink *new = xcalloc(1, sizeof(*new));

	new->sink.ops = &s3_sink_ops;
	pthread_mutex_init(&new->lock, NULL);
	pthread_cond_init(&new->changed, NULL);
	new->client = s3_client_new(&config, S3_WRITE_PATIENCE_S);
	*s = &new->sink;
	return 0;
}
