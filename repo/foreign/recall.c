/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A listing is kept as lines: u64 size, u64 time, the length of the name as a
 * varint, and the name.  One from a name on replaces what was kept behind that
 * name, so that there is always one whole listing of each prefix.
 */
#include "repo/foreign/recall.h"

#include <errno.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/base/bytes.h"
#include "repo/crypto/id.h"

#define SLOTS 512

/* What was kept last under a name, so that it is not kept again. */
struct slot {
	uint8_t name[HASH_LEN], content[HASH_LEN];
};

struct recall {
	struct store store; /* first */
	struct store *inner;
	struct foreign_place *place;
	pthread_mutex_t lock; /* a leaf: */
	struct slot slots[SLOTS];
};

static struct recall *
own(struct store *s)
{
	return (struct recall *)s;
}

/* What there is to keep things in, or NULL. */
static struct kept *
kept_of(struct recall *x)
{
	struct kept *k = NULL;

	return foreign_place_kept(x->place, &k, NULL) == 0 ? k : NULL;
}

static int
not_kept(const char *what, struct err *e)
{
	return err_set(e, ENETDOWN,
		"%s is not in the cache, and offline nothing else is asked",
		what);
}

/* Whether that is what was kept last; from now on it is. */
static bool
is_known(struct recall *x, const char *name, const void *data, size_t len)
{
	struct slot new, *at;
	bool same;

	sha256(name, strlen(name), new.name);
	sha256(data, len, new.content);
	at = &x->slots[(new.name[0] << 8 | new.name[1]) % SLOTS];
	auto_lock(&x->lock);

	same = memcmp(at, &new, sizeof(new)) == 0;
	*at = new;
	return same;
}

static void
keep(struct recall *x, const char *name, const void *data, size_t len)
{
	struct kept *k = kept_of(x);

	if (k && !is_known(x, name, data, len))
		kept_put(k, name, data, len);
}

/* -- Listings --------------------------------------------------------------
 */

struct hearing {
	bool (*each)(void *ctx, const struct store_object *o);
	void *ctx;
	struct buf lines;
	bool ended; /* early, or it was too long */
};

static char *
list_name(const struct store_query *q)
{
	return xasprintf("%s %s", q->folder ? "folder" : "list", q->prefix);
}

static void
write_line(struct buf *b, const struct store_object *o)
{
	buf_be64(b, o->size);
	buf_be64(b, (uint64_t)o->modified_ns);
	buf_bytes(b, o->name, strlen(o->name));
}

/* The next line; name has room for STORE_FOREIGN_NAME_MAX + 1. */
static bool
read_line(struct reader *r, char *name, struct store_object *o)
{
	const uint8_t *text;
	size_t len;

	if (reader_left(r) == 0)
		return false;
	o->size = read_be64(r);
	o->modified_ns = (int64_t)read_be64(r);
	text = read_blob(r, STORE_FOREIGN_NAME_MAX, &len);
	if (r->bad || !text)
		return false;
	memcpy(name, text, len);
	name[len] = '\0';
	o->name = name;
	return true;
}

static bool
hear(void *ctx, const struct store_object *o)
{
	struct hearing *h = ctx;

	if (h->lines.len < RECALL_LIST_MAX)
		write_line(&h->lines, o);
	else
		h->ended = true;
	if (h->each(h->ctx, o))
		return true;
	h->ended = true;
	return false;
}

/* Begin with what is kept up to the name from which on it is listed; false:
 * that is not known. */
static bool
begin(struct recall *x, const struct store_query *q, const char *kept_name,
	struct buf *lines)
{
	auto_free uint8_t *data = NULL;
	char name[STORE_FOREIGN_NAME_MAX + 1];
	struct kept *k = kept_of(x);
	struct store_object o;
	struct reader r;
	size_t len;

	if (!*q->after)
		return true;
	if (!k || kept_get(k, kept_name, KEPT_OBJECT_MAX, &data, &len) < 0)
		return false;
	r = reader_of(data, len);
	while (read_line(&r, name, &o) && strcmp(name, q->after) <= 0)
		write_line(lines, &o);
	return true;
}

static int
list_online(struct recall *x, const struct store_query *q,
	bool (*each)(void *ctx, const struct store_object *o), void *ctx,
	struct err *e)
{
	auto_free char *name = list_name(q);
	struct hearing h = { .each = each, .ctx = ctx };
	int r;

	h.ended = !begin(x, q, name, &h.lines);
	r = q->folder ? store_list_folder(x->inner, q->prefix, hear, &h, e)
		      : store_list_objects(
				x->inner, q->prefix, q->after, hear, &h, e);
	if (r == 0 && !h.ended)
		keep(x, name, h.lines.data ? (void *)h.lines.data : "",
			h.lines.len);
	buf_release(&h.lines);
	return r;
}

static int
list_offline(struct recall *x, const struct store_query *q,
	bool (*each)(void *ctx, const struct store_object *o), void *ctx,
	struct err *e)
{
	auto_free char *kept_name = list_name(q);
	auto_free uint8_t *data = NULL;
	char name[STORE_FOREIGN_NAME_MAX + 1];
	struct kept *k = kept_of(x);
	struct store_object o;
	struct reader r;
	size_t len;

