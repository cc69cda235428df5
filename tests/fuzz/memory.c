/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/fuzz/memory.h"

#include <errno.h>
#include <string.h>
#include "repo/base/buf.h"

/* -- Named bytes ------------------------------------------------------------
 */

struct thing {
	char *name;
	uint64_t number; /* of a piece; WHOLE: of none */
	uint8_t *data;
	size_t len;
	int64_t modified_ns;
};

#define WHOLE UINT64_MAX

struct things {
	struct thing *list; /* by name, then number */
	size_t n, cap;
};

static int
compare(const struct thing *t, const char *name, uint64_t number)
{
	int order = strcmp(t->name, name);

	return order ? order : (t->number > number) - (t->number < number);
}

/* Where the first is that does not come before it. */
static size_t
position(const struct things *x, const char *name, uint64_t number)
{
	size_t at = 0;

	while (at < x->n && compare(&x->list[at], name, number) < 0)
		at++;
	return at;
}

static struct thing *
find(const struct things *x, const char *name, uint64_t number)
{
	size_t at = position(x, name, number);

	return at < x->n && compare(&x->list[at], name, number) == 0
		       ? &x->list[at]
		       : NULL;
}

static void
drop(struct things *x, size_t at)
{
	free(x->list[at].name);
	free(x->list[at].data);
	x->n--;
	memmove(&x->list[at], &x->list[at + 1], (x->n - at) * sizeof(*x->list));
}

static void
drop_all(struct things *x)
{
	while (x->n > 0)
		drop(x, x->n - 1);
	free(x->list);
	*x = (struct things){ .n = 0 };
}

static void
set(struct things *x, const char *name, uint64_t number, const void *data,
	size_t len, int64_t modified_ns)
{
	size_t at = position(x, name, number);

	if (at < x->n && compare(&x->list[at], name, number) == 0)
		drop(x, at);
	if (x->n == x->cap) {
		x->cap = 2 * x->cap + 16;
		x->list = xrealloc(x->list, x->cap * sizeof(*x->list));
	}
	memmove(&x->list[at + 1], &x->list[at], (x->n - at) * sizeof(*x->list));
	x->n++;
	x->list[at] = (struct thing){ .name = xstrdup(name),
		.number = number,
		.data = xmemdup(data, len),
		.len = len,
		.modified_ns = modified_ns };
}

/* -- The store --------------------------------------------------------------
 */

struct memory {
	struct store store; /* first */
	struct things things;
};

static int
get(struct store *s, const char *name, uint64_t off, size_t len, void *buf,
	size_t *got, const struct store_call *call, struct err *e)
{
	const struct thing *t =
		find(&((struct memory *)s)->things, name, WHOLE);
	size_t n;

	(void)call;
	if (!t)
		return err_set(e, ENOENT, "%s: no such object", name);
	n = off > t->len ? 0 : t->len - (size_t)off;
	n = n < len ? n : len;
	if (n > 0)
		memcpy(buf, t->data + off, n);
	if (got)
		*got = n;
	else if (n < len)
		return err_set(e, EBADMSG, "%s is cut off", name);
	return 0;
}

static int
size_of(struct store *s, const char *name, uint64_t *size, struct err *e)
{
	const struct thing *t =
		find(&((struct memory *)s)->things, name, WHOLE);

	if (!t)
		return err_set(e, ENOENT, "%s: no such object", name);
	*size = t->len;
	return 0;
}

static int
list_objects(struct store *s, const struct store_query *q,
	bool (*each)(void *ctx, const struct store_object *o), void *ctx,
	struct err *e)
{
	const struct things *x = &((struct memory *)s)->things;
	size_t skip = strlen(q->prefix);
	char last[STORE_FOREIGN_NAME_MAX + 1] = "";
	bool more = true;

