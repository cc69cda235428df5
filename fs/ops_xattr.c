/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Extended attributes.
 *
 * `ls -l` asks security.selinux and system.posix_acl_access of every file, but
 * stops asking for the whole device at the first ENOTSUP.  So where nothing
 * in the mount has any attributes, any ACLs or any labels, the answer to
 * these is ENOTSUP; everywhere else a missing one is ENODATA.
 *
 * user.yore.* are answered but not listed, so that copies do not carry them
 * away.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/base/clock.h"
#include "fs/acl.h"
#include "fs/ops.h"
#include "fs/reply.h"

#define SELINUX "security.selinux"
#define OWN "user.yore."
#define VALUE_MAX 65536

static void
answer_value(struct call *c, const void *value, size_t len, size_t size)
{
	if (size == 0)
		fuse_reply_xattr(c->req, len);
	else if (len > size)
		fuse_reply_err(c->req, ERANGE);
	else
		fuse_reply_buf(c->req, value, len);
}

/* -- user.yore.* --------------------------------------------------------- */

/* Attributes of the snapshot a slot stands for; false: no such name. */
static bool
point_value(const struct call *c, const struct history_point *pt,
	const char *name, struct buf *out)
{
	const struct node_moment *m = c->node->moment;
	const struct history_source *s =
		m ? NULL : &c->picture->listing->sources[pt->source];

	if (strcmp(name, "id") == 0)
		buf_printf(out, "%s", pt->id);
	else if (strcmp(name, "time") == 0)
		buf_printf(out, "%s", pt->name);
	else if (strcmp(name, "source") == 0)
		buf_printf(out, "%s/%s", m ? m->host : s->host,
			m ? m->name : s->name);
	else if (strcmp(name, "tags") == 0)
		for (uint32_t i = 0; i < pt->n_tags; i++)
			buf_printf(out, "%s%s", i ? "," : "", pt->tags[i]);
	else
		return false;
	return true;
}

static void
print_seconds(struct buf *out, int64_t t_ns)
{
	int64_t s = t_ns / NS_PER_S, ns = t_ns % NS_PER_S;

	if (ns < 0) {
		s--;
		ns += NS_PER_S;
	}
	buf_printf(out, "%" PRId64 ".%09" PRId64, s, ns);
}

static bool
totals_value(const struct view_totals *t, const char *name, struct buf *out)
{
	if (strcmp(name, "entries") == 0)
		buf_printf(out, "%" PRIu64, t->entries);
	else if (strcmp(name, "files") == 0)
		buf_printf(out, "%" PRIu64, t->files);
	else if (strcmp(name, "bytes") == 0)
		buf_printf(out, "%" PRIu64, t->bytes);
	else if (strcmp(name, "newest") == 0)
		print_seconds(out, t->newest_ns);
	else
		return false;
	return true;
}

/* What a view says itself of one of its nodes (repo/foreign does). */
static int
view_value(struct call *c, const char *name, struct buf *out)
{
	auto_free char *full = xasprintf(OWN "%s", name);
	int rc = call_view(c);
	ssize_t n;

	if (rc != 0)
		return rc;
	n = view_xattr_get(c->view, c->at, full, buf_reserve(out, VALUE_MAX),
		VALUE_MAX, &c->e);
	if (n < 0)
		return (int)n;
	out->len += (size_t)n;
	return 0;
}

static int
own_value(struct call *c, const char *name, struct buf *out)
{
	const struct history_point *point = call_point(c);
	struct view_totals t;
	int rc;

	if (point && point_value(c, point, name, out))
		return 0;
	if (strncmp(name, "totals.", 7) != 0)
		return view_value(c, name, out);
	rc = call_view(c);
	if (rc == 0)
		rc = view_totals(c->view, c->at, &t, &c->e);
	if (rc == -ENOTDIR)
		return -ENODATA;
	if (rc == 0 && !totals_value(&t, name + 7, out))
		rc = -ENODATA;
	return rc;
}

static void
answer_own(struct call *c, const char *name, size_t size)
{
	auto_buf struct buf out = BUF_INIT;
	int rc = call_is_tree(c) ? own_value(c, name, &out) : -ENODATA;

	if (rc != 0)
		call_fail(c, rc);
	else
		answer_value(
			c, out.data ? (char *)out.data : "", out.len, size);
}

/* -- What was backed up -------------------------------------------------- */

/* A program may be told that nothing here has any such attribute. */
static bool
is_nowhere(const struct call *c, const char *name)
{
	if (acl_is_name(name))
		return !c->m->acls_enforced && !c->picture->has_acl;
	return !c->picture->has_xattrs;
}

/* A file without a label, in a tree whose root has none, while none was seen
 * elsewhere: labels are not in use. */
static bool
is_unlabelled(struct call *c, const char *name)
{
	if (strcmp(name, SELINUX) != 0 || c->m->labelled)
		return false;
	if (c->view &&
		view_xattr_get(c->view, VIEW_ROOT, SELINUX, NULL, 0, NULL) >= 0)
		c->m->labelled = true;
	return !c->m->labelled;
}

static ssize_t
stored_value(struct call *c, const char *name, void *value, size_t size)
{
	int rc;

	if (!call_is_tree(c))
		return -ENODATA;
	rc = call_view(c);
	if (rc != 0)
		return rc;
	return view_xattr_get(c->view, c->at, name, value, size, &c->e);
}

void
op_getxattr(fuse_req_t req, fuse_ino_t id, const char *name, size_t size)
{
	auto_call struct call c = CALL_INIT;
	auto_free char *value = NULL;
	ssize_t n;

	if (!call_begin(&c, req, OP_GETXATTR, id))
		return;
	names_touched(&c.m->names);
	if (strncmp(name, OWN, strlen(OWN)) == 0) {
		answer_own(&c, name + strlen(OWN), size);
		return;
	}
	if (is_nowhere(&c, name)) {
		fuse_reply_err(req, ENOTSUP);
		return;
	}
	size = size < VALUE_MAX ? size : VALUE_MAX;
	value = xmalloc(size + 1);
	n = stored_value(&c, name, value, size);
	if (n >= 0)
		answer_value(&c, value, (size_t)n, size);
	else if (n == -ENODATA && is_unlabelled(&c, name))
		fuse_reply_err(req, ENOTSUP);
	else
		call_fail(&c, (int)n);
}

void
op_listxattr(fuse_req_t req, fuse_ino_t id, size_t size)
{
	auto_call struct call c = CALL_INIT;
	auto_free char *names = NULL;
	ssize_t n = 0;

	if (!call_begin(&c, req, OP_LISTXATTR, id))
		return;
	size = size < VALUE_MAX ? size : VALUE_MAX;
	names = xmalloc(size + 1);
	if (call_is_tree(&c) && c.picture->has_xattrs) {
		n = call_view(&c);
		if (n == 0)
			n = view_xattr_list(c.view, c.at, names, size, &c.e);
	}
	if (n < 0)
		call_fail(&c, (int)n);
	else
		answer_value(&c, names, (size_t)n, size);
}