	if (!k || kept_get(k, kept_name, KEPT_OBJECT_MAX, &data, &len) < 0)
		return not_kept(*q->prefix ? q->prefix : x->store.name, e);
	r = reader_of(data, len);
	while (read_line(&r, name, &o)) {
		if (strcmp(name, q->after) > 0 && !each(ctx, &o))
			break;
	}
	return 0;
}

static int
list_objects(struct store *s, const struct store_query *q,
	bool (*each)(void *ctx, const struct store_object *o), void *ctx,
	struct err *e)
{
	return foreign_place_offline(own(s)->place)
		       ? list_offline(own(s), q, each, ctx, e)
		       : list_online(own(s), q, each, ctx, e);
}

struct sizes {
	bool (*each)(void *ctx, const char *name, uint64_t size);
	void *ctx;
};

static bool
tell_size(void *ctx, const struct store_object *o)
{
	struct sizes *z = ctx;

	return z->each(z->ctx, o->name, o->size);
}

static int
list(struct store *s, const char *prefix, const char *after,
	bool (*each)(void *ctx, const char *name, uint64_t size), void *ctx,
	struct err *e)
{
	const struct store_query q = { .prefix = prefix, .after = after };
	struct sizes z = { each, ctx };

	return list_objects(s, &q, tell_size, &z, e);
}

/* -- Objects ----------------------------------------------------------------
 */

static char *
mark_name(const char *name)
{
	return xasprintf("mark %s", name);
}

static int
get_offline(struct recall *x, const char *name, uint64_t off, size_t len,
	void *buf, size_t *got, struct err *e)
{
	auto_free char *mark = mark_name(name);
	auto_free uint8_t *data = NULL;
	struct kept *k = kept_of(x);
	size_t n;

	if (off > 0 || !got || !k ||
		kept_get(k, mark, RECALL_MARK_MAX + 1, &data, &n) < 0 ||
		n == 0 || n - 1 > len)
		return not_kept(name, e);
	if (data[0] == 0)
		return err_set(e, ENOENT, "%s: there was no such object", name);
	*got = n - 1;
	memcpy(buf, data + 1, *got);
	return 0;
}

/* A mark: 0 there is none, or 1 and its bytes. */
static void
keep_mark(struct recall *x, const char *name, const void *bytes, size_t len,
	bool there)
{
	auto_free char *mark = mark_name(name);
	auto_buf struct buf b = BUF_INIT;

	buf_u8(&b, there);
	buf_append(&b, bytes, len);
	keep(x, mark, b.data, b.len);
}

static int
get(struct store *s, const char *name, uint64_t off, size_t len, void *buf,
	size_t *got, const struct store_call *call, struct err *e)
{
	struct recall *x = own(s);
	int r;

	if (foreign_place_offline(x->place))
		return get_offline(x, name, off, len, buf, got, e);
	r = store_get_call(x->inner, name, off, len, buf, got, call, e);
	/* whoever gave more room than there was did not know its size */
	if (off == 0 && got && r == 0 && *got < len && *got < RECALL_MARK_MAX)
		keep_mark(x, name, buf, *got, true);
	else if (off == 0 && got && r == -ENOENT)
		keep_mark(x, name, "", 0, false);
	return r;
}

static int
size_of(struct store *s, const char *name, uint64_t *size, struct err *e)
{
	return foreign_place_offline(own(s)->place)
		       ? not_kept(name, e)
		       : store_size(own(s)->inner, name, size, e);
}

static int
metadata(struct store *s, const char *name, const char *key, char *out,
	size_t size, struct err *e)
{
	return foreign_place_offline(own(s)->place)
		       ? not_kept(name, e)
		       : store_metadata(own(s)->inner, name, key, out, size, e);
}

static void
forget(struct store *s, const char *name, uint64_t off, uint64_t len)
{
	store_forget(own(s)->inner, name, off, len);
}

static void
stats(struct store *s, struct store_stats *st)
{
	store_stats(own(s)->inner, st);
}

static void
free_(struct store *s)
{
	struct recall *x = own(s);

	store_free(x->inner);
	pthread_mutex_destroy(&x->lock);
	free(s->name);
	free(x);
}

static const struct store_ops ops = {
	.get = get,
	.size = size_of,
	.list = list,
	.list_objects = list_objects,
	.metadata = metadata,
	.stats = stats,
	.free = free_,
};

static const struct store_ops ops_that_forget = {
	.get = get,
	.size = size_of,
	.list = list,
	.list_objects = list_objects,
	.metadata = metadata,
	.forget = forget,
	.stats = stats,
	.free = free_,
};

struct store *
recall_new(struct store *s, struct foreign_place *place)
{
	struct recall *x = xcalloc(1, sizeof(*x));

	x->store =
		(struct store){ .ops = s->ops->forget ? &ops_that_forget : &ops,
			.name = xstrdup(s->name),
			.foreign = s->foreign };
	x->inner = s;
	x->place = place;
	pthread_mutex_init(&x->lock, NULL);
	return &x->store;
}
