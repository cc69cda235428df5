/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/model.h"

#include <errno.h>
#include <sys/stat.h>

struct comparison {
	const struct model *m;
	struct view *v;
	unsigned seed;
	size_t errors;
};

/* True for an answer; an error must be one of damage and is counted. */
static bool
answered(struct comparison *c, int64_t r, const struct err *e)
{
	if (r >= 0)
		return true;
	if (r != -EBADMSG && r != -EUCLEAN && r != -EIO)
		fail_msg("unexpected error %d: %s", (int)r, e->text);
	assert_int_equal(e->code, -r);
	assert_true(e->text[0]);
	c->errors++;
	return false;
}

static void
same_attr(const struct model_node *node, const struct view_attr *a)
{
	const struct entry *en = &node->en;

	assert_int_equal(a->node, node->number);
	assert_int_equal(a->ino,
		en->link ? VIEW_INO_LINK | en->link : node->number);
	assert_int_equal(a->size, en->size);
	assert_int_equal(a->blocks, en->blocks);
	assert_int_equal(a->rdev, en->rdev);
	assert_int_equal(a->mtime.tv_sec, en->mtime_s);
	assert_int_equal(a->mtime.tv_nsec, en->mtime_ns);
	assert_int_equal(a->ctime.tv_sec, en->ctime_s);
	assert_int_equal(a->ctime.tv_nsec, en->ctime_ns);
	assert_int_equal(a->mode, en->mode);
	assert_int_equal(a->uid, en->uid);
	assert_int_equal(a->gid, en->gid);
	assert_int_equal(a->nlink, en->nlink);
	assert_int_equal(a->has_xattrs, node->xattrs.len > 0);
}

struct listing {
	const struct model_node *dir;
	size_t next;
	size_t stop; /* entries after which the callback has enough */
};

static bool
next_entry(void *ctx, const struct view_dirent *d)
{
	struct listing *l = ctx;
	const struct model_node *node;

	assert_true(l->next < l->dir->n_children);
	node = &l->dir->children[l->next++];
	assert_int_equal(d->name_len, node->en.name_len);
	assert_memory_equal(d->name, node->name, d->name_len);
	assert_int_equal(d->next, l->next);
	same_attr(node, &d->attr);
	return --l->stop > 0;
}

static void
compare_dir(struct comparison *c, const struct model_node *dir)
{
	struct err e = ERR_INIT;
	struct view_totals t;

	for (size_t from = 0; from <= dir->n_children + 1; from++) {
		struct listing l = { dir, from, SIZE_MAX };
		int r = view_list(c->v, dir->number, from, next_entry, &l, &e);

		if (answered(c, r, &e) && from <= dir->n_children)
			assert_int_equal(l.next, dir->n_children);
		l = (struct listing){ dir, from, 2 };
		r = view_list(c->v, dir->number, from, next_entry, &l, &e);
		if (answered(c, r, &e) && from + 2 <= dir->n_children)
			assert_int_equal(l.next, from + 2);
	}
	if (!answered(c, view_totals(c->v, dir->number, &t, &e), &e))
		return;
	assert_int_equal(t.entries, dir->en.totals.entries);
	assert_int_equal(t.files, dir->en.totals.files);
	assert_int_equal(t.bytes, dir->en.totals.bytes);
	assert_int_equal(t.has_xattrs, dir->en.totals.flags & TOTALS_XATTRS);
	assert_int_equal(t.has_acl, !!(dir->en.totals.flags & TOTALS_ACL));
}

static bool
has_child(const struct model_node *dir, const char *name, size_t len)
{
	for (size_t i = 0; i < dir->n_children; i++) {
		if (dir->children[i].en.name_len == len &&
			!memcmp(dir->children[i].name, name, len))
			return true;
	}
	return false;
}

