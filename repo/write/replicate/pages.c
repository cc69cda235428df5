/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include "repo/base/auto.h"
#include "repo/write/replicate/pages.h"

struct in_log {
	uint32_t pgno;
	uint32_t frame;
};

struct pages {
	int db_fd;
	int log_fd; /* a descriptor of its own */
	uint32_t page_size;
	uint32_t salt[2];
	struct in_log *map; /* by number of the page */
	size_t n, cap;
};

static int
note(void *ctx, uint32_t frame, uint32_t pgno, const uint8_t *page,
	struct err *e)
{
	struct pages *p = ctx;

	(void)page;
	(void)e;
	if (p->n == p->cap) {
		p->cap = p->cap * 2 + 256;
		p->map = xrealloc(p->map, p->cap * sizeof(*p->map));
	}
	p->map[p->n++] = (struct in_log){ pgno, frame };
	return 0;
}

/* The newest frame of each page first. */
static int
compare(const void *a, const void *b)
{
	const struct in_log *x = a, *y = b;

	if (x->pgno != y->pgno)
		return x->pgno < y->pgno ? -1 : 1;
	return (x->frame < y->frame) - (x->frame > y->frame);
}

static void
keep_newest(struct pages *p)
{
	size_t n = 0;

	if (p->n)
		qsort(p->map, p->n, sizeof(*p->map), compare);
	for (size_t i = 0; i < p->n; i++)
		if (!n || p->map[n - 1].pgno != p->map[i].pgno)
			p->map[n++] = p->map[i];
	p->n = n;
}

int
pages_new(int db_fd, struct wal_log *l, const struct wal_index *ix,
	struct pages **out, struct err *e)
{
	struct position from = { .page_size = ix->page_size }, to;
	struct pages *p = xcalloc(1, sizeof(*p));
	int r;

	p->db_fd = db_fd;
	p->log_fd = dup(l->fd);
	p->page_size = ix->page_size;
	memcpy(p->salt, ix->salt, sizeof(p->salt));
	r = p->log_fd < 0 ? err_sys(e, errno, "%s", l->path) : 0;
	if (!r && ix->copied < ix->frames)
		r = wal_log_scan(l, &from, ix, note, p, &to, e);
	if (r) {
		pages_free(p);
		return r;
	}
	keep_newest(p);
	*out = p;
	return 0;
}

void
pages_free(struct pages *p)
{
	if (!p)
		return;
	if (p->log_fd >= 0)
		close(p->log_fd);
	free(p->map);
	free(p);
}

/* What lies behind the end of the file is zeros: it is in the log, or was never
 * written. */
static int
read_file(
	struct pages *p, uint64_t off, uint8_t *buf, size_t len, struct err *e)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = pread(
			p->db_fd, buf + done, len - done, (off_t)(off + done));

		if (n < 0 && errno != EINTR)
			return err_sys(e, errno, "cannot read the database");
		if (n == 0)
			break;
		if (n > 0)
			done += (size_t)n;
	}
	memset(buf + done, 0, len - done);
	return 0;
}

static int
read_frame(
	struct pages *p, const struct in_log *l, uint8_t *page, struct err *e)
{
	uint8_t head[WAL_FRAME_HEADER_LEN];
	uint64_t off = position_off(p->page_size, l->frame - 1);
	struct wal_frame f;

	if (pread(p->log_fd, head, sizeof(head), (off_t)off) != sizeof(head) ||
		pread(p->log_fd, page, p->page_size,
			(off_t)(off + sizeof(head))) != (ssize_t)p->page_size)
		return err_set(e, ESTALE, "the write-ahead log has shrunk");
	wal_frame_peek(head, &f);
	if (f.pgno != l->pgno || memcmp(f.salt, p->salt, sizeof(f.salt)))
		return err_set(e, ESTALE,
			"the write-ahead log was begun anew under a reader");
	return 0;
}

/* Index of the first page in the log that is not before pgno. */
static size_t
find(const struct pages *p, uint32_t pgno)
{
	size_t lo = 0, hi = p->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (p->map[mid].pgno < pgno)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

int
pages_read(void *ctx, uint32_t first, uint32_t n, void *buf, struct err *e)
{
	struct pages *p = ctx;
	size_t size = p->page_size;
	int r = read_file(p, (uint64_t)(first - 1) * size, buf, n * size, e);

	for (size_t i = find(p, first);
		!r && i < p->n && p->map[i].pgno - first < n; i++)
		r = read_frame(p, &p->map[i],
			(uint8_t *)buf + (p->map[i].pgno - first) * size, e);
	return r;
}
