/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stretches begin at multiples of their length, so that two that were asked for
 * never overlap.  Who wants one that another thread is asking for waits.
 */
#include "repo/upkeep/stretch.h"

#include <errno.h>
#include <string.h>
#include "repo/base/buf.h"

struct piece {
	char *name; /* NULL: free */
	uint64_t number;
	uint8_t *data;
	size_t len; /* less than a stretch at the object's end */
	uint64_t used;
	bool loading;
	unsigned readers; /* copy from it now */
};

struct stretches {
	struct store store; /* first */
	struct store *inner;
	bool meta;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct piece piece[STRETCH_KEPT];
	uint64_t clock;
};

static struct stretches *
of(struct store *s)
{
	return (struct stretches *)s; /* its first member */
}

static void
piece_clear(struct piece *p)
{
	free(p->name);
	free(p->data);
	*p = (struct piece){ .name = NULL };
}

/* Only what is read in order, and little of it at a time. */
static bool
is_ours(const struct stretches *st, const char *name, size_t len)
{
	return len <= STRETCH_LEN &&
	       (strncmp(name, "idx/", 4) == 0 ||
		       (st->meta && strncmp(name, "meta/", 5) == 0));
}

/* With the lock held: the piece, or one to load it into, or NULL: wait. */
static struct piece *
find(struct stretches *st, const char *name, uint64_t number)
{
	struct piece *oldest = NULL;

	for (size_t i = 0; i < STRETCH_KEPT; i++) {
		struct piece *p = &st->piece[i];

		if (p->name && p->number == number && !strcmp(p->name, name))
			return p->loading ? NULL : p;
		if (!p->loading && !p->readers &&
			(!oldest || p->used < oldest->used))
			oldest = p;
	}
	if (!oldest)
		return NULL;
	piece_clear(oldest);
	oldest->name = xstrdup(name);
	oldest->number = number;
	oldest->loading = true;
	return oldest;
}

static int
load(struct stretches *st, struct piece *p, const struct store_call *call,
	struct err *e)
{
	uint8_t *data = xmalloc(STRETCH_LEN);
	size_t got = 0;
	int r = store_get_call(st->inner, p->name, p->number * STRETCH_LEN,
		STRETCH_LEN, data, &got, call, e);

	pthread_mutex_lock(&st->lock);
	p->loading = false;
	if (r) {
		piece_clear(p);
		free(data);
	} else {
		p->data = got ? xrealloc(data, got) : data;
		p->len = got;
		p->readers++;
	}
	pthread_cond_broadcast(&st->changed);
	pthread_mutex_unlock(&st->lock);
	return r;
}

/* The piece, held. */
static int
get_piece(struct stretches *st, const char *name, uint64_t number,
	const struct store_call *call, struct piece **out, struct err *e)
{
	struct piece *p;

	pthread_mutex_lock(&st->lock);
	while (!(p = find(st, name, number)))
		pthread_cond_wait(&st->changed, &st->lock);
	p->used = ++st->clock;
	p->readers += !p->loading;
	pthread_mutex_unlock(&st->lock);
	*out = p;
	/* readers is 0 only of one that find has just begun */
	return p->loading ? load(st, p, call, e) : 0;
}

static void
put_piece(struct stretches *st, struct piece *p)
{
	auto_lock(&st->lock);
	p->readers--;
	pthread_cond_broadcast(&st->changed);
}

static int
get(struct store *s, const char *name, uint64_t off, size_t len, void *buf,
	size_t *got, const struct store_call *call, struct err *e)
{
	struct stretches *st = of(s);
	size_t done = 0;
	bool end = false;

	if (!is_ours(st, name, len))
		return store_get_call(
			st->inner, name, off, len, buf, got, call, e);
	while (done < len && !end) {
		uint64_t at = (off + done) % STRETCH_LEN;
		struct piece *p;
		int r = get_piece(
			st, name, (off + done) / STRETCH_LEN, call, &p, e);

		if (r)
			return r;
		size_t n = p->len > at ? p->len - at : 0;

		n = n < len - done ? n : len - done;
		memcpy((uint8_t *)buf + done, p->data + at, n);
		end = p->len < STRETCH_LEN;
		done += n;
		put_piece(st, p);
	}
	if (got)
		*got = done;
	return got || done == len ? 0
				  : err_set(e, EBADMSG, "%s: cut off", name);
}

static int
size(struct store *s, const char *name, uint64_t *n, struct err *e)
{
	return store_size(of(s)->inner, name, n, e);
}

static int
list(struct store *s, const char *prefix, const char *after,
	bool (*each)(void *ctx, const char *name, uint64_t size), void *ctx,
	struct err *e)
{
	return store_list(of(s)->inner, prefix, after, each, ctx, e);
}

static int
list_names(struct store *s, const char *prefix, const char *after,
	bool (*each)(void *ctx, const char *name, uint64_t size), void *ctx,
	struct err *e)
{
	return store_list_names(of(s)->inner, prefix, after, each, ctx, e);
}

static int
list_objects(struct store *s, const struct store_query *q,
	bool (*each)(void *ctx, const struct store_object *o), void *ctx,
	struct err *e)
{
	struct stretches *st = of(s);

	return q->folder ? store_list_folder(st->inner, q->prefix, each, ctx, e)
			 : store_list_objects(st->inner, q->prefix, q->after,
				   each, ctx, e);
}

static void
stats(struct store *s, struct store_stats *to)
{
	store_stats(of(s)->inner, to);
}

void
stretch_drop(struct store *s)
{
	struct stretches *st = of(s);

	if (s->local_path)
		return;
	auto_lock(&st->lock);
	for (size_t i = 0; i < STRETCH_KEPT; i++) {
		if (!st->piece[i].loading && !st->piece[i].readers)
			piece_clear(&st->piece[i]);
	}
}

static void
release(struct store *s)
{
	struct stretches *st = of(s);

	for (size_t i = 0; i < STRETCH_KEPT; i++)
		piece_clear(&st->piece[i]);
	pthread_mutex_destroy(&st->lock);
	pthread_cond_destroy(&st->changed);
	store_free(st->inner);
	free(s->name);
	free(st);
}

static const struct store_ops ops = {
	.get = get,
	.size = size,
	.list = list,
	.list_names = list_names,
	.list_objects = list_objects,
	.stats = stats,
	.free = release,
};

struct store *
stretch_store(struct store *inner, bool meta)
{
	struct stretches *st;

	if (inner->local_path)
		return inner;
	st = xcalloc(1, sizeof(*st));
	st->inner = inner;
	st->meta = meta;
	st->store = (struct store){ .ops = &ops, .name = xstrdup(inner->name) };
	pthread_mutex_init(&st->lock, NULL);
	pthread_cond_init(&st->changed, NULL);
	return &st->store;
}
