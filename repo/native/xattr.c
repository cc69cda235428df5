/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Extended attributes lie in the entry, or in a chunk of their own. */
#include <errno.h>
#include "repo/crypto/seal.h"
#include "repo/native/view.h"

/* The encoded attributes of an entry; *frame (owed a put) holds them when they
 * lie in a chunk. */
static int
load(struct native_view *v, const struct entry *en, struct frame **frame,
	const uint8_t **data, size_t *len, struct err *e)
{
	*data = en->xattrs;
	*len = en->xattrs ? en->xattrs_len : 0;
	if (!en->xattrs_ref)
		return 0;
	*len = en->xattrs_ref->chunk_len;
	return page_cache_chunk(v->tree.pages, en->xattrs_ref, FRAME_PAGES,
		frame, data, e);
}

/* 1 and the value, 0 there is none of that name, -EUCLEAN. */
static int
find(const uint8_t *data, size_t len, const char *name, const uint8_t **value,
	size_t *value_len, struct err *e)
{
	const uint8_t *one;
	size_t pos = 0, one_len, name_len = strlen(name);
	int r;

	while ((r = xattrs_next(data, len, &pos, &one, &one_len, value,
			value_len)) == 1) {
		if (one_len == name_len && !memcmp(one, name, name_len))
			return 1;
	}
	if (r < 0)
		err_set(e, EUCLEAN, "extended attributes contradict themselves");
	return r;
}

ssize_t
native_view_xattr_get(struct view *view, uint64_t node, const char *name,
	void *value, size_t size, struct err *e)
{
	struct native_view *v = native_view_of(view);
	auto_tree_node struct tree_node tn = TREE_NODE_INIT;
	auto_frame struct frame *frame = NULL;
	const uint8_t *data, *found;
	size_t len, n = 0;
	int r = native_view_locate(v, node, &tn, e);

	if (r)
		return r;
	r = load(v, tn.entry, &frame, &data, &len, e);
	if (!r)
		r = find(data, len, name, &found, &n, e);
	if (r < 0)
		return native_view_error(v, node, r, e);
	if (r == 0)
		return err_set(e, ENODATA, "no such attribute");
	if (size && n > size)
		return err_set(e, ERANGE, "the attribute is longer");
	if (size && n)
		memcpy(value, found, n);
	return (ssize_t)n;
}

/* The length of all names, each terminated; written when they fit. */
static ssize_t
names_of(const uint8_t *data, size_t len, char *names, size_t size,
	struct err *e)
{
	const uint8_t *name, *value;
	size_t pos = 0, name_len, value_len, sum = 0;
	int r;

	while ((r = xattrs_next(data, len, &pos, &name, &name_len, &value,
			&value_len)) == 1) {
		if (size && sum + name_len + 1 > size)
			return err_set(e, ERANGE, "the names are longer");
		if (size) {
			memcpy(names + sum, name, name_len);
			names[sum + name_len] = '\0';
		}
		sum += name_len + 1;
	}
	if (r < 0)
		return err_set(e, EUCLEAN,
			"extended attributes contradict themselves");
	return (ssize_t)sum;
}

ssize_t
native_view_xattr_list(struct view *view, uint64_t node, char *names,
	size_t size, struct err *e)
{
	struct native_view *v = native_view_of(view);
	auto_tree_node struct tree_node tn = TREE_NODE_INIT;
	auto_frame struct frame *frame = NULL;
	const uint8_t *data;
	size_t len;
	ssize_t n;
	int r = native_view_locate(v, node, &tn, e);

	if (r)
		return r;
	r = load(v, tn.entry, &frame, &data, &len, e);
	n = r ? r : names_of(data, len, names, size, e);
	if (n < 0 && n != -ERANGE)
		native_view_error(v, node, (int)n, e);
	return n;
}
