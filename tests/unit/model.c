/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/model.h"

#include <errno.h>
#include <sys/stat.h>

#define DEPTH_MAX 5
#define HOLE_MAX (1ULL << 40)

static unsigned
pick(struct model *m, unsigned n)
{
	return (unsigned)rand_r(&m->seed) % n;
}

static uint8_t *
noise(struct model *m, size_t len)
{
	uint8_t *p = xmalloc(len + 1);

	for (size_t i = 0; i < len; i++)
		p[i] = (uint8_t)pick(m, 256);
	return p;
}

/* -- Making a tree --------------------------------------------------------------- */

static void
make_name(struct model *m, struct model_node *node)
{
	static const char alphabet[] = "ab.-~ \n\x01\x80\xc3\xa4\xff";
	uint32_t len = 1 + pick(m, pick(m, 20) ? 9 : NAME_LEN_MAX);

	for (uint32_t i = 0; i < len; i++)
		node->name[i] =
			(uint8_t)alphabet[pick(m, sizeof(alphabet) - 1)];
	if (node->name[0] == '.')
		node->name[0] = 'd';
	node->en.name_len = len;
}

static int
compare_names(const void *a, const void *b)
{
	const struct model_node *x = a, *y = b;
	uint32_t xl = x->en.name_len, yl = y->en.name_len;
	int c = memcmp(x->name, y->name, xl < yl ? xl : yl);

	return c ? c : (xl > yl) - (xl < yl);
}

static void
add_piece(struct model *m, struct model_node *node, uint64_t len, bool hole)
{
	node->pieces = xrealloc(node->pieces,
		(node->n_pieces + 1) * sizeof(*node->pieces));
	node->pieces[node->n_pieces++] = (struct model_piece){
		.data = hole ? NULL : noise(m, len), .len = len };
	node->en.size += len;
}

static void
make_file(struct model *m, struct model_node *node)
{
	unsigned kind = pick(m, 8);

	node->en.mode = S_IFREG | pick(m, 07777);
	if (kind == 0)
		return;
	if (kind < 3) {
		node->en.content = CONTENT_INLINE;
		add_piece(m, node, 1 + pick(m, INLINE_LEN_MAX), false);
	} else if (kind < 6) {
		node->en.content = CONTENT_CHUNK;
		add_piece(m, node, 1 + pick(m, 3000), false);
	} else {
		unsigned n = 1 + pick(m, 40);

		node->en.content = CONTENT_MAP;
		while (n-- > 0) {
			bool hole = pick(m, 3) == 0;

			add_piece(m, node,
				hole && pick(m, 9) == 0 ? HOLE_MAX
							: 1 + pick(m, 2000),
				hole);
		}
	}
}

static void
make_symlink(struct model *m, struct model_node *node)
{
	node->en.mode = S_IFLNK | 0777;
	node->en.content = CONTENT_INLINE;
	add_piece(m, node, 1 + pick(m, pick(m, 5) ? 60 : SYMLINK_LEN_MAX),
		false);
	for (uint64_t i = 0; i < node->en.size; i++)
		node->pieces[0].data[i] |= 1;
}

static void
make_attributes(struct model *m, struct model_node *node)
{
	struct entry *en = &node->en;

	en->uid = pick(m, 3) ? 1000 : pick(m, 1u << 30);
	en->gid = pick(m, 1000);
	en->mtime_s = (int64_t)pick(m, 1u << 31) * 4 - (1LL << 31);
	en->mtime_ns = pick(m, 1000000000);
	en->ctime_s = en->mtime_s + pick(m, 2);
	en->ctime_ns = en->mtime_ns;
	en->blocks = pick(m, 3) ? (en->size + 511) / 512 : pick(m, 1000);
	en->nlink = S_ISDIR(en->mode) ? 2 : 1;
	if (S_ISREG(en->mode) && pick(m, 5) == 0) {
		en->link = 1 + pick(m, 50);
		en->nlink = 2 + pick(m, 3);
	}
	en->ino = pick(m, 1u << 30);
}

static void
make_xattrs(struct model *m, struct model_node *node)
{
	static const char *const names[] = { "security.capability",
		"system.posix_acl_access", "user.a", "user.b" };
	unsigned from = pick(m, 4), n = 1 + pick(m, 4 - from);
	const void *values[4];
	size_t lens[4];

	for (unsigned i = 0; i < n; i++) {
		lens[i] = pick(m, pick(m, 2) ? 20 : 500);
		values[i] = noise(m, lens[i]);
	}
	xattrs_encode(&node->xattrs, names + from, values, lens, n);
	for (unsigned i = 0; i < n; i++)
		free((void *)(uintptr_t)values[i]);
}

static void make_dir(struct model *m, struct model_node *dir, unsigned n,
	unsigned depth);

static void
make_node(struct model *m, struct model_node *node, unsigned depth)
{
	unsigned kind = pick(m, 16);

	if (kind < 4) {
		node->en.mode = S_IFDIR | 0755;
	} else if (kind < 6) {
		make_symlink(m, node);
	} else if (kind == 6) {
		node->en.mode = (pick(m, 2) ? S_IFCHR : S_IFBLK) | 0600;
		node->en.rdev = pick(m, 1u << 30);
	} else if (kind == 7) {
		node->en.mode = (pick(m, 2) ? S_IFIFO : S_IFSOCK) | 0644;
	} else {
		make_file(m, node);
	}
	make_attributes(m, node);
	if (pick(m, 6) == 0)
		make_xattrs(m, node);
	if (S_ISDIR(node->en.mode))
		make_dir(m, node, depth < DEPTH_MAX ? pick(m, 14) : 0,
			depth + 1);
}