static void
compare_names_of(struct comparison *c, const struct model_node *node)
{
	char other[NAME_LEN_MAX + 1];
	struct view_attr a;
	struct err e = ERR_INIT;
	size_t len = node->en.name_len;
	int r;

	if (node != node->parent) {
		r = view_lookup(c->v, node->parent->number,
			(const char *)node->name, len, &a, &e);
		if (answered(c, r, &e))
			same_attr(node, &a);
		memcpy(other, node->name, len);
		other[len] = 'a';
		other[len / 2] ^= 1;
		len += rand_r(&c->seed) % 2;
	} else {
		memcpy(other, "x", 1);
		len = 1;
	}
	if (len > NAME_LEN_MAX || has_child(node->parent, other, len))
		return;
	r = view_lookup(c->v, node->parent->number, other, len, &a, &e);
	assert_true(r == -ENOENT || !answered(c, r, &e));
}

/* The piece that has offset off; *at is its first offset. */
static const struct model_piece *
piece_at(const struct model_node *node, uint64_t off, uint64_t *at)
{
	const struct model_piece *p = node->pieces;

	for (*at = 0; off - *at >= p->len; p++)
		*at += p->len;
	return p;
}

#define READ_MAX 300000
static const uint8_t zeros[READ_MAX];

static void
same_bytes(const struct model_node *node, uint64_t off, const uint8_t *got,
	size_t len)
{
	while (len) {
		uint64_t at;
		const struct model_piece *p = piece_at(node, off, &at);
		size_t n = p->len - (off - at) < len ? p->len - (off - at)
						     : len;

		assert_true(!memcmp(got,
			p->data ? p->data + (off - at) : zeros, n));
		off += n;
		got += n;
		len -= n;
	}
}

static void
compare_read(struct comparison *c, const struct model_node *node, uint64_t off,
	size_t len)
{
	auto_view_data struct view_data d = VIEW_DATA_INIT;
	struct err e = ERR_INIT;
	uint64_t left = off < node->en.size ? node->en.size - off : 0;
	int r = view_read(c->v, node->number, off, len, &d, &e);
	size_t sum = 0;

	if (!answered(c, r, &e))
		return;
	for (int i = 0; i < d.n; i++) {
		assert_true(d.iov[i].iov_len > 0);
		same_bytes(node, off + sum, d.iov[i].iov_base,
			d.iov[i].iov_len);
		sum += d.iov[i].iov_len;
	}
	assert_int_equal(d.len, sum);
	if (left > len)
		left = len;
	assert_true(sum <= left && (sum > 0 || left == 0));
	assert_true(sum == left || d.n == VIEW_DATA_PIECES);
}

static uint64_t
model_seek(const struct model_node *node, uint64_t off, bool hole)
{
	while (off < node->en.size) {
		uint64_t at;
		const struct model_piece *p = piece_at(node, off, &at);

		if (!p->data == hole)
			return off;
		off = at + p->len;
	}
	return hole ? node->en.size : UINT64_MAX;
}

static void
compare_seek(struct comparison *c, const struct model_node *node, uint64_t off,
	int whence)
{
	uint64_t want = model_seek(node, off, whence == SEEK_HOLE), found;
	struct err e = ERR_INIT;
	int r = view_seek(c->v, node->number, off, whence, &found, &e);

	if (off >= node->en.size || want == UINT64_MAX)
		assert_true(r == -ENXIO || !answered(c, r, &e));
	else if (answered(c, r, &e))
		assert_int_equal(found, want);
}

static bool
sum_extent(void *ctx, const struct view_extent *x)
{
	uint64_t *off = ctx;

	assert_int_equal(x->off, *off);
	*off += x->len;
	return true;
}

static void
compare_file(struct comparison *c, const struct model_node *node)
{
	struct err e = ERR_INIT;
	uint64_t off = 0, sum = 0;

	for (size_t i = 0; i <= node->n_pieces; i++) {
		uint64_t len = i < node->n_pieces ? node->pieces[i].len : 100;
		uint64_t within = off + (uint64_t)rand_r(&c->seed) % len;

		compare_read(c, node, off, 1 + rand_r(&c->seed) % 9000);
		compare_read(c, node, within, 1 + rand_r(&c->seed) % READ_MAX);
		compare_seek(c, node, off, SEEK_DATA);
		compare_seek(c, node, off, SEEK_HOLE);
		compare_seek(c, node, within, SEEK_DATA);
		compare_seek(c, node, within, SEEK_HOLE);
		off += len;
	}
	compare_read(c, node, 0, 0);
	if (answered(c, view_extents(c->v, node->number, 0, sum_extent, &sum,
				&e), &e))
		assert_int_equal(sum, node->en.size);
}

