/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/compare.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include "repo/base/buf.h"
#include "tools/content.h"
#include "tools/xattr.h"

#define SYMLINK_ROOM 4096

const char *const compare_words[COMPARE_BITS] = { "type", "size", "mtime",
	"mode", "owner", "device", "target", "xattrs", "content" };

/* -- Extended attributes -----------------------------------------------------
 */

/* Whether all attributes of a are in b with the same value: 1, 0 or -errno. */
static int
xattrs_within(struct view *a, uint64_t node_a, struct view *b, uint64_t node_b,
	struct err *e)
{
	auto_buf struct buf names = BUF_INIT, va = BUF_INIT, vb = BUF_INIT;
	const char *name;
	size_t at = 0;
	int r = xattr_names(a, node_a, &names, e);

	while (r == 0 && (name = xattr_next(&names, &at))) {
		r = xattr_value(a, node_a, name, &va, e);
		if (r == 0)
			r = xattr_value(b, node_b, name, &vb, e);
		if (r == -ENODATA || r == -EOPNOTSUPP)
			return 0;
		if (r == 0 && (va.len != vb.len ||
				      memcmp(va.data, vb.data, va.len) != 0))
			return 0;
	}
	return r < 0 ? r : 1;
}

static int
xattrs_equal(struct view *a, const struct view_attr *attr_a, struct view *b,
	const struct view_attr *attr_b, struct err *e)
{
	int r = 1;

	if (attr_a->has_xattrs)
		r = xattrs_within(a, attr_a->node, b, attr_b->node, e);
	if (r == 1 && attr_b->has_xattrs)
		r = xattrs_within(b, attr_b->node, a, attr_a->node, e);
	return r;
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