static void
make_dir(struct model *m, struct model_node *dir, unsigned n, unsigned depth)
{
	size_t kept = 0;

	dir->children = xcalloc(n + 1, sizeof(*dir->children));
	for (unsigned i = 0; i < n; i++)
		make_name(m, &dir->children[i]);
	qsort(dir->children, n, sizeof(*dir->children), compare_names);
	for (unsigned i = 0; i < n; i++) {
		if (kept && compare_names(&dir->children[kept - 1],
				    &dir->children[i]) == 0)
			continue;
		dir->children[kept++] = dir->children[i];
	}
	dir->n_children = kept;
	for (size_t i = 0; i < kept; i++) {
		dir->children[i].parent = dir;
		dir->children[i].en.name = dir->children[i].name;
		make_node(m, &dir->children[i], depth);
	}
}

static void
number(struct model *m, struct model_node *node)
{
	node->number = m->n;
	m->nodes = xrealloc(m->nodes, (m->n + 1) * sizeof(*m->nodes));
	m->nodes[m->n++] = node;
	for (size_t i = 0; i < node->n_children; i++)
		number(m, &node->children[i]);
}

void
model_init(struct model *m, unsigned seed, unsigned breadth)
{
	memset(m, 0, sizeof(*m));
	m->seed = seed;
	m->root.parent = &m->root;
	m->root.en.mode = S_IFDIR | 0750;
	make_attributes(m, &m->root);
	make_dir(m, &m->root, breadth, 1);
	number(m, &m->root);
}

static void
release(struct model_node *node)
{
	for (size_t i = 0; i < node->n_children; i++)
		release(&node->children[i]);
	for (size_t i = 0; i < node->n_pieces; i++)
		free(node->pieces[i].data);
	free(node->pieces);
	free(node->children);
	buf_release(&node->xattrs);
}

void
model_release(struct model *m)
{
	release(&m->root);
	free(m->nodes);
}

/* -- Forging --------------------------------------------------------------------- */

static void
forge_xattrs(struct forge *f, struct model_node *node)
{
	if (!node->xattrs.len)
		return;
	if (node->xattrs.len <= INLINE_XATTRS_MAX) {
		node->en.xattrs = node->xattrs.data;
		node->en.xattrs_len = (uint32_t)node->xattrs.len;
		return;
	}
	forge_page(f, node->xattrs.data, node->xattrs.len, &node->xattrs_ref);
	node->en.xattrs_ref = &node->xattrs_ref;
}

static void
forge_pieces(struct forge *f, struct model_node *node)
{
	auto_free struct extent *x = xcalloc(node->n_pieces + 1, sizeof(*x));
	uint64_t off = 0;

	for (size_t i = 0; i < node->n_pieces; i++) {
		const struct model_piece *p = &node->pieces[i];
		const struct forge_chunk c = { p->data, p->len };

		x[i].off = off;
		x[i].len = p->len;
		x[i].hole = !p->data;
		if (p->data)
			forge_frame(f, OBJECT_DATA, FRAME_DATA, &c, 1,
				&x[i].ref);
		off += p->len;
	}
	forge_extents(f, x, node->n_pieces, &node->en);
}

/* The small files of a directory share frames of up to eight chunks. */
static void
forge_small(struct forge *f, struct model_node *dir)
{
	struct forge_chunk chunks[8];
	struct entry *of[8];
	struct ref refs[8];
	size_t n = 0;

	for (size_t i = 0; i <= dir->n_children; i++) {
		struct model_node *c = &dir->children[i];

		if (n == 8 || (n && i == dir->n_children)) {
			forge_frame(f, OBJECT_DATA, FRAME_DATA, chunks, n,
				refs);
			for (size_t k = 0; k < n; k++)
				of[k]->ref = refs[k];
			n = 0;
		}
		if (i == dir->n_children || c->en.content != CONTENT_CHUNK)
			continue;
		chunks[n].data = c->pieces[0].data;
		chunks[n].len = c->pieces[0].len;
		of[n++] = &c->en;
	}
}

static void
forge_tree(struct forge *f, struct model_node *dir, struct buf *root_page)
{
	auto_free struct entry *entries =
		xcalloc(dir->n_children + 1, sizeof(*entries));

	forge_small(f, dir);
	for (size_t i = 0; i < dir->n_children; i++) {
		struct model_node *c = &dir->children[i];

		forge_xattrs(f, c);
		if (S_ISDIR(c->en.mode))
			forge_tree(f, c, NULL);
		else if (c->en.content == CONTENT_INLINE)
			c->en.data = c->pieces[0].data;
		else if (c->en.content == CONTENT_MAP)
			forge_pieces(f, c);
		entries[i] = c->en;
	}
	forge_dir(f, entries, dir->n_children, &dir->en, root_page);
}

void
model_forge(struct model *m, struct forge *f, struct record *r,
	bool inline_page)
{
	struct buf page = BUF_INIT;
	size_t len;

	forge_tree(f, &m->root, &page);
	r->root = m->root.en;
	r->next_link = 1000;
	if (inline_page && page.len) {
		r->root_page = buf_steal(&page, &len);
		r->root_page_len = (uint32_t)len;
	}
	buf_release(&page);
}

/* -- Comparing -------------------------------------------------------------------- */

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
