/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/write/replicate/position.h"

void
position_encode(const struct position *p, struct buf *b)
{
	buf_be64(b, p->dev);
	buf_be64(b, p->ino);
	buf_be32(b, p->page_size);
	buf_be32(b, p->pages);
	buf_be32(b, p->salt[0]);
	buf_be32(b, p->salt[1]);
	buf_be32(b, p->frames);
	buf_be32(b, p->sum[0]);
	buf_be32(b, p->sum[1]);
	buf_be32(b, p->big_endian);
	buf_be64(b, (uint64_t)p->time_ns);
	buf_be64(b, (uint64_t)p->copied_ns);
}

static bool
is_sane(const struct position *p)
{
	return p->page_size >= WAL_PAGE_SIZE_MIN &&
	       p->page_size <= WAL_PAGE_SIZE_MAX &&
	       !(p->page_size & (p->page_size - 1));
}

void
position_decode(struct reader *r, struct position *p)
{
	*p = (struct position){ .dev = read_be64(r) };
	p->ino = read_be64(r);
	p->page_size = read_be32(r);
	p->pages = read_be32(r);
	p->salt[0] = read_be32(r);
	p->salt[1] = read_be32(r);
	p->frames = read_be32(r);
	p->sum[0] = read_be32(r);
	p->sum[1] = read_be32(r);
	p->big_endian = read_be32(r) != 0;
	p->time_ns = (int64_t)read_be64(r);
	p->copied_ns = (int64_t)read_be64(r);
	if (!is_sane(p))
		r->bad = true;
}
