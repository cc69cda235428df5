/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <sys/stat.h>
#include <errno.h>
#include "repo/native/tree.h"

void
tree_node_release(struct tree_node *tn)
{
	cached_page_put(steal(tn->page));
}

bool
tree_map(const struct tree *t, const struct tree_node *tn, struct map *m)
{
	if (tn->entry->content != CONTENT_MAP)
		return false;
	*m = (struct map){ .pages = t->pages,
		.kind = MAP_DIRECTORY,
		.ref = &tn->entry->ref,
		.root = tn->node == 0 ? t->root_page : NULL,
		.span = tn->entry->totals.entries,
		.passed = t->passed,
		.passed_ctx = t->passed_ctx };
	return true;
}

static void
start(const struct tree *t, struct tree_node *tn)
{
	tree_node_release(tn);
	*tn = (struct tree_node){ .entry = t->root };
}

/* From the directory tn to its entry at. */
static void
enter(struct tree_node *tn, struct map_at *at)
{
	uint64_t number = tn->node + 1 + at->nodes_before +
			  at->leaf->page->nodes_before[at->i];
	struct tree_node to = { .entry = map_at_entry(at),
		.page = steal(at->leaf),
		.node = number,
		.parent = tn->node,
		.position = at->n_before + at->i };

	tree_node_release(tn);
	*tn = to;
}

/* From the directory tn to its entry that has `node` at or below it. */
static int
step(const struct tree *t, struct tree_node *tn, uint64_t node,
	struct ref *missing, struct err *e)
{
	auto_map_at struct map_at at = MAP_AT_INIT;
	struct map m;
	int r;

	if (!tree_map(t, tn, &m))
		return -ENOENT;
	m.missing = missing;
	r = map_find_node(&m, node - tn->node - 1, &at, e);
	if (!r)
		enter(tn, &at);
	return r;
}

static int
descend(const struct tree *t, uint64_t node, struct tree_node *tn,
	struct ref *missing, struct err *e)
{
	int r = 0;

	start(t, tn);
	if (node > t->root->totals.entries)
		return -ENOENT;
	while (!r && tn->node != node)
		r = step(t, tn, node, missing, e);
	return r;
}

int
tree_locate(const struct tree *t, uint64_t node, struct tree_node *tn,
	struct err *e)
{
	return descend(t, node, tn, NULL, e);
}

int
tree_peek(const struct tree *t, uint64_t node, struct tree_node *tn,
	struct ref *missing)
{
	return descend(t, node, tn, missing, NULL);
}

int
tree_child(const struct tree *t, struct tree_node *tn, const void *name,
	size_t len, struct err *e)
{
	auto_map_at struct map_at at = MAP_AT_INIT;
	struct map m;
	int r;

	if (!S_ISDIR(tn->entry->mode))
		return -ENOTDIR;
	if (len == 0 || !tree_map(t, tn, &m))
		return -ENOENT;
	r = map_find_name(&m, name, len, &at, e);
	if (!r)
		enter(tn, &at);
	return r;
}

/* Put "/name" behind what is there; what does not fit pushes the beginning
 * out. */
static size_t
append_name(char *out, size_t size, size_t used, const struct entry *en)
{
	size_t n = en->name_len + (used > 0);

	if (n >= size)
		return used;
	if (used + n >= size) {
		size_t drop = used + n - (size - 1);

		memmove(out, out + drop, used - drop);
		used -= drop;
	}
	if (n > en->name_len)
		out[used++] = '/';
	memcpy(out + used, en->name, en->name_len);
	return used + en->name_len;
}

void
tree_path(const struct tree *t, uint64_t node, char *out, size_t size)
{
	auto_tree_node struct tree_node tn = TREE_NODE_INIT;
	size_t used = 0;

	start(t, &tn);
	while (tn.node != node && !step(t, &tn, node, NULL, NULL))
		used = append_name(out, size, used, tn.entry);
	if (used == 0)
		out[used++] = '.';
	out[used] = '\0';
}
