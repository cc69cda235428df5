/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/compare.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include "repo/base/buf.h"
#include "tools/content.h"

#define SYMLINK_ROOM 4096

const char *const compare_words[COMPARE_BITS] = { "type", "size", "mtime",
	"mode", "owner", "device", "target", "xattrs", "content" };

/* -- Extended attributes -----------------------------------------------------
 */

/* Names, or one value, of any length the view tells; 0 where there can be
 * none. */
static int
get_xattr(struct view *v, uint64_t node, const char *name, struct buf *b,
	struct err *e)
{
	ssize_t n;

	do {
		n = name ? view_xattr_get(v, node, name, NULL, 0, e)
			 : view_xattr_list(v, node, NULL, 0, e);
		if (n <= 0)
			break;
		b->len = 0;
		buf_reserve(b, (size_t)n);
		n = name ? view_xattr_get(v, node, name, b->data, (size_t)n, e)
			 : view_xattr_list(
				   v, node, (char *)b->data, (size_t)n, e);
	} while (n == -ERANGE);
	if (n == -EOPNOTSUPP || n == -ENODATA)
		n = 0;
	b->len = n < 0 ? 0 : (size_t)n;
	return n < 0 ? (int)n : 0;
}

/* Whether all attributes of a are in b with the same value; counts them. */
static int
xattrs_within(struct view *a, uint64_t node_a, struct view *b, uint64_t node_b,
	int *count, struct err *e)
{
	auto_buf struct buf names = BUF_INIT, va = BUF_INIT, vb = BUF_INIT;
	int r = get_xattr(a, node_a, NULL, &names, e);

	*count = 0;
	for (size_t at = 0; r == 0 && at < names.len; (*count)++) {
		const char *name = (const char *)names.data + at;
		size_t len = strnlen(name, names.len - at);

		if (len == names.len - at)
			return err_set(
				e, EUCLEAN, "attribute name without end");
		va.len = vb.len = 0;
		r = get_xattr(a, node_a, name, &va, e);
		if (r == 0)
			r = get_xattr(b, node_b, name, &vb, e);
		if (r == 0 &&
			(va.len != vb.len || (va.len && memcmp(va.data, vb.data,
								va.len) != 0)))
			return 0;
		at += len + 1;
	}
	return r < 0 ? r : 1;
}

static int
xattrs_equal(struct view *a, const struct view_attr *attr_a, struct view *b,
	const struct view_attr *attr_b, struct err *e)
{
	auto_buf struct buf names = BUF_INIT;
	int count = 0, r = 1;

	if (attr_a->has_xattrs)
		r = xattrs_within(a, attr_a->node, b, attr_b->node, &count, e);
	if (r <= 0 || !attr_b->has_xattrs)
		return r;
	r = get_xattr(b, attr_b->node, NULL, &names, e);
	for (size_t i = 0; i < names.len; i++)
		count -= names.data[i] == '\0';
	return r < 0 ? r : count == 0;
}

/* -- Everything
 * ----------------------------------------------------------------- */

static int
targets_equal(struct view *a, uint64_t node_a, struct view *b, uint64_t node_b,
	struct err *e)
{
	char ta[SYMLINK_ROOM], tb[SYMLINK_ROOM];
	ssize_t na = view_readlink(a, node_a, ta, sizeof(ta), e);
	ssize_t nb = na < 0 ? na : view_readlink(b, node_b, tb, sizeof(tb), e);

	if (nb < 0)
		return (int)nb;
	return na == nb && memcmp(ta, tb, (size_t)na) == 0;
}

static int
compare_attrs(const struct view_attr *a, const struct view_attr *b)
{
	bool times = !S_ISDIR(a->mode);
	bool device = S_ISCHR(a->mode) || S_ISBLK(a->mode);
	int bits = 0;

	if (S_ISREG(a->mode) && a->size != b->size)
		bits |= COMPARE_SIZE;
	if (times && (a->mtime.tv_sec != b->mtime.tv_sec ||
			     a->mtime.tv_nsec != b->mtime.tv_nsec))
		bits |= COMPARE_MTIME;
	if (a->mode != b->mode)
		bits |= COMPARE_MODE;
	if (a->uid != b->uid || a->gid != b->gid)
		bits |= COMPARE_OWNER;
	if (device && a->rdev != b->rdev)
		bits |= COMPARE_DEVICE;
	return bits;
}

int
compare_entries(struct view *a, const struct view_attr *attr_a, struct view *b,
	const struct view_attr *attr_b, bool content, struct err *e)
{
	int bits, r = 1;

	if ((attr_a->mode & S_IFMT) != (attr_b->mode & S_IFMT))
		return COMPARE_TYPE;
	bits = compare_attrs(attr_a, attr_b);
	if (S_ISLNK(attr_a->mode))
		r = targets_equal(a, attr_a->node, b, attr_b->node, e);
	if (r == 0)
		bits |= COMPARE_TARGET;
	if (r >= 0 && (attr_a->has_xattrs || attr_b->has_xattrs)) {
		r = xattrs_equal(a, attr_a, b, attr_b, e);
		if (r == 0)
			bits |= COMPARE_XATTRS;
	}
	if (r >= 0 && content && S_ISREG(attr_a->mode) &&
		!(bits & COMPARE_SIZE)) {
		r = content_equal(a, attr_a, b, attr_b, e);
		if (r == 0)
			bits |= COMPARE_CONTENT;
	}
	return r < 0 ? r : bits;
}
