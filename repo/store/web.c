/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The store of a static tree on a web server.  What cannot be listed there is
 * read from the object `head`: a first line, then size and name of each object
 * that readers look for in listings, in byte order.  Listings that follow each
 * other closely, as when a repository is opened, share one head.
 */
#include "repo/store/s3.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "repo/base/clock.h"
#include "repo/store/s3_object.h"
#include "repo/store/web_head.h"

#define FRESH_NS NS_PER_S

struct head {
	struct buf text;
	int64_t asked_ns;
	atomic_uint references;
};

struct web_store {
	struct store store;
	struct s3_client *client;
	pthread_mutex_t lock;
	struct head *head; /* the newest, or NULL; guarded by lock */
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
	return s3_object_get(client_of(s), name, off, len, buf, got, how, e);
}

static int
web_size(struct store *s, const char *name, uint64_t *size, struct err *e)
{
	return s3_object_size(client_of(s), name, size, e);
}

/* -- The head ------------------------------------------------------------- */

static void
head_put(struct head *h)
{
	if (!h || atomic_fetch_sub(&h->references, 1) > 1)
		return;
	buf_release(&h->text);
	free(h);
}

/* The newest, if it is fresh, with a reference for the caller; else NULL. */
static struct head *
fresh_head(struct web_store *w)
{
	auto_lock(&w->lock);

	if (!w->head || clock_mono_ns() - w->head->asked_ns > FRESH_NS)
		return NULL;
	atomic_fetch_add(&w->head->references, 1);
	return w->head;
}

/* Keep one, with a reference for the store and one for the caller. */
static void
keep_head(struct web_store *w, struct head *h)
{
	auto_lock(&w->lock);

	atomic_store(&h->references, 2);
	head_put(w->head);
	w->head = h;
}

static int
get_head(struct web_store *w, struct head **head, struct err *e)
{
	auto_s3_call struct s3_call call = { .kind = S3_LIST,
		.method = "GET",
		.name = WEB_HEAD_NAME,
		.text_max = WEB_HEAD_MAX };
	int64_t now = clock_mono_ns();
	int r;

	*head = fresh_head(w);
	if (*head)
		return 0;
	r = s3_call(w->client, &call, e);
	if (r == -ENOENT)
		return err_set(e, EOPNOTSUPP,
			"%s: cannot be listed; it needs an "
			"object " WEB_HEAD_NAME ", which \"yore head\" prints",
			w->store.name);
	if (r < 0)
		return r;
	*head = xcalloc(1, sizeof(**head));
	(*head)->asked_ns = now;
	(*head)->text = call.rs.text;
	call.rs.text = (struct buf)BUF_INIT;
	keep_head(w, *head);
	return 0;
}

static int
web_list(struct store *s, const char *prefix, const char *after,
	bool (*each)(void *ctx, const char *name, uint64_t size), void *ctx,
	struct err *e)
{
	struct web_head_filter f = {
		.prefix = prefix, .after = after, .each = each, .ctx = ctx
	};
	struct head *head;
	int r = get_head((struct web_store *)s, &head, e);

	if (r < 0)
		return r;
	r = web_head_list(head->text.data, head->text.len, &f, e);
	head_put(head);
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
	struct web_store *w = (struct web_store *)s;

	s3_client_free(w->client);
	head_put(w->head);
	pthread_mutex_destroy(&w->lock);
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

	pthread_mutex_init(&new->lock, NULL);
	new->store.ops = &web_ops;
	new->store.name = xstrdup(config.name);
	new->client = s3_client_new(&config, S3_READ_PATIENCE_S);
	*s = &new->store;
	return 0;
}
