/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What worker threads do with a job: read its small files, name their content,
 * leave out what is known, and compress the rest, one solid frame a job; of a
 * big file every chunk is a frame of its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "repo/base/auto.h"
#include "repo/crypto/id.h"
#include "repo/write/run.h"

/* A file that was small when it was scanned may have grown to this. */
#define GROWN_MAX (1u << 20)

static void
report_file(struct run *run, const struct item *it, const struct job *j,
	int code, const char *what)
{
	auto_buf struct buf path = BUF_INIT;
	char text[ERR_TEXT_MAX];
	struct err e = ERR_INIT;

	scan_dir_path(it->dir, (const char *)j->arena.data + it->name_at, &path);
	err_sys(&e, code, "%s: %s", (char *)path.data, what);
	memcpy(text, e.text, sizeof(text));
	run_report(run, (char *)path.data, code, text);
}

static int
open_file(struct run *run, struct job *j, struct item *it, struct err *e)
{
	const char *name = (const char *)j->arena.data + it->name_at;
	int dirfd, fd;
	int r = scan_dir_open(run->scan, it->dir, &dirfd, e);

	if (r)
		return r;
	fd = openat(dirfd, name,
		O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NOATIME | O_NONBLOCK);
	if (fd < 0 && errno == EPERM)
		fd = openat(dirfd, name,
			O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	r = fd < 0 ? -errno : fd;
	scan_dir_close(run->scan, it->dir);
	return r;
}

static void
take_attributes(struct entry *en, const struct attributes *a)
{
	en->mode = a->mode;
	en->uid = a->uid;
	en->gid = a->gid;
	en->blocks = a->blocks;
	en->mtime_s = a->mtime_s;
	en->mtime_ns = a->mtime_ns;
	en->ctime_s = a->ctime_s;
	en->ctime_ns = a->ctime_ns;
	en->ino = a->ino;
	en->nlink = a->nlink;
}

static bool
same_content_marks(const struct entry *en, const struct attributes *a)
{
	return en->ctime_s == a->ctime_s && en->ctime_ns == a->ctime_ns &&
	       en->mtime_s == a->mtime_s && en->mtime_ns == a->mtime_ns &&
	       en->ino == a->ino;
}

/* Read the file's first max bytes; the number read or -errno.  A read that
 * ends just where the file should is not asked for more. */
static ssize_t
read_all(int fd, uint8_t *to, size_t max, size_t expected)
{
	size_t n = 0;

	while (n < max) {
		ssize_t k = pread(fd, to + n, max - n, (off_t)n);

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return -errno;
		n += (size_t)k;
		if (k == 0 || n == expected)
			break;
	}
	return (ssize_t)n;
}

/* As read_all, with the attributes it has afterwards; *same: they are those
 * the entry has, so that what was read is one state of the file. */
static ssize_t
read_once(int fd, const struct entry *en, struct buf *to, struct attributes *a,
	bool *same)
{
	struct err e = ERR_INIT;
	ssize_t n = read_all(fd, buf_reserve(to, en->size + 1), en->size + 1,
		en->size);
	int r = n < 0 ? (int)n : attributes_read(fd, "", a, &e);

	if (r < 0)
		return r;
	*same = same_content_marks(en, a) && (uint64_t)n == a->size;
	return n;
}

/* The content of a small file that is open; attributes as they are by then.
 * The number of bytes or -errno. */
static ssize_t
read_open_file(struct run *run, struct job *j, struct item *it, int fd,
	struct buf *to)
{
	struct attributes a;
	bool same;
	ssize_t n = read_once(fd, &it->en, to, &a, &same);

	if (n < 0 || same)
		return n;
	if (!S_ISREG(a.mode))
		return -ESTALE;
	if (a.size > GROWN_MAX)
		return -EFBIG;
	take_attributes(&it->en, &a);
	it->en.size = a.size;
	n = read_once(fd, &it->en, to, &a, &same);
	if (n >= 0 && !same)
		report_file(run, it, j, EBUSY, "changed while it was read");
	return n;
}

static void
add_chunk(struct solid *s, const uint8_t id[CHUNK_ID_LEN], const void *data,
	uint32_t len)
{
	struct pack_chunk *c;

	if (s->n == s->cap) {
		s->cap = s->cap ? s->cap * 2 : 64;
		s->chunks = xrealloc(s->chunks, s->cap * sizeof(*s->chunks));
	}
	c = &s->chunks[s->n++];
	memcpy(c->id, id, CHUNK_ID_LEN);
	c->off = (uint32_t)s->plain.len;
	c->len = len;
	buf_append(&s->plain, data, len);
}

void
job_take_content(struct run *run, struct job *j, struct item *it,
	struct solid *s, const uint8_t *data, size_t n)
{
	struct entry *en = &it->en;

	en->size = n;
	if (n == 0) {
		en->content = CONTENT_NONE;
		return;
	}
	if (n <= INLINE_LEN_MAX) {
		en->content = CONTENT_INLINE;
		it->data_at = job_keep(j, data, n);
		return;
	}
	en->content = CONTENT_CHUNK;
	chunk_id(run->w->rp->keys, CHUNK_DATA, data, n, en->ref.id);
	en->ref.chunk_len = (uint32_t)n;
	if (known_claim(run->known, en->ref.id, j->number) == KNOWN_MINE) {
		add_chunk(s, en->ref.id, data, (uint32_t)n);
		run->new_bytes += n;
	}
}

static void
take_xattrs(struct run *run, struct job *j, struct item *it, int fd)
{
	auto_buf struct buf x = BUF_INIT;
	struct err e = ERR_INIT;
	int r = attributes_xattrs(fd, "", &x, &e);

	if (r) {
		report_file(run, it, j, -r, "extended attributes");
	} else if (x.len) {
		it->xattrs_at = job_keep(j, x.data, x.len);
		it->en.xattrs_len = (uint32_t)x.len;
	}
}

static void
work_file(struct run *run, struct job *j, struct item *it, struct solid *s,
	struct buf *content)
{
	struct err e = ERR_INIT;
	auto_close int fd = open_file(run, j, it, &e);
	ssize_t n;

	if (fd < 0) {
		report_file(run, it, j, -fd, "cannot be read");
		it->dropped = true;
		return;
	}
	n = read_open_file(run, j, it, fd, content);
	if (n >= 0 && s->plain.len + (size_t)n > SOLID_MAX)
		n = -EFBIG;
	if (n < 0) {
		report_file(run, it, j, (int)-n, "cannot be read");
		it->dropped = true;
		return;
	}
	take_xattrs(run, j, it, fd);
	job_take_content(run, j, it, s, content->data, (size_t)n);
}

/* An unchanged file that is stored again: where that does not go well, it stays
 * where it is. */
static void
work_again(struct run *run, struct job *j, struct item *it, struct solid *s,
	struct buf *content)
{
	struct entry *en = &it->en;
	struct attributes a;
	struct err e = ERR_INIT;
	uint8_t id[CHUNK_ID_LEN];
	auto_close int fd = open_file(run, j, it, &e);
	bool same;
	ssize_t n;

	n = fd < 0 ? fd : read_once(fd, en, content, &a, &same);
	if (n <= 0 || !same || s->plain.len + (size_t)n > SOLID_MAX)
		return;
	chunk_id(run->w->rp->keys, CHUNK_DATA, content->data, (size_t)n, id);
	if (memcmp(id, en->ref.id, CHUNK_ID_LEN))
		return;
	if (known_claim_again(run->known, id, j->number) == KNOWN_MINE)
		add_chunk(s, id, content->data, (uint32_t)n);
	en->ref.place.len = 0;
}

int
job_pack_solid(struct job *j, struct solid *s, struct packer *packer,
	struct err *e)
{
	enum frame_codec codec;
	struct packed *p;
	int r;

	if (s->n == 0)
		return 0;
	j->frames = xcalloc(1, sizeof(*j->frames));
	j->n_frames = 1;
	p = j->frames;
	p->type = FRAME_DATA;
	p->n_chunks = s->n;
	p->chunks = steal(s->chunks);
	if (s->n > 1) {
		uint32_t *lens = xcalloc(s->n, sizeof(*lens));

		for (uint32_t i = 0; i < s->n; i++)
			lens[i] = p->chunks[i].len;
		solid_table_encode(&s->plain, lens, s->n);
		p->flags = FRAME_SOLID;
		free(lens);
	}
	p->plain_len = (uint32_t)s->plain.len;
	r = packer_pack(packer, j->level, s->plain.data, s->plain.len,
		&p->bytes, &codec, e);
	p->codec = (uint8_t)codec;
	return r;
}

int
job_pack_chunk(struct run *run, struct job *j, struct item *it,
	const uint8_t *data, struct packer *packer, struct err *e)
{
	enum frame_codec codec;
	uint32_t len = (uint32_t)it->en.size;
	struct packed *p;
	int r;

	interior_pick(&j->picked, j->page_size, it->off, data, len);
	chunk_id(run->w->rp->keys, CHUNK_DATA, data, len, it->en.ref.id);
	it->en.ref.chunk_len = len;
	if (known_claim(run->known, it->en.ref.id, j->number) != KNOWN_MINE)
		return 0;
	run->new_bytes += len;
	p = &j->frames[j->n_frames++];
	p->type = FRAME_DATA;
	p->plain_len = len;
	p->chunks = xcalloc(1, sizeof(*p->chunks));
	p->n_chunks = 1;
	memcpy(p->chunks->id, it->en.ref.id, CHUNK_ID_LEN);
	p->chunks->len = len;
	r = packer_pack(packer, j->level, data, len, &p->bytes, &codec, e);
	p->codec = (uint8_t)codec;
	return r;
}

static int
work_chunks(struct run *run, struct job *j, struct packer *packer,
	struct err *e)
{
	const uint8_t *data = j->data;
	int r = 0;

	j->frames = xcalloc(j->n_items, sizeof(*j->frames));
	for (size_t i = 0; i < j->n_items && !r; i++) {
		if (j->items[i].op != ITEM_CHUNK)
			continue;
		r = job_pack_chunk(run, j, &j->items[i], data, packer, e);
		data += j->items[i].en.size;
	}
	j->data = NULL;
	free(steal(j->memory));
	return r;
}

void
job_work(struct run *run, struct job *j, struct packer *packer)
{
	struct solid s = { .plain = BUF_INIT };
	auto_buf struct buf content = BUF_INIT;
	struct err e = ERR_INIT;
	int r;

	if (j->data) {
		r = work_chunks(run, j, packer, &e);
	} else if (run->o->copy) {
		r = job_work_view(run, j, &s, packer, &e);
	} else {
		for (size_t i = 0; i < j->n_items; i++) {
			struct item *it = &j->items[i];

			if (it->op == ITEM_FILE)
				work_file(run, j, it, &s, &content);
			else if (it->op == ITEM_AGAIN)
				work_again(run, j, it, &s, &content);
		}
		r = job_pack_solid(j, &s, packer, &e);
	}
	buf_release(&s.plain);
	free(s.chunks);
	if (r)
		run_fail(run, &e);
}
