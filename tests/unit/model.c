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

void
model_repo_init(struct model_repo *w, unsigned seed, unsigned breadth,
	uint32_t page_max, bool inline_page)
{
	static char host[] = "web1", name[] = "home";
	struct record r = { .host = host, .name = name, .seq = 1,
		.generation = 1, .time_ns = 1700000000LL * 1000000000 };

	forge_init(&w->f, page_max);
	model_init(&w->m, seed, breadth);
	model_forge(&w->m, &w->f, &r, inline_page);
	forge_record(&w->f, &r, NULL, NULL);
	object_pack_name(w->packs[0], OBJECT_DATA, w->f.data.id);
	object_pack_name(w->packs[1], OBJECT_META, w->f.meta.id);
	w->pack_lens[0] = w->f.data.bytes.len;
	w->pack_lens[1] = w->f.meta.bytes.len;
	forge_flush(&w->f);
	free(r.root_page);
}

void
model_repo_release(struct model_repo *w)
{
	model_release(&w->m);
	forge_release(&w->f);
}
