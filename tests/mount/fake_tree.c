/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include "repo/base/buf.h"
#include "tests/mount/fake_tree.h"

/* Append a node below parent. */
static struct fake_node *
add(struct fake_tree *t, uint32_t parent, const char *name, mode_t mode)
{
	struct fake_node *n;

	if (t->n == t->room) {
		t->room = t->room ? 2 * t->room : 1024;
		t->nodes = xrealloc(t->nodes, t->room * sizeof(*t->nodes));
	}
	n = &t->nodes[t->n];
	memset(n, 0, sizeof(*n));
	n->name = xstrdup(name);
	n->parent = parent;
	n->attr.node = n->attr.ino = t->n++;
	n->attr.mode = mode;
	n->attr.nlink = S_ISDIR(mode) ? 2 : 1;
	n->attr.mtime.tv_sec = n->attr.ctime.tv_sec = 1700000000;
	n->attr.mtime.tv_nsec = 123456789;
	return n;
}

static uint32_t
add_dir(struct fake_tree *t, uint32_t parent, const char *name)
{
	return (uint32_t)add(t, parent, name, S_IFDIR | 0755)->attr.node;
}

static struct fake_node *
add_file(struct fake_tree *t, uint32_t parent, const char *name, uint64_t size)
{
	struct fake_node *n = add(t, parent, name, S_IFREG | 0644);

	n->attr.size = size;
	n->attr.blocks = (size + 511) / 512;
	return n;
}

static void
add_files(struct fake_tree *t, uint32_t dir, unsigned int n, unsigned int size)
{
	for (unsigned int i = 0; i < n; i++) {
		auto_free char *name = xasprintf("f%06u", i);

		add_file(t, dir, name, size);
	}
}

static void
add_kinds(struct fake_tree *t)
{
	uint32_t dir = add_dir(t, 0, "kinds");
	char longest[256];
	struct fake_node *n;

	n = add(t, dir, "device", S_IFBLK | 0660);
	n->attr.rdev = makedev(259, 70000);
	add(t, dir, "fifo", S_IFIFO | 0600);
	for (int i = 0; i < 2; i++) {
		n = add_file(t, dir, i ? "link-b" : "link-a", 1000);
		n->attr.ino = VIEW_INO_LINK | 1;
		n->attr.nlink = 2;
	}
	memset(longest, 'n', 255);
	longest[255] = '\0';
	add_file(t, dir, longest, 10);
	n = add_file(t, dir, "old", 3);
	n->attr.mtime.tv_sec = -86400;
	n->attr.ctime.tv_sec = 5000000000;
	n = add_file(t, dir, "setuid", 5);
	n->attr.mode = S_IFREG | 06755;
	add(t, dir, "socket", S_IFSOCK | 0600);
	n = add_file(t, dir, "sparse", 1ULL << 40);
	n->kind = FAKE_SPARSE;
	n->attr.blocks = FAKE_PATTERN / 512;
	n = add(t, dir, "symlink", S_IFLNK | 0777);
	n->target = xmalloc(4096);
	memset(n->target, 't', 4095);
	n->target[4095] = '\0';
	n->attr.size = 4095;
	add(t, dir, "\xff\xfe not UTF-8\n", S_IFREG | 0600);
}

static void
add_broken(struct fake_tree *t)
{
	uint32_t dir = add_dir(t, 0, "broken");
	uint32_t list = add_dir(t, dir, "dir");

	t->nodes[list].kind = FAKE_FAILS;
	add_files(t, list, 10, 10);
	add(t, dir, "link", S_IFLNK | 0777)->kind = FAKE_FAILS;
	add_file(t, dir, "read", 100000)->kind = FAKE_FAILS;
}

static void
add_up(struct fake_tree *t)
{
	for (uint32_t i = t->n - 1; i > 0; i--) {
		struct fake_node *n = &t->nodes[i];

		t->nodes[n->parent].entries += 1 + n->entries;
		t->nodes[n->parent].attr.nlink += S_ISDIR(n->attr.mode);
		t->totals.entries++;
		if (S_ISREG(n->attr.mode)) {
			t->totals.files++;
			t->totals.bytes += n->attr.size;
		}
	}
	t->totals.newest_ns = 1700000000123456789;
}

void
fake_tree_build(struct fake_tree *t, const struct fake_options *o)
{
	uint32_t dir;

	memset(t, 0, sizeof(*t));
	t->acls = o->acls;
	t->totals.has_xattrs = o->xattrs || o->acls;
	t->totals.has_acl = o->acls && !o->acls_untold;
	add_dir(t, 0, "");
	for (unsigned int d = 0; d < o->dirs; d++) {
		auto_free char *name = xasprintf("%03u", d);

		add_files(t, add_dir(t, 0, name), o->files, o->size);
	}
	dir = add_dir(t, 0, "big");
	add_files(t, dir, o->big, 100);
	add_broken(t);
	add_kinds(t);
	add_file(t, 0, "pieces", 3000000)->kind = FAKE_PIECES;
	add_file(t, 0, "point", 6)->kind = FAKE_POINT;
	dir = add_dir(t, 0, "xattrs");
	add_files(t, dir, 3, 100);
	if (o->xattrs || o->acls) {
		struct fake_node *n = add_file(t, dir, "has", 100);

		n->kind = FAKE_XATTRS;
		n->attr.mode = S_IFREG | 0670;
		n->attr.has_xattrs = true;
	}
	add_up(t);
}

void
fake_tree_build_database(struct fake_tree *t)
{
	memset(t, 0, sizeof(*t));
	add_dir(t, 0, "");
	add_file(t, 0, "orders.db", 6)->kind = FAKE_POINT;
	add_file(t, 0, "orders.db.raw", 6)->kind = FAKE_POINT;
	add_up(t);
}

void
fake_tree_release(struct fake_tree *t)
{
	for (uint32_t i = 0; i < t->n; i++) {
		free(t->nodes[i].name);
		free(t->nodes[i].target);
	}
	free(t->nodes);
}
