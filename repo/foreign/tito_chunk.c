/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/foreign/tito_chunk.h"

#include <errno.h>
#include <string.h>
#include "repo/foreign/json.h"
#include "repo/foreign/tito_path.h"

static ssize_t
read_more(void *ctx, void *to, size_t len, struct err *e)
{
	return unpacked_next(ctx, to, len, e);
}

/* -- Entries ----------------------------------------------------------------
 */

struct telling {
	const struct unpacked_source *src;
	int (*each)(void *ctx, const struct tito_entry *en, struct err *e);
	void *ctx;
	struct buf key;
};

struct members {
	struct json op, key, data;
};

static int
twice(const char *name, struct err *e)
{
	return err_set(e, EUCLEAN, "an entry has \"%s\" twice", name);
}

static int
take_members(struct json object, struct members *m, struct err *e)
{
	struct json name, v;
	size_t at = 0;

	if (json_kind(object) != JSON_OBJECT)
		return err_set(e, EUCLEAN, "an entry is no object");
	while (json_next(object, &at, &name, &v)) {
		struct json *to = json_is_text(name, "op")     ? &m->op
				  : json_is_text(name, "key")  ? &m->key
				  : json_is_text(name, "data") ? &m->data
							       : NULL;

		if (to && to->p)
			return twice(to == &m->op    ? "op"
				     : to == &m->key ? "key"
						     : "data",
				e);
		if (to)
			*to = v;
	}
	if (!m->op.p || json_kind(m->op) != JSON_STRING || !m->key.p ||
		json_kind(m->key) != JSON_STRING)
		return err_set(e, EUCLEAN, "an entry lacks its op or its key");
	return 0;
}

static int
tell(void *ctx, struct json el, uint64_t off, struct err *e)
{
	struct telling *t = ctx;
	struct members m = { .op = { .p = NULL } };
	int r = take_members(el, &m, e);

	if (r)
		return r;
	bool put = json_is_text(m.op, "put");

	if (put && (!m.data.p || json_kind(m.data) == JSON_NULL))
		return 0;
	if (!put && !json_is_text(m.op, "delete"))
		return 0;
	t->key.len = 0;
	json_bytes_of(m.key, &t->key);
	buf_reserve(&t->key, 1); /* so that it points somewhere */
	if (t->key.len > TITO_KEY_MAX)
		return err_set(e, EUCLEAN, "a key has more than %d bytes",
			TITO_KEY_MAX);
	const struct tito_entry en = { .key = (char *)t->key.data,
		.key_len = t->key.len,
		.put = put,
		.off = put ? off + (uint64_t)(m.data.p - el.p) : 0,
		.len = put ? m.data.len : 0 };

	return t->each(t->ctx, &en, e);
}

int
tito_chunk_entries(const struct unpacked_source *src,
	int (*each)(void *ctx, const struct tito_entry *en, struct err *e),
	void *ctx, struct err *e)
{
	auto_unpacked struct unpacked *u = unpacked_new(src);
	struct telling t = { .src = src, .each = each, .ctx = ctx };
	struct json_source js = { .read = read_more, .ctx = u };
	int r;

	r = json_elements(&js, TITO_ENTRY_MAX, tell, &t, e);
	buf_release(&t.key);
	if (r == -EUCLEAN && e &&
		strncmp(e->text, src->object, strlen(src->object)) != 0)
		err_prefix(e, "%s", src->object);
	return r;
}
