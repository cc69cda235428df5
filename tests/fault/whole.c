/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/fault/whole.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "repo/base/auto.h"
#include "repo/base/buf.h"
#include "repo/format/object.h"
#include "repo/native/repository.h"

#define OBJECT_MAX (256u << 20)

struct check {
	struct repository *rp;
	struct err *e;
	int r;
};

static enum object_type
type_of(const char *name)
{
	static const struct {
		const char *prefix;
		enum object_type type;
	} kinds[] = {
		{ "data/", OBJECT_DATA },
		{ "meta/", OBJECT_META },
		{ "idx/", OBJECT_INDEX },
		{ "snap/", OBJECT_RECORD },
		{ "cat/", OBJECT_CATALOG },
	};

	for (size_t i = 0; i < n_elements(kinds); i++) {
		if (!strncmp(name, kinds[i].prefix, strlen(kinds[i].prefix)))
			return kinds[i].type;
	}
	return (enum object_type)0;
}

/* Whether the bytes from at are all that may follow the last frame. */
static bool
is_end(enum object_type type, const uint8_t *data, size_t len, size_t at,
	uint64_t last)
{
	bool has_trailer = type == OBJECT_DATA || type == OBJECT_META ||
			   type == OBJECT_INDEX;
	struct object_trailer t;

	if (!has_trailer)
		return at == len;
	return len - at == OBJECT_TRAILER_LEN &&
	       !object_trailer_decode(data + at, &t, NULL) &&
	       t.toc_off == last && t.toc_len == at - last;
}

static int
check_frames(struct repository *rp, enum object_type type, uint8_t *data,
	size_t len, struct err *e)
{
	struct object_header h;
	struct object_key key;
	struct frame_prefix p;
	size_t at = OBJECT_HEADER_LEN, last = 0;
	int r = len < at ? err_set(e, EBADMSG, "no header")
			 : object_header_decode(data, &h, e);

	if (r)
		return r;
	object_key_init(&key, rp->keys, type, h.id);
	while (!is_end(type, data, len, at, last)) {
		auto_free uint8_t *plain = NULL;

		if (len - at < FRAME_PREFIX_LEN)
			return err_set(e, EBADMSG, "cut off at %zu", at);
		r = frame_prefix_decode(data + at, &p, e);
		if (r)
			return r;
		if (p.body_len > len - at - FRAME_PREFIX_LEN)
			return err_set(e, EBADMSG, "cut off in %zu", at);
		last = at;
		at += FRAME_PREFIX_LEN + p.body_len;
		r = frame_unseal(
			&key, last, data + last, at - last, &p, &plain, e);
		if (r)
			return r;
	}
	return 0;
}

static bool
check_object(void *ctx, const char *name, uint64_t size)
{
	struct check *c = ctx;
	enum object_type type = type_of(name);
	auto_free uint8_t *data = NULL;
	struct err why = ERR_INIT;
	size_t len;

	(void)size;
	if (!type)
		return true;
	c->r = store_get_all(c->rp->store, name, OBJECT_MAX, &data, &len, &why);
	if (!c->r)
		c->r = check_frames(c->rp, type, data, len, &why);
	if (c->r)
		err_set(c->e, -c->r, "%s: %s", name, why.text);
	return c->r == 0;
}

int
whole_objects(const char *repo, struct err *e)
{
	auto_repository struct repository *rp = NULL;
	struct check c = { .e = e };
	int r = repository_open(repo, NULL, &rp, e);

	c.rp = rp;
	if (!r)
		r = store_list(rp->store, "", "", check_object, &c, e);
	return r ? r : c.r;
}