	(void)e;
	for (size_t i = 0; more && i < x->n; i++) {
		const struct thing *t = &x->list[i];
		struct store_object o = { t->name, t->len, t->modified_ns };
		const char *slash = NULL;

		if (strncmp(t->name, q->prefix, skip) != 0 ||
			strcmp(t->name, q->after) <= 0)
			continue;
		if (q->folder)
			slash = strchr(t->name + skip, '/');
		if (slash) {
			size_t len = (size_t)(slash - t->name) + 1;

			if (!strncmp(last, t->name, len) && !last[len])
				continue;
			memcpy(last, t->name, len);
			last[len] = '\0';
			o = (struct store_object){ last, 0,
				STORE_TIME_UNKNOWN };
		}
		more = each(ctx, &o);
	}
	return 0;
}

static void
free_(struct store *s)
{
	struct memory *m = (struct memory *)s;

	drop_all(&m->things);
	free(s->name);
	free(m);
}

static const struct store_ops ops = {
	.get = get,
	.size = size_of,
	.list_objects = list_objects,
	.free = free_,
};

struct store *
memory_store_new(void)
{
	struct memory *m = xcalloc(1, sizeof(*m));

	m->store.ops = &ops;
	m->store.foreign = true;
	m->store.name = xstrdup("memory");
	return &m->store;
}

bool
memory_put(struct store *s, const char *name, const void *data, size_t len,
	int64_t modified_ns)
{
	if (!store_takes_name(s, name))
		return false;
	set(&((struct memory *)s)->things, name, WHOLE, data, len, modified_ns);
	return true;
}

/* -- What is kept -----------------------------------------------------------
 */

struct kept {
	struct things things;
	unsigned one_in, n_asked;
};

static struct thing *
ask(struct kept *k, const char *name, uint64_t number)
{
	struct thing *t = find(&k->things, name, number);

	if (t && k->one_in && ++k->n_asked % k->one_in == 0) {
		drop(&k->things, (size_t)(t - k->things.list));
		return NULL;
	}
	return t;
}

struct kept *
memory_kept(void)
{
	return xcalloc(1, sizeof(struct kept));
}

void
memory_kept_loses(struct kept *k, unsigned one_in)
{
	k->one_in = one_in;
}

int
kept_open(const struct kept_options *o, struct kept **k, struct err *e)
{
	(void)o, (void)e;
	*k = memory_kept();
	return 0;
}

void
kept_close(struct kept *k)
{
	if (!k)
		return;
	drop_all(&k->things);
	free(k);
}

const char *
kept_id(const struct kept *k)
{
	(void)k;
	return "00000000000000000000000000000000";
}

int
kept_get(struct kept *k, const char *name, size_t max, uint8_t **data,
	size_t *len)
{
	const struct thing *t = ask(k, name, WHOLE);

	if (!t || t->len > max)
		return -ENOENT;
	*data = xmemdup(t->data, t->len);
	*len = t->len;
	return 0;
}

void
kept_put(struct kept *k, const char *name, const void *data, size_t len)
{
	if (len <= KEPT_OBJECT_MAX)
		set(&k->things, name, WHOLE, data, len, 0);
}

bool
kept_read(struct kept *k, const char *name, uint64_t piece, void *buf,
	size_t *len)
{
	const struct thing *t = ask(k, name, piece);

	if (!t)
		return false;
	memcpy(buf, t->data, t->len);
	*len = t->len;
	return true;
}

void
kept_write(struct kept *k, const char *name, uint64_t piece, const void *data,
	size_t len)
{
	if (len > 0 && len <= KEPT_PIECE)
		set(&k->things, name, piece, data, len, 0);
}

bool
kept_has(struct kept *k, const char *name, uint64_t piece)
{
	return find(&k->things, name, piece) != NULL;
}

void
kept_forget(struct kept *k, const char *name)
{
	for (size_t i = k->things.n; i-- > 0;) {
		if (strcmp(k->things.list[i].name, name) == 0)
			drop(&k->things, i);
	}
}

int
kept_sync(struct kept *k, struct err *e)
{
	(void)k, (void)e;
	return 0;
}
