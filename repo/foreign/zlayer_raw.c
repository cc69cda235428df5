/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/foreign/zlayer_raw.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "repo/base/buf.h"
#include "repo/foreign/listed.h"
#include "repo/foreign/pieces.h"

#define READ_MAX (1u << 20)

struct raw {
	struct listed listed; /* first */
	struct stem *stem;
	char *object;
	char *key; /* of its pieces */
};

static struct raw *
raw_of(struct listed *l)
{
	return (struct raw *)l;
}

static int
read_(struct listed *l, size_t i, uint64_t off, size_t len,
	struct view_data *data, struct err *e)
{
	struct raw *x = raw_of(l);
	const struct pieces_object o = {
		.name = x->object, .size = l->files[i].size, .key = x->key
	};
	size_t n = len < READ_MAX ? len : READ_MAX;
	auto_free uint8_t *bytes = xmalloc(n);
	int r = pieces_read(
		foreign_place_pieces(x->stem->place), &o, off, n, bytes, e);

	if (r == -ENOENT)
		return err_set(e, EIO, "%s has been removed", x->object);
	if (r)
		return r;
	uint8_t *given = steal(bytes);

	listed_give(data, given, given, n);
	return 0;
}

static ssize_t
xattr_get(struct listed *l, size_t i, const char *name, void *value,
	size_t size, struct err *e)
{
	(void)l, (void)i;
	if (!strcmp(name, "user.yore.state"))
		return listed_answer("raw", value, size, e);
	if (!strcmp(name, "user.yore.unverified"))
		return listed_answer("1", value, size, e);
	return err_set(e, ENODATA, "no attribute %s", name);
}

static const char *
object(struct listed *l, size_t i)
{
	(void)i;
	return raw_of(l)->object;
}

static void
free_(struct listed *l)
{
	struct raw *x = raw_of(l);

	listed_release(l);
	free(x->object);
	free(x->key);
	stem_put(x->stem);
	free(x);
}

static const struct listed_ops ops = {
	.read = read_,
	.xattr_get = xattr_get,
	.object = object,
	.free = free_,
};

void
zlayer_raw_open(struct stem *stem, const struct zlayer_roll *r, size_t w,
	const char *label, struct view **view)
{
	struct raw *x = xcalloc(1, sizeof(*x));
	const struct zlayer_object *o = &r->wals[w].o;

	x->stem = stem_get(stem);
	x->object = zlayer_roll_wal_name(r, w);
	x->key = xasprintf(
		"%s-%" PRIu64 "-%" PRId64, x->object, o->size, o->modified_ns);
	const struct listed_entry file = { .path = strrchr(x->object, '/') + 1,
		.size = o->size,
		.modified_ns = o->modified_ns,
		.mode = S_ISVTX | 0444 };

	listed_init(&x->listed, &ops, label, o->modified_ns, &file, 1);
	*view = &x->listed.view;
}
