/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/content.h"

#include <errno.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>
#include "repo/base/buf.h"

/* A view must give something before the end of a file. */
static int
read_some(struct view *v, uint64_t node, uint64_t off, uint64_t len,
	struct view_data *data, struct err *e)
{
	int r = view_read(v, node, off,
		len < CONTENT_STEP ? (size_t)len : CONTENT_STEP, data, e);

	if (r < 0)
		return r;
	if (data->len > 0 && data->len <= len)
		return 0;
	view_data_release(data);
	return err_set(e, EUCLEAN,
		"content does not have the size of its"
		" entry");
}

static void
advance(struct iovec **iov, int *n, size_t done)
{
	while (*n && done >= (*iov)->iov_len) {
		done -= (*iov)->iov_len;
		(*iov)++;
		(*n)--;
	}
	if (*n) {
		(*iov)->iov_base = (char *)(*iov)->iov_base + done;
		(*iov)->iov_len -= done;
	}
}

/* Write all pieces; off < 0: at the descriptor's position. */
static int
write_pieces(int fd, const struct view_data *data, int64_t off, struct err *e)
{
	struct iovec copy[VIEW_DATA_PIECES], *iov = copy;
	int n = data->n;

	memcpy(copy, data->iov, sizeof(copy[0]) * (size_t)n);
	while (n) {
		ssize_t w =
			off < 0 ? writev(fd, iov, n) : pwritev(fd, iov, n, off);

		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0)
			return err_sys(e, errno, "cannot write");
		if (off >= 0)
			off += w;
		advance(&iov, &n, (size_t)w);
	}
	return 0;
}

static int
copy(struct view *v, uint64_t node, uint64_t off, uint64_t len, int fd,
	bool in_place, struct err *e)
{
	while (len) {
		auto_view_data struct view_data data = VIEW_DATA_INIT;
		int r = read_some(v, node, off, len, &data, e);

		if (r == 0)
			r = write_pieces(
				fd, &data, in_place ? (int64_t)off : -1, e);
		if (r < 0)
			return r;
		off += data.len;
		len -= data.len;
	}
	return 0;
}

int
content_write(struct view *v, const struct view_attr *a, int fd, struct err *e)
{
	return copy(v, a->node, 0, a->size, fd, false, e);
}

int
content_write_range(struct view *v, uint64_t node, uint64_t off, uint64_t len,
	int fd, struct err *e)
{
	return copy(v, node, off, len, fd, true, e);
}

/* -- Comparing ---------------------------------------------------------------
 */

/* Whether the first `len` bytes that two lists of pieces hold are equal. */
static bool
pieces_equal(const struct view_data *a, const struct view_data *b, size_t len)
{
	size_t i = 0, j = 0, in_a = 0, in_b = 0;

	while (len) {
		size_t left_a = a->iov[i].iov_len - in_a;
		size_t left_b = b->iov[j].iov_len - in_b;
		size_t n = left_a < left_b ? left_a : left_b;

		n = n < len ? n : len;
		if (memcmp((char *)a->iov[i].iov_base + in_a,
			    (char *)b->iov[j].iov_base + in_b, n) != 0)
			return false;
		len -= n;
		in_a += n;
		in_b += n;
		if (in_a == a->iov[i].iov_len) {
			i++;
			in_a = 0;
		}
		if (in_b == b->iov[j].iov_len) {
			j++;
			in_b = 0;
		}
	}
	return true;
}

int
content_equal(struct view *a, const struct view_attr *attr_a, struct view *b,
	const struct view_attr *attr_b, struct err *e)
{
	uint64_t off = 0, size = attr_a->size;

	if (size != attr_b->size)
		return 0;
	while (off < size) {
		auto_view_data struct view_data da = VIEW_DATA_INIT;
		auto_view_data struct view_data db = VIEW_DATA_INIT;
		size_t n;
		int r = read_some(a, attr_a->node, off, size - off, &da, e);

		if (r == 0)
			r = read_some(b, attr_b->node, off, size - off, &db, e);
		if (r < 0)
			return r;
		n = da.len < db.len ? da.len : db.len;
		if (!pieces_equal(&da, &db, n))
			return 0;
		off += n;
	}
	return 1;
}

/* Read exactly the same bytes of the file; 0 when it ends before. */
static int
read_file(int fd, uint8_t *out, size_t len, uint64_t off, struct err *e)
{
	while (len) {
		ssize_t n = pread(fd, out, len, (off_t)off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, errno, "cannot read back");
		if (n == 0)
			return 0;
		out += n;
		off += (uint64_t)n;
		len -= (size_t)n;
	}
	return 1;
}

int
content_equal_fd(
	struct view *v, const struct view_attr *a, int fd, struct err *e)
{
	uint64_t off = 0;

	while (off < a->size) {
		auto_view_data struct view_data data = VIEW_DATA_INIT;
		auto_free uint8_t *bytes = NULL;
		struct view_data mine = { .n = 1 };
		int r = read_some(v, a->node, off, a->size - off, &data, e);

		if (r < 0)
			return r;
		bytes = xmalloc(data.len);
		r = read_file(fd, bytes, data.len, off, e);
		if (r <= 0)
			return r;
		mine.iov[0] = (struct iovec){ bytes, data.len };
		if (!pieces_equal(&data, &mine, data.len))
			return 0;
		off += data.len;
	}
	return 1;
}
