/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The reading half of the S3 store; sink_s3.c is the writing one. */
#include "repo/store/s3.h"

#include <errno.h>
#include <string.h>
#include "repo/store/objects.h"
#include "repo/store/s3_object.h"

#define PAGE_TEXT_MAX (8u << 20) /* 1,000 keys of 1 KiB, encoded, and more */
#define EMPTY_MAX 100
#define FEW "4" /* keys for who wants the first */

struct s3_store {
	struct store store;
	struct s3_client *client;
};

static struct s3_client *
client_of(struct store *s)
{
	return ((struct s3_store *)s)->client;
}

bool
s3_is_static(const char *repo)
{
	return strncmp(repo, "https://", 8) == 0 ||
	       strncmp(repo, "http://", 7) == 0;
}

bool
s3_is_address(const char *repo)
{
	return strncmp(repo, "s3://", 5) == 0;
}

static int
s3_get(struct store *s, const char *name, uint64_t off, size_t len, void *buf,
	size_t *got, const struct store_call *how, struct err *e)
{
	return s3_object_get(client_of(s), name, off, len, buf, got, how, e);
}

static int
s3_size(struct store *s, const char *name, uint64_t *size, struct err *e)
{
	return s3_object_size(client_of(s), name, size, e);
}

static int
s3_metadata(struct store *s, const char *name, const char *key, char *out,
	size_t size, struct err *e)
{
	return s3_object_metadata(client_of(s), name, key, out, size, e);
}

/* -- Listing -------------------------------------------------------------- */

struct listing {
	struct s3_client *c;
	const struct store *store;
	bool folder, few;
	char *prefix; /* of keys */
	char *after;  /* a key, or "" */
	bool (*each)(void *ctx, const struct store_object *o);
	void *ctx;
	char last[S3_KEY_MAX + 1];
	bool ended;
	unsigned n_empty;
};

static int
get_page(struct listing *l, struct s3_page *page, struct err *e)
{
	auto_s3_call struct s3_call call = {
		.kind = S3_LIST,
		.method = "GET",
		.about = l->prefix + strlen(l->c->config.prefix),
		.query = { { "list-type", "2" }, { "encoding-type", "url" },
			{ "prefix", l->prefix } },
		.n_query = 3,
		.text_max = PAGE_TEXT_MAX,
	};
	int r;

	if (l->folder)
		call.query[call.n_query++] =
			(struct sign_pair){ "delimiter", "/" };
	if (l->few && !page->token[0])
		call.query[call.n_query++] =
			(struct sign_pair){ "max-keys", FEW };
	if (page->token[0])
		call.query[call.n_query++] =
			(struct sign_pair){ "continuation-token", page->token };
	else if (*l->after)
		call.query[call.n_query++] =
			(struct sign_pair){ "start-after", l->after };
	r = s3_call(l->c, &call, e);
	if (r < 0)
		return r;
	s3_page_release(page);
	r = s3_xml_page(call.rs.text.data, call.rs.text.len, page, e);
	if (r < 0 && e)
		err_prefix(e, "%s", l->c->config.name);
	return r;
}

/* Whether it is one of ours: an object, or a folder of them. */
static bool
is_good(const struct listing *l, const char *name)
{
	char folder[S3_KEY_MAX + 1];
	size_t len = strlen(name);

	if (!l->folder || len == 0 || name[len - 1] != '/')
		return store_takes_name(l->store, name);
	memcpy(folder, name, len - 1);
	folder[len - 1] = '\0';
	return store_takes_name(l->store, folder);
}

static void
tell_item(struct listing *l, const struct s3_item *item, const char *name)
{
	struct store_object o = { .name = name,
		.size = item->size,
		.modified_ns = item->modified_ns };

	/* a folder's own key, which some programs make, is no object in it */
	if (strcmp(item->key, l->prefix) != 0 && is_good(l, name) &&
		strcmp(item->key, l->after) > 0)
		l->ended = !l->each(l->ctx, &o);
}

/* Tell the objects of a page.  A server that goes back is not followed. */
static int
tell(struct listing *l, const struct s3_page *page, struct err *e)
{
	size_t skip = strlen(l->c->config.prefix);

	if (page->n == 0 && ++l->n_empty > EMPTY_MAX)
		return err_set(e, EUCLEAN, "%s: the listing does not end",
			l->c->config.name);

	for (size_t i = 0; i < page->n && !l->ended; i++) {
		const char *key = page->items[i].key;

		if (strcmp(key, l->last) <= 0 ||
			strncmp(key, l->prefix, strlen(l->prefix)) != 0)
			return err_set(e, EUCLEAN,
				"%s: the listing is out of order at %s",
				l->c->config.name, key);
		memcpy(l->last, key, strlen(key) + 1);
		tell_item(l, &page->items[i], key + skip);
	}
	return 0;
}

static int
list(struct listing *l, struct err *e)
{
	struct s3_page page = { .n = 0 };
	int r;

	do {
		r = get_page(l, &page, e);
		if (r == 0)
			r = tell(l, &page, e);
	} while (r == 0 && page.more && !l->ended);
	s3_page_release(&page);
	return r;
}

static int
s3_list_objects(struct store *s, const struct store_query *q,
	bool (*each)(void *ctx, const struct store_object *o), void *ctx,
	struct err *e)
{
	struct s3_client *c = client_of(s);
	struct listing l = { .c = c,
		.store = s,
		.folder = q->folder,
		.few = q->few,
		.each = each,
		.ctx = ctx };
	int r;

	l.prefix = xasprintf("%s%s", c->config.prefix, q->prefix);
	l.after = *q->after ? xasprintf("%s%s", c->config.prefix, q->after)
			    : xstrdup("");
	r = list(&l, e);
	free(l.prefix);
	free(l.after);
	return r;
}

static int
s3_list(struct store *s, const char *prefix, const char *after,
	bool (*each)(void *ctx, const char *name, uint64_t size), void *ctx,
	struct err *e)
{
	const struct store_query q = { .prefix = prefix, .after = after };
	struct objects_plain plain = { .each = each, .ctx = ctx };

	return s3_list_objects(s, &q, objects_tell_plain, &plain, e);
}

static int
s3_list_few(struct store *s, const char *prefix,
	bool (*each)(void *ctx, const char *name, uint64_t size), void *ctx,
	struct err *e)
{
	const struct store_query q = { .prefix = prefix, .after = "",
		.few = true };
	struct objects_plain plain = { .each = each, .ctx = ctx };

	return s3_list_objects(s, &q, objects_tell_plain, &plain, e);
}

/* -- The store ------------------------------------------------------------ */

static void
s3_stats(struct store *s, struct store_stats *st)
{
	s3_client_stats(client_of(s), st);
}

static void
s3_free(struct store *s)
{
	s3_client_free(client_of(s));
	free(s->name);
	free(s);
}

static const struct store_ops s3_ops = {
	.get = s3_get,
	.size = s3_size,
	.list = s3_list,
	.list_few = s3_list_few,
	.list_objects = s3_list_objects,
	.metadata = s3_metadata,
	.stats = s3_stats,
	.free = s3_free,
};

int
store_s3_open(const char *address, struct store **s, struct err *e)
{
	struct s3_config config;
	int r = s3_config_parse(address, &config, e);

	if (r < 0)
		return r;
	struct s3_store *new = xcalloc(1, sizeof(*new));

	new->store.ops = &s3_ops;
	new->store.name = xstrdup(config.name);
	new->client = s3_client_new(&config, S3_READ_PATIENCE_S);
	*s = &new->store;
	return 0;
}
