/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The store of a static tree on a web server.  What cannot be listed there is
 * read from the object `head`: a first line, then size and name of each object
 * that readers look for in listings, in byte order.
 */
#include "repo/store/s3.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "repo/store/s3_object.h"
#include "repo/store/web_head.h"

struct web_store {
	struct store store;
	struct s3_client *client;
};

static struct s3_client *
client_of(struct store *s)
{
	return ((struct web_store *)s)->client;
}

static int
web_get(struct store *s, const char *name, uint64_t off, size_t len, void *buf,
	size_t *got, const struct store_call *how, struct err *e)
{
	return s3_object_get(
		client_of(s), name, off, len, buf, got, how, e);
}

static int
web_size(struct store *s, const char *name, uint64_t *size, struct err *e)
{
	return s3_object_size(client_of(s), name, size, e);
}

static int
get_head(struct s3_client *c, struct s3_call *call, struct err *e)
{
	int r;

	*call = (struct s3_call){ .kind = S3_LIST,
		.method = "GET",
		.name = WEB_HEAD_NAME,
		.text_max = WEB_HEAD_MAX };
	r = s3_call(c, call, e);
	if (r == -ENOENT && e)
		err_prefix(e, "a web server needs what \"yore head\" prints");
	return r;
}

static int
web_list(struct store *s, const char *prefix, const char *after,
	bool (*each)(void *ctx, const char *name, uint64_t size), void *ctx,
	struct err *e)
{
	struct s3_client *c = client_of(s);
	auto_s3_call struct s3_call call = { .name = NULL };
	struct web_head_filter f = {
		.prefix = prefix, .after = after, .each = each, .ctx = ctx
	};
	int r = get_head(c, &call, e);

	if (r == 0)
		r = web_head_list(call.rs.text.data, call.rs.text.len, &f, e);
	if (r == -EUCLEAN && e)
		err_prefix(e, "%s/%s", s->name, WEB_HEAD_NAME);
	return r;
}

static void
web_stats(struct store *s, struct store_stats *st)
{
	s3_client_stats(client_of(s), st);
}

static void
web_free(struct store *s)
{
	s3_client_free(client_of(s));
	free(s->name);
	free(s);
}

static const struct store_ops web_ops = {
	.get = web_get,
	.size = web_size,
	.list = web_list,
	.stats = web_stats,
	.free = web_free,
};

int
store_web_open(const char *address, struct store **s, struct err *e)
{
	struct s3_config config;
	int r = s3_config_parse(address, &config, e);

	if (r < 0)
		return r;
	struct web_store *new = xcalloc(1, sizeof(*new));

	new->store.ops = &web_ops;
	new->store.name = xstrdup(config.name);
	new->client = s3_client_new(&config, S3_READ_PATIENCE_S);
	*s = &new->store;
	return 0;
}
