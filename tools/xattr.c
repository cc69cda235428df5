/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/xattr.h"

#include <errno.h>
#include <string.h>

#define FIRST_TRY 512 /* most need no second */

static ssize_t
ask(struct view *v, uint64_t node, const char *name, void *out, size_t size,
	struct err *e)
{
	return name ? view_xattr_get(v, node, name, out, size, e)
		    : view_xattr_list(v, node, out, size, e);
}

/* The names, or the value of one, into room that grows as the view says. */
static int
fetch(struct view *v, uint64_t node, const char *name, struct buf *out,
	struct err *e)
{
	size_t room = FIRST_TRY;
	ssize_t n;

	for (;;) {
		out->len = 0;
		n = ask(v, node, name, buf_reserve(out, room), room, e);
		if (n >= 0 && (size_t)n <= room)
			break;
		if (n != -ERANGE && n < 0)
			return (int)n;
		n = ask(v, node, name, NULL, 0, e);
		if (n < 0)
			return (int)n;
		if ((size_t)n <= room || (size_t)n > XATTR_MAX)
			return err_set(e, EUCLEAN,
				"an extended attribute has no sane length");
		room = (size_t)n;
	}
	out->len = (size_t)n;
	return 0;
}

int
xattr_names(struct view *v, uint64_t node, struct buf *out, struct err *e)
{
	int r = fetch(v, node, NULL, out, e);

	if (r == -EOPNOTSUPP) {
		out->len = 0;
		return 0;
	}
	if (r == 0 && out->len && out->data[out->len - 1] != '\0')
		return err_set(e, EUCLEAN, "an attribute's name has no end");
	return r;
}

const char *
xattr_next(const struct buf *names, size_t *at)
{
	const char *name = (const char *)names->data + *at;

	if (*at >= names->len)
		return NULL;
	*at += strlen(name) + 1;
	return name;
}

int
xattr_value(struct view *v, uint64_t node, const char *name, struct buf *out,
	struct err *e)
{
	return fetch(v, node, name, out, e);
}