static void
compare_symlink(struct comparison *c, const struct model_node *node)
{
	char target[4096];
	struct err e = ERR_INIT;
	ssize_t n = view_readlink(c->v, node->number, target, sizeof(target),
		&e);

	if (!answered(c, n, &e))
		return;
	assert_int_equal(n, node->en.size);
	assert_memory_equal(target, node->pieces[0].data, n);
}

static void
compare_xattrs(struct comparison *c, const struct model_node *node)
{
	const uint8_t *name, *value;
	size_t pos = 0, sum = 0, name_len, value_len;
	char names[2000], one[256], got[1000];
	struct err e = ERR_INIT;
	ssize_t listed = view_xattr_list(c->v, node->number, names,
		sizeof(names), &e);

	if (!answered(c, listed, &e))
		return;
	while (xattrs_next(node->xattrs.data, node->xattrs.len, &pos, &name,
		       &name_len, &value, &value_len) == 1) {
		assert_memory_equal(names + sum, name, name_len);
		assert_int_equal(names[sum + name_len], 0);
		sum += name_len + 1;
		memcpy(one, name, name_len);
		one[name_len] = 0;
		ssize_t n = view_xattr_get(c->v, node->number, one, got,
			sizeof(got), &e);
		if (!answered(c, n, &e))
			continue;
		assert_int_equal(n, value_len);
		assert_memory_equal(got, value, value_len);
		assert_int_equal(view_xattr_get(c->v, node->number, one, NULL,
					 0, &e),
			value_len);
		if (value_len > 1)
			assert_int_equal(view_xattr_get(c->v, node->number, one,
						 got, value_len - 1, &e),
				-ERANGE);
	}
	assert_int_equal(listed, sum);
	assert_int_equal(view_xattr_list(c->v, node->number, NULL, 0, &e), sum);
	assert_int_equal(view_xattr_get(c->v, node->number, "user.none", got,
				 sizeof(got), &e),
		-ENODATA);
}

static void
neighbour(void *ctx, uint64_t number, const void *data, size_t len)
{
	struct comparison *c = ctx;
	const struct model_node *node = c->m->nodes[number];

	assert_true(S_ISREG(node->en.mode));
	assert_int_equal(len, node->en.size);
	same_bytes(node, 0, data, len);
}

static void
compare_node(struct comparison *c, const struct model_node *node)
{
	struct view_attr a;
	struct err e = ERR_INIT;
	uint64_t parent;

	if (answered(c, view_attr(c->v, node->number, &a, &e), &e))
		same_attr(node, &a);
	if (answered(c, view_parent(c->v, node->number, &parent, &e), &e))
		assert_int_equal(parent, node->parent->number);
	compare_names_of(c, node);
	compare_xattrs(c, node);
	if (S_ISDIR(node->en.mode))
		compare_dir(c, node);
	else if (S_ISLNK(node->en.mode))
		compare_symlink(c, node);
	else if (S_ISREG(node->en.mode))
		compare_file(c, node);
	view_neighbours(c->v, node->number, 5, neighbour, c);
}

size_t
model_compare(const struct model *m, struct view *v, unsigned seed)
{
	struct comparison c = { .m = m, .v = v, .seed = seed };
	struct err e = ERR_INIT;
	struct view_attr a;

	for (size_t i = 0; i < m->n; i++)
		compare_node(&c, m->nodes[i]);
	assert_int_equal(view_attr(v, m->n, &a, &e), -ENOENT);
	assert_int_equal(view_attr(v, UINT64_MAX, &a, &e), -ENOENT);
	return c.errors;
}
