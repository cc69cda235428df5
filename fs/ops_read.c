/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * File content.  A READ is answered with the view's own memory as it lies, so
 * that the bytes are copied once, into the page cache.  The answer to the
 * kernel must not be shorter than asked for except at the end of the file,
 * where it would take a short one for.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include "repo/base/buf.h"
#include "fs/ops.h"
#include "fs/reply.h"
#include "fs/store.h"

#define READ_MAX (4u << 20)
/* Views that give less at a time than was asked for give as much as this, but at
 * the end of the file or when pieces do not suffice. */
#define PART_MIN (64u << 10)
#define PAGE 4096u
#define START (128u << 10) /* what the kernel reads first lies in here */

static void
append_data(struct buf *b, const struct view_data *d)
{
	for (int i = 0; i < d->n; i++)
		buf_append(b, d->iov[i].iov_base, d->iov[i].iov_len);
}

/* Whether the file ends after a short answer.  When that cannot be told, it
 * does not: then gathering finds out. */
static bool
is_all(struct call *c, const struct view_data *d, uint64_t off)
{
	auto_view_data struct view_data more = VIEW_DATA_INIT;

	if (d->n == VIEW_DATA_PIECES)
		return false;
	return d->len < PART_MIN ||
	       (view_read(c->view, c->at, off + d->len, 1, &more, NULL) == 0 &&
		       more.len == 0);
}

/* Not all in one view_read: gather the parts. */
static void
answer_gathered(struct call *c, const struct view_data *first, size_t size,
	uint64_t off)
{
	auto_buf struct buf b = BUF_INIT;

	append_data(&b, first);
	while (b.len < size) {
		auto_view_data struct view_data d = VIEW_DATA_INIT;
		int rc = view_read(
			c->view, c->at, off + b.len, size - b.len, &d, &c->e);

		if (rc != 0) {
			call_fail(c, rc);
			return;
		}
		if (d.len == 0)
			break;
		append_data(&b, &d);
	}
	c->m->metrics.read_bytes += b.len;
	fuse_reply_buf(c->req, (char *)b.data, b.len);
}

/*
 * Whoever reads the first bytes of a file is taken for one who goes on: the
 * kernel reads 20 pages, which in a database can lie in as many objects, for a
 * query that wants one.  It may be refused what nobody waits for, and what
 * somebody does it then asks for page by page.
 */
static bool
is_refused(struct call *c, size_t size, uint64_t off, int flags)
{
	return size > PAGE && size <= START && off + size <= START &&
	       !(flags & O_DIRECT) &&
	       view_is_scattered(c->view, c->at, off + size);
}

static void
read_in_tree(struct call *c, size_t size, uint64_t off, int flags)
{
	auto_view_data struct view_data d = VIEW_DATA_INIT;
	int rc = call_view(c);

	if (rc == 0 && is_refused(c, size, off, flags)) {
		fuse_reply_err(c->req, EAGAIN);
		return;
	}
	if (rc == 0)
		rc = view_read(c->view, c->at, off, size, &d, &c->e);
	if (rc != 0) {
		call_fail(c, rc);
		return;
	}
	if (d.len < size && !is_all(c, &d, off)) {
		answer_gathered(c, &d, size, off);
		return;
	}
	names_touched(&c->m->names);
	if (off == 0)
		store_neighbours(c);
	c->m->metrics.read_bytes += d.len;
	store_around_before(c, &d, off, size);
	fuse_reply_iov(c->req, d.iov, d.n);
	store_around_after(c, &d, off, size);
}

static void
read_text(struct call *c, size_t size, uint64_t off)
{
	size_t left = off < c->node->text_len ? c->node->text_len - off : 0;

	fuse_reply_buf(c->req, c->node->text + (left ? off : 0),
		size < left ? size : left);
}

void
op_read(fuse_req_t req, fuse_ino_t id, size_t size, off_t off,
	struct fuse_file_info *fi)
{
	auto_call struct call c = CALL_INIT;

	if (!call_begin(&c, req, OP_READ, id))
		return;
	if (size > READ_MAX)
		size = READ_MAX;
	if (call_is_tree(&c))
		read_in_tree(&c, size, (uint64_t)off, fi->flags);
	else if (c.node->text)
		read_text(&c, size, (uint64_t)off);
	else
		call_fail(&c, -EISDIR);
}

void
op_open(fuse_req_t req, fuse_ino_t id, struct fuse_file_info *fi)
{
	auto_call struct call c = CALL_INIT;

	if (!call_begin(&c, req, OP_OPEN, id))
		return;
	if (c.m->no_open) {
		fuse_reply_err(req, ENOSYS);
		return;
	}
	fi->keep_cache = 1;
	fi->noflush = 1;
	fuse_reply_open(req, fi);
}

void
op_lseek(fuse_req_t req, fuse_ino_t id, off_t off, int whence,
	struct fuse_file_info *fi)
{
	auto_call struct call c = CALL_INIT;
	uint64_t found = 0;
	int rc;

	(void)fi;
	if (!call_begin(&c, req, OP_LSEEK, id))
		return;
	rc = call_is_tree(&c) ? call_view(&c) : -EINVAL;
	if (rc == 0)
		rc = view_seek(
			c.view, c.at, (uint64_t)off, whence, &found, &c.e);
	if (rc != 0)
		call_fail(&c, rc);
	else
		fuse_reply_lseek(req, (off_t)found);
}
