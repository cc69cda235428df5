/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "repo/base/auto.h"
#include "repo/write/replicate/log.h"

#define BUFFER_LEN (1u << 20)

void
wal_log_init(struct wal_log *l, const char *path)
{
	l->path = xasprintf("%s-wal", path);
	l->fd = -1;
}

void
wal_log_release(struct wal_log *l)
{
	if (l->fd >= 0)
		close(l->fd);
	free(l->path);
	*l = (struct wal_log){ .fd = -1 };
}

int
wal_log_open(struct wal_log *l, struct err *e)
{
	struct stat now, ours;

	if (l->fd >= 0 && !stat(l->path, &now) && !fstat(l->fd, &ours) &&
		now.st_dev == ours.st_dev && now.st_ino == ours.st_ino)
		return 0;
	if (l->fd >= 0)
		close(l->fd);
	l->fd = open(l->path, O_RDONLY | O_CLOEXEC);
	return l->fd < 0 ? err_sys(e, errno, "%s", l->path) : 0;
}

static int
stale(const struct wal_log *l, const char *why, struct err *e)
{
	return err_set(e, ESTALE, "%s: %s", l->path, why);
}

/* Exactly len bytes, or -ESTALE. */
static int
read_at(struct wal_log *l, uint64_t off, void *buf, size_t len, struct err *e)
{
	ssize_t n = pread(l->fd, buf, len, (off_t)off);

	if (n < 0)
		return err_sys(e, errno, "%s", l->path);
	return (size_t)n == len ? 0
				: stale(l,
					  "it is shorter than its index "
					  "says",
					  e);
}

/* Frames [from, to) of a log whose sum before them is known. */
struct stretch {
	struct wal_scan scan;
	uint32_t at, to;       /* frames done, frames there are */
	uint32_t commit_pages; /* of the last frame */
};

static int
begin(struct wal_log *l, struct stretch *s, const struct position *from,
	struct err *e)
{
	uint8_t bytes[WAL_HEADER_LEN];
	struct wal_header h;
	int r;

	s->scan.header = (struct wal_header){ .page_size = from->page_size,
		.salt = { from->salt[0], from->salt[1] },
		.big_endian_sums = from->big_endian };
	memcpy(s->scan.sum, from->sum, sizeof(from->sum));
	s->scan.off = position_off(from->page_size, from->frames);
	s->at = from->frames;
	if (from->frames || !s->to)
		return 0;
	r = read_at(l, 0, bytes, sizeof(bytes), e);
	if (r)
		return r;
	if (wal_header_decode(bytes, &h, NULL) ||
		memcmp(h.salt, from->salt, sizeof(h.salt)) ||
		h.page_size != from->page_size)
		return stale(l, "it does not begin as its index says", e);
	wal_scan_init(&s->scan, &h);
	return 0;
}

static int
take_frames(struct wal_log *l, struct stretch *s, const uint8_t *bytes,
	size_t n, wal_log_frame *each, void *ctx, struct err *e)
{
	size_t len = wal_frame_len(&s->scan.header);
	struct wal_frame f;
	int r = 0;

	for (size_t i = 0; i < n && !r; i++, bytes += len) {
		if (wal_scan_frame(&s->scan, bytes, &f, e))
			return stale(l,
				"what its index counts does not "
				"verify",
				e);
		s->at++;
		s->commit_pages = f.commit_pages;
		if (each)
			r = each(ctx, s->at, f.pgno,
				bytes + WAL_FRAME_HEADER_LEN, e);
	}
	return r;
}

static int
run(struct wal_log *l, struct stretch *s, wal_log_frame *each, void *ctx,
	struct err *e)
{
	size_t len = wal_frame_len(&s->scan.header), most = BUFFER_LEN / len;
	uint32_t left = s->to - s->at;
	auto_free uint8_t *bytes =
		xmalloc(len * (left < most ? left : most) + 1);
	int r = 0;

	while (s->at < s->to && !r) {
		size_t n = s->to - s->at;

		if (n > most)
			n = most;
		r = read_at(l, s->scan.off, bytes, n * len, e);
		if (!r)
			r = take_frames(l, s, bytes, n, each, ctx, e);
	}
	return r;
}

int
wal_log_scan(struct wal_log *l, const struct position *from,
	const struct wal_index *ix, wal_log_frame *each, void *ctx,
	struct position *to, struct err *e)
{
	struct stretch s = { .to = ix->frames };
	struct position begun = *from;
	int r;

	begun.page_size = ix->page_size;
	memcpy(begun.salt, ix->salt, sizeof(ix->salt));
	if (!from->frames)
		begun.big_endian = ix->big_endian;
	if (from->frames > ix->frames)
		return stale(l, "it is shorter than it was", e);
	r = begin(l, &s, &begun, e);
	if (!r)
		r = run(l, &s, each, ctx, e);
	if (r)
		return r;
	if (s.at > from->frames &&
		(s.commit_pages != ix->pages ||
			memcmp(s.scan.sum, ix->sum, sizeof(ix->sum))))
		return stale(l, "it does not end as its index says", e);
	begun.frames = ix->frames;
	begun.big_endian = s.scan.header.big_endian_sums;
	memcpy(begun.sum, s.scan.sum, sizeof(begun.sum));
	begun.pages = ix->pages;
	*to = begun;
	return 0;
}

int
wal_log_leads_to(struct wal_log *l, const struct position *p, struct err *e)
{
	struct stretch s = { .to = p->frames };
	struct position begun = *p;
	int r;

	begun.frames = 0;
	r = begin(l, &s, &begun, e);
	if (!r)
		r = run(l, &s, NULL, NULL, e);
	if (!r && p->frames && memcmp(s.scan.sum, p->sum, sizeof(p->sum)))
		r = stale(l, "it went on from somewhere else", e);
	return r;
}
