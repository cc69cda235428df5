/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/foreign_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include "repo/base/clock.h"
#include "repo/base/log.h"
#include "tests/unit/scratch.h"

char fixture_dir[64];

int
fixture_set_up(void **state)
{
	(void)state;
	log_set_level(LOG_LEVEL_ERROR);
	return !scratch_make(fixture_dir, sizeof(fixture_dir));
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

int
fixture_tear_down(void **state)
{
	(void)state;
	return nftw(fixture_dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static char *
path_of(const char *name)
{
	return xasprintf("%s/%s", fixture_dir, name);
}

void
fixture_put(const char *name, const void *data, size_t len)
{
	auto_free char *path = path_of(name);

	for (char *p = path + strlen(fixture_dir) + 1; (p = strchr(p, '/'));
		p++) {
		*p = '\0';
		mkdir(path, 0777);
		*p = '/';
	}
	auto_fclose FILE *f = fopen(path, "wb");

	assert_non_null(f);
	assert_int_equal(len, fwrite(data, 1, len, f));
}

void
fixture_put_text(const char *name, const char *text)
{
	fixture_put(name, text, strlen(text));
}

void
fixture_touch(const char *name, int64_t seconds)
{
	auto_free char *path = path_of(name);
	const struct timespec t[2] = { { .tv_sec = seconds },
		{ .tv_sec = seconds } };

	assert_int_equal(0, utimensat(AT_FDCWD, path, t, 0));
}

void
fixture_remove(const char *name)
{
	auto_free char *path = path_of(name);

	assert_int_equal(0, remove(path));
}

int
fixture_history(const struct foreign_format *f, const char *prefix,
	const char *name, struct history **h)
{
	const struct history_open_options options = { .cache_dir = "" };
	struct foreign_root root = { .prefix = xstrdup(prefix),
		.name = xstrdup(name) };
	struct store *s = NULL;

	assert_int_equal(0, store_open_foreign(fixture_dir, &s, NULL));
	struct foreign_place *p = foreign_place_new(s, &options);
	const struct foreign_open o = {
		.place = p, .host = f->name, .roots = &root, .n_roots = 1
	};
	int r = f->open(&o, h, NULL);

	foreign_place_put(p);
	free(root.prefix);
	free(root.name);
	return r;
}

/* -- Reading ----------------------------------------------------------------
 */

static int
read_all(struct view *v, const struct view_attr *a, struct buf *out)
{
	for (uint64_t off = 0; off < a->size;) {
		auto_view_data struct view_data d = VIEW_DATA_INIT;
		/* in steps that fit nothing */
		int r = view_read(v, a->node, off, 100003, &d, NULL);

		if (r)
			return r;
		assert_true(d.len > 0 && d.len <= a->size - off);
		for (int i = 0; i < d.n; i++)
			buf_append(out, d.iov[i].iov_base, d.iov[i].iov_len);
		off += d.len;
	}
	return 0;
}

int
fixture_read(struct view *v, const char *path, struct buf *out)
{
	struct view_attr a;
	int r = view_resolve(v, path, &a, NULL);

	out->len = 0;
	return r ? r : read_all(v, &a, out);
}

const char *
fixture_xattr(struct view *v, const char *path, const char *name)
{
	static char value[256];
	struct view_attr a;
	ssize_t n = view_resolve(v, path, &a, NULL);

	if (n == 0)
		n = view_xattr_get(
			v, a.node, name, value, sizeof(value) - 1, NULL);
	value[n > 0 ? n : 0] = '\0';
	return value;
}

struct walking {
	struct view *v;
	const char *path;
	struct buf *out;
};

static bool
walk_entry(void *ctx, const struct view_dirent *d)
{
	struct walking *w = ctx;
	auto_free char *path = xasprintf("%s%s%.*s", w->path,
		*w->path ? "/" : "", (int)d->name_len, d->name);
	struct walking in = { .v = w->v, .path = path, .out = w->out };
	auto_buf struct buf content = BUF_INIT;

	if (S_ISDIR(d->attr.mode)) {
		assert_int_equal(0, view_list(w->v, d->attr.node, 0, walk_entry,
					    &in, NULL));
		return true;
	}
	buf_printf(w->out, "%s=", path);
	if (read_all(w->v, &d->attr, &content))
		buf_printf(w->out, "!");
	else
		buf_append(w->out, content.data, content.len);
	buf_printf(w->out, ";");
	return true;
}

void
fixture_walk(struct view *v, struct buf *out)
{
	struct walking w = { .v = v, .path = "", .out = out };

	assert_int_equal(0, view_list(v, VIEW_ROOT, 0, walk_entry, &w, NULL));
	buf_append(out, "", 1);
}

struct view *
fixture_open(struct history *h, const char *source, const char *id)
{
	auto_listing struct history_listing *l = history_listing(h);
	struct view *v;

	for (size_t i = 0; i < l->n_points; i++) {
		const struct history_point *p = &l->points[i];

		if (strcmp(p->id, id) == 0 &&
			strcmp(l->sources[p->source].name, source) == 0)
			return history_open(h, l, i, &v, NULL) ? NULL : v;
	}
	return NULL;
}

/* -- Damage -----------------------------------------------------------------
 */

struct object {
	char *name;
	uint8_t *data;
	size_t len;
	struct timespec mtime;
};

static struct object *objects;
static size_t n_objects;

static int
take_object(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	struct object o = { .len = (size_t)st->st_size, .mtime = st->st_mtim };

	(void)ftw;
	if (type != FTW_F)
		return 0;
	auto_fclose FILE *f = fopen(path, "rb");

	o.name = xstrdup(path + strlen(fixture_dir) + 1);
	o.data = xmalloc(o.len + 1);
	assert_int_equal(o.len, fread(o.data, 1, o.len, f));
	objects = xrealloc(objects, (n_objects + 1) * sizeof(*objects));
	objects[n_objects++] = o;
	return 0;
}

/* Write an object's bytes, or others in their place, at its time. */
static void
put_object(const struct object *o, const void *data, size_t len)
{
	auto_free char *path = path_of(o->name);
	const struct timespec t[2] = { o->mtime, o->mtime };

	fixture_put(o->name, data, len);
	assert_int_equal(0, utimensat(AT_FDCWD, path, t, 0));
}

static void
damage_object(size_t i,
	void (*check)(void *ctx, const char *name, enum fixture_damage how),
	void *ctx)
{
	struct object *o = &objects[i], *other = &objects[(i + 1) % n_objects];
	size_t step = FIXTURE_DAMAGE_STEP, first = i % step;

	for (size_t k = first; k < 16; k += step) {
		put_object(o, o->data, o->len * k / 16);
		check(ctx, o->name, CUT_OFF);
	}
	for (size_t at = 64 * first; at < o->len; at += 64 * step) {
		size_t byte = at + (at / 64 * 37 + i) % 64;

		byte = byte < o->len ? byte : o->len - 1;
		o->data[byte] ^= (uint8_t)(1 << (at / 64) % 8);
		put_object(o, o->data, o->len);
		check(ctx, o->name, BIT_FLIPPED);
		o->data[byte] ^= (uint8_t)(1 << (at / 64) % 8);
	}
	put_object(o, other->data, other->len);
	put_object(other, o->data, o->len);
	check(ctx, o->name, EXCHANGED);
	put_object(other, other->data, other->len);
	fixture_remove(o->name);
	check(ctx, o->name, REMOVED);
	put_object(o, o->data, o->len);
}

void
fixture_damage(
	void (*check)(void *ctx, const char *name, enum fixture_damage how),
	void *ctx)
{
	assert_int_equal(0, nftw(fixture_dir, take_object, 8, FTW_PHYS));
	for (size_t i = 0; i < n_objects; i++)
		damage_object(i, check, ctx);
	for (size_t i = 0; i < n_objects; i++) {
		free(objects[i].name);
		free(objects[i].data);
	}
	free(objects);
	objects = NULL;
	n_objects = 0;
}
