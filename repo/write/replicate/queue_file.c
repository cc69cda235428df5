/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include "repo/base/auto.h"
#include "repo/write/replicate/queue_private.h"

#define SUMMED_OF_HEADER 16

static int
read_at(int fd, uint64_t off, void *buf, size_t len, struct err *e)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = pread(fd, (char *)buf + done, len - done,
			(off_t)(off + done));

		if (n < 0 && errno != EINTR)
			return err_sys(e, errno, "cannot read the queue");
		if (n == 0)
			return -ENODATA;
		if (n > 0)
			done += (size_t)n;
	}
	return 0;
}

/* 1 and the record at *at, 0 there is none that verifies. */
static int
next_record(int fd, const struct queue_mark *at, uint64_t end, struct buf *b,
	struct queue_record *r, struct queue_mark *behind, struct err *e)
{
	uint8_t head[QUEUE_RECORD_LEN];
	uint64_t len;
	int err;

	if (at->off + QUEUE_RECORD_LEN > end)
		return 0;
	err = read_at(fd, at->off, head, sizeof(head), e);
	if (err)
		return err == -ENODATA ? 0 : err;
	len = get_be64(head + 8);
	if (get_be32(head) != QUEUE_MAGIC || len > QUEUE_PAYLOAD_MAX ||
		len % 8 || at->off + QUEUE_RECORD_LEN + len > end)
		return 0;
	b->len = 0;
	buf_reserve(b, len + 1);
	err = read_at(fd, at->off + QUEUE_RECORD_LEN, b->data, len, e);
	if (err)
		return err == -ENODATA ? 0 : err;
	*behind = *at;
	wal_sum(false, head, SUMMED_OF_HEADER, behind->sum);
	wal_sum(false, b->data, len, behind->sum);
	if (behind->sum[0] != get_be32(head + 16) ||
		behind->sum[1] != get_be32(head + 20))
		return 0;
	behind->off = at->off + QUEUE_RECORD_LEN + len;
	*r = (struct queue_record){ .type = get_be32(head + 4),
		.off = at->off + QUEUE_RECORD_LEN,
		.payload = b->data,
		.len = len };
	return 1;
}

int
queue_file_scan(int fd, struct queue_mark *at, uint64_t end,
	int (*each)(void *ctx, const struct queue_record *r,
		const struct queue_mark *behind, struct err *e),
	void *ctx, struct err *e)
{
	auto_buf struct buf b = BUF_INIT;
	struct queue_record r;
	struct queue_mark behind;
	int more;

	while ((more = next_record(fd, at, end, &b, &r, &behind, e)) == 1) {
		int err = each(ctx, &r, &behind, e);

		if (err)
			return err;
		*at = behind;
	}
	return more;
}

static int
write_at(int fd, uint64_t off, const void *buf, size_t len, struct err *e)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = pwrite(fd, (const char *)buf + done, len - done,
			(off_t)(off + done));

		if (n < 0 && errno != EINTR)
			return err_sys(e, errno, "cannot write the queue");
		if (n > 0)
			done += (size_t)n;
	}
	return 0;
}

int
queue_file_append(int fd, struct queue_mark *at, enum queue_type type,
	const struct buf *payload, struct err *e)
{
	uint8_t head[QUEUE_RECORD_LEN] = { 0 };
	struct queue_mark m = *at;
	int r;

	put_be32(head, QUEUE_MAGIC);
	put_be32(head + 4, type);
	put_be64(head + 8, payload->len);
	wal_sum(false, head, SUMMED_OF_HEADER, m.sum);
	wal_sum(false, payload->data, payload->len, m.sum);
	put_be32(head + 16, m.sum[0]);
	put_be32(head + 20, m.sum[1]);
	m.off += QUEUE_RECORD_LEN;
	r = write_at(fd, m.off, payload->data, payload->len, e);
	if (!r)
		r = write_at(fd, at->off, head, sizeof(head), e);
	m.off += payload->len;
	if (!r)
		*at = m;
	return r;
}

int
queue_pages_decode(const struct queue_record *r, uint32_t *page_size,
	uint32_t *n, const uint8_t **pgno, size_t *pages_at, struct err *e)
{
	struct reader rd = reader_of(r->payload, r->len);

	*page_size = read_be32(&rd);
	*n = read_be32(&rd);
	*pgno = rd.p;
	*pages_at = 8 + ((size_t)*n * 4 + 7) / 8 * 8;
	if (rd.bad || *n > QUEUE_PAGES_LEN_MAX / WAL_PAGE_SIZE_MIN ||
		*page_size < WAL_PAGE_SIZE_MIN ||
		*page_size > WAL_PAGE_SIZE_MAX ||
		*pages_at + (uint64_t)*n * *page_size != r->len)
		return err_set(e, EUCLEAN, "the queue contradicts itself");
	return 0;
}
