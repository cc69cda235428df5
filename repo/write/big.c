/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A big file becomes jobs of one to two megabytes of whole chunks.  It is read
 * once, in order, into the job's own buffer; what is not a whole chunk at its
 * end is carried into the next.  Holes are found by SEEK_DATA and never read.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "repo/base/auto.h"
#include "repo/base/clock.h"
#include "repo/store/direct.h"
#include "repo/write/run.h"

/* Files from this size on are read past the page cache, whose content others
 * need more (repo/store/direct.h), so many bytes at a time at least. */
#define DIRECT_FILE_MIN (4u << 20)
#define DIRECT_READ_MIN (64u << 10)

struct stream {
	struct run *run;
	struct cutter cutter;
	uint32_t every; /* length of a database's chunks; 0: it is none */
	bool seekable; /* lseek finds holes */
	int fd;
	bool direct;	 /* it may be read past the page cache */
	struct job *job; /* chunks that go together; data is read into it */
	void *memory;	 /* of its buffer: */
	uint8_t *data;	 /* cap bytes, which lie in pages as in the file */
	size_t len, cap; /* read so far */
	size_t off;	 /* of these, cut */
	uint64_t read;	 /* bytes of the file read */
	uint64_t size;	 /* at the beginning */
	struct view *view; /* not NULL: of it, not of fd */
	uint64_t node;
	uint64_t at;	 /* where in the file data + off is */
	uint32_t page_size; /* of a database */
	bool aside, apart; /* as in struct job */
};

/* A buffer for what is at `at` in the file, in memory (given). */
static uint8_t *
new_buffer(size_t cap, uint64_t at, void **memory)
{
	*memory = xmalloc(cap + STORE_ALIGN);
	return store_align(*memory, at);
}

/* Of zstd, for chunks of a database: level 2 makes short ones no smaller, and they
 * take a fifth longer to be read (DESIGN, "Sizes"). */
static int
database_level(uint32_t every)
{
	return every <= CUT_DATABASE_LEN ? 1 : 2;
}

/* Send the chunks cut so far; what is left begins the next buffer. */
static int
send(struct stream *s, struct err *e)
{
	if (!s->job)
		return 0;
	if (s->off) {
		size_t rest = s->len - s->off;
		void *memory;
		uint8_t *next = new_buffer(s->cap, s->read - rest, &memory);

		memcpy(next, s->data + s->off, rest);
		s->job->data = s->data;
		s->job->memory = s->memory;
		s->job->bytes = s->off;
		s->data = next;
		s->memory = memory;
		s->len = rest;
		s->off = 0;
	}
	if (s->every) {
		s->job->level = database_level(s->every);
		s->job->page_size = s->page_size;
	}
	s->job->aside = s->aside;
	s->job->apart = s->apart;
	return job_send(s->run, &s->job, e);
}

static void
add_chunk(struct stream *s, size_t n)
{
	struct item *it = job_item(&s->job, ITEM_CHUNK);
	const uint8_t *data = s->data + s->off;

	it->en.size = n;
	it->off = s->at;
	if (s->at == 0 && s->every && cut_is_database(data, n))
		s->page_size = cut_page_size(data);
	s->off += n;
	s->at += n;
}

/* Cut what can be cut of what was read; make room for more. */
static int
cut(struct stream *s, bool final, struct err *e)
{
	size_t n;

	while ((n = cutter_next(&s->cutter, s->data + s->off, s->len - s->off,
			final)))
		add_chunk(s, n);
	if (s->off >= CHUNK_JOB_LEN || s->len == s->cap)
		return send(s, e);
	return 0;
}

static int
hole(struct stream *s, uint64_t len, struct err *e)
{
	int r = cut(s, true, e);

	if (r)
		return r;
	cutter_begin(&s->cutter, s->every);
	job_item(&s->job, ITEM_HOLE)->en.size = len;
	s->read += len;
	s->at += len;
	return s->job->n_items >= JOB_ITEMS / 2 ? send(s, e) : 0;
}

static bool
next_in_view(const struct stream *s, uint64_t *begin, uint64_t *end)
{
	int r = view_seek(s->view, s->node, s->read, SEEK_DATA, begin, NULL);

	if (r == -ENXIO)
		return s->read == s->size;
	/* what fails here fails when it is read */
	if (r)
		*begin = s->read;
	else if (view_seek(s->view, s->node, *begin, SEEK_HOLE, end, NULL))
		*end = UINT64_MAX;
	return true;
}

/* Where data goes on from here, and where it ends; false: no data follows. */
static bool
next_data(struct stream *s, uint64_t *begin, uint64_t *end)
{
	off_t b, h;

	*begin = s->read;
	*end = UINT64_MAX;
	if (s->view)
		return next_in_view(s, begin, end);
	if (!s->seekable)
		return true;
	b = lseek(s->fd, (off_t)s->read, SEEK_DATA);
	if (b < 0)
		return errno != ENXIO;
	h = lseek(s->fd, b, SEEK_HOLE);
	*begin = (uint64_t)b;
	if (h > b)
		*end = (uint64_t)h;
	return true;
}

/* What is cached and taken from there must not make the kernel read ahead what
 * is not. */
static void
may_be_direct(struct stream *s, bool direct)
{
	s->direct = direct;
	posix_fadvise(s->fd, 0, 0,
		direct ? POSIX_FADV_RANDOM : POSIX_FADV_SEQUENTIAL);
}

/* To the end of a page, unless it is the file's; 0 when it has to be read
 * through the page cache. */
static ssize_t
read_past_cache(struct stream *s, void *to, size_t len)
{
	size_t over = (size_t)((s->read + len) % DIRECT_ALIGN);
	ssize_t n;

	if (len < DIRECT_READ_MIN || !direct_fits(s->read, len, to) ||
		direct_is_cached(s->fd, s->read, len))
		return 0;
	n = direct_set(s->fd, true)
		    ? direct_pread(s->fd, s->read, len - over, to)
		    : -EINVAL;
	if (!direct_set(s->fd, false) || n < 0)
		may_be_direct(s, false);
	return n > 0 ? n : 0;
}

/* At most len bytes of the stream; -errno. */
static ssize_t
read_some(struct stream *s, void *to, size_t len, struct err *e)
{
	const struct backup_database *db = s->run->o->database;
	ssize_t n;

	if (db)
		return db->read(db->ctx, to, len, e);
	if (s->view)
		return run_read_view(s->view, s->node, s->read, len, to, e);
	n = s->direct ? read_past_cache(s, to, len) : 0;
	if (n > 0)
		return n;
	n = s->seekable ? pread(s->fd, to, len, (off_t)s->read)
			: read(s->fd, to, len);
	return n < 0 ? -errno : n;
}

/* Read on to `end`; sets *eof.  -errno of reading is positive in *bad. */
static int
read_run(struct stream *s, uint64_t end, bool *eof, int *bad, struct err *e)
{
	int r = 0;

	while (!r && s->read < end && !*eof) {
		size_t want = s->cap - s->len;
		ssize_t n;

		if (want > end - s->read)
			want = end - s->read;
		n = read_some(s, s->data + s->len, want, e);
		if (n == -EINTR)
			continue;
		if (n < 0)
			*bad = (int)-n;
		*eof = n <= 0;
		if (n > 0) {
			s->len += (size_t)n;
			s->read += (uint64_t)n;
		}
		if (run_failed(s->run) || (s->run->o->interrupted &&
						  *s->run->o->interrupted))
			return err_set(e, ECANCELED, "interrupted");
		r = cut(s, false, e);
	}
	return r;
}

static int
read_file(struct stream *s, int *bad, struct err *e)
{
	uint64_t begin, end;
	bool eof = false;
	int r = 0;

	while (!r && !eof) {
		if (!next_data(s, &begin, &end)) {
			if (s->size > s->read)
				r = hole(s, s->size - s->read, e);
			break;
		}
		if (begin > s->read)
			r = hole(s, begin - s->read, e);
		if (!r)
			r = read_run(s, end, &eof, bad, e);
	}
	if (!r)
		r = cut(s, true, e);
	return r ? r : send(s, e);
}

/* What kind of file begins with n bytes of head. */
static void
look_at(struct stream *s, const uint8_t *head, ssize_t n)
{
	bool database = n > 0 && cut_is_database(head, (size_t)n);

	s->every = database ? cut_database_len(head) : 0;
}

static void
begin_stream(struct stream *s, struct run *run, int fd, bool seekable)
{
	static const struct cut_params params = CUT_PARAMS_DEFAULT;
	uint8_t head[100];

	memset(s, 0, sizeof(*s));
	s->run = run;
	s->fd = fd;
	s->seekable = seekable;
	s->cap = CHUNK_JOB_LEN + params.max;
	s->data = new_buffer(s->cap, 0, &s->memory);
	cutter_init(&s->cutter, &run->w->gear, &params);
	if (seekable) {
		ssize_t n = pread(fd, head, sizeof(head), 0);

		look_at(s, head, n);
	}
	cutter_begin(&s->cutter, s->every);
}

static void
end_stream(struct stream *s)
{
	job_free(s->run, s->job);
	free(s->memory);
}

static void
report(struct run *run, const struct big_file *f, int code, const char *what)
{
	auto_buf struct buf path = BUF_INIT;
	struct err e = ERR_INIT;

	scan_dir_path(f->dir, f->name, &path);
	err_sys(&e, code, "%s: %s", (char *)path.data, what);
	run_report(run, (char *)path.data, code, e.text);
}

/* Attributes are those at the beginning, so that a file that changed while it
 * was read is read again the next time. */
static void
end_item(struct run *run, const struct big_file *f, const struct attributes *a,
	int bad)
{
	struct item *it = job_item(f->job, ITEM_END);
	auto_buf struct buf x = BUF_INIT;
	struct attributes after;
	struct err e = ERR_INIT;
	int r = attributes_xattrs(f->fd, "", &x, &e);

	it->en = f->begun;
	it->en.mode = a->mode;
	it->en.uid = a->uid;
	it->en.gid = a->gid;
	it->en.mtime_s = a->mtime_s;
	it->en.mtime_ns = a->mtime_ns;
	it->en.ctime_s = a->ctime_s;
	it->en.ctime_ns = a->ctime_ns;
	it->en.blocks = a->blocks;
	it->en.nlink = a->nlink;
	it->en.ino = a->ino;
	if (bad) {
		report(run, f, bad, "cannot be read");
		it->dropped = true;
		return;
	}
	if (r)
		report(run, f, -r, "extended attributes");
	if (!r && x.len) {
		it->xattrs_at = job_keep(*f->job, x.data, x.len);
		it->en.xattrs_len = (uint32_t)x.len;
	}
	if (attributes_read(f->fd, "", &after, &e) || after.size != a->size ||
		after.mtime_s != a->mtime_s || after.mtime_ns != a->mtime_ns)
		report(run, f, EBUSY, "changed while it was read");
}

int
run_walk_big(struct run *run, const struct big_file *f, struct err *e)
{
	struct attributes a;
	struct stream s;
	int bad = 0;
	int r = job_send(run, f->job, e);

	if (r)
		return r;
	r = attributes_read(f->fd, "", &a, e);
	if (r || !S_ISREG(a.mode)) {
		report(run, f, r ? -r : ESTALE, "cannot be read");
		job_item(f->job, ITEM_END)->dropped = true;
		return 0;
	}
	begin_stream(&s, run, f->fd, true);
	s.size = a.size;
	s.aside = f->aside;
	s.apart = f->apart;
	may_be_direct(&s, s.size >= DIRECT_FILE_MIN);
	r = read_file(&s, &bad, e);
	end_stream(&s);
	if (!r)
		end_item(run, f, &a, bad);
	return r;
}

int
run_walk_big_view(struct run *run, struct view *v, uint64_t node, uint64_t size,
	int *bad, struct err *e)
{
	struct stream s;
	uint8_t head[100];
	ssize_t n;
	int r = run_flush(run, e);

	if (r)
		return r;
	begin_stream(&s, run, -1, false);
	s.view = v;
	s.node = node;
	s.size = size;
	n = run_read_view(v, node, 0, sizeof(head), head, e);
	look_at(&s, head, n);
	cutter_begin(&s.cutter, s.every);
	r = read_file(&s, bad, e);
	end_stream(&s);
	return r;
}

/* -- One file from a pipe ------------------------------------------------------- */

static void
stdin_item(struct run *run, enum item_op op, uint32_t mode, const char *name)
{
	struct item *it = run_item(run, op);

	it->en.mode = mode;
	it->en.uid = geteuid();
	it->en.gid = getegid();
	it->en.mtime_s = it->en.ctime_s = time(NULL);
	it->en.nlink = S_ISDIR(mode) ? 2 : 1;
	if (!name)
		return;
	it->en.name_len = (uint32_t)strlen(name);
	it->name_at = job_keep(run->job, name, it->en.name_len + 1);
}

int
run_walk_stdin(struct run *run, struct err *e)
{
	const struct backup_options *o = run->o;
	struct stream s;
	int bad = 0;
	int r;

	stdin_item(run, ITEM_ENTER, S_IFDIR | 0700, NULL);
	stdin_item(run, ITEM_BEGIN, S_IFREG | 0600, o->stdin_name);
	r = run_flush(run, e);
	if (r)
		return r;
	begin_stream(&s, run, o->stdin_fd, false);
	r = read_file(&s, &bad, e);
	run->result->files = run->result->files_new = 1;
	run->result->bytes = s.read;
	end_stream(&s);
	if (!r && bad)
		r = err_sys(e, bad, "standard input");
	if (!r && o->stdin_finished && o->stdin_finished(o->ctx))
		r = err_set(e, ECANCELED,
			"the command that wrote %s failed: no snapshot made",
			o->stdin_name);
	if (r)
		return r;
	stdin_item(run, ITEM_END, S_IFREG | 0600, NULL);
	run_item(run, ITEM_LEAVE);
	return run_flush(run, e);
}

/* -- A database -------------------------------------------------------------------- */

/* What view says of a database: the directory as readable as the file, both of
 * the moment they stand for. */
static struct item *
database_item(struct run *run, enum item_op op, bool dir)
{
	const struct backup_options *o = run->o;
	const struct backup_database *db = o->database;
	struct item *it = run_item(run, op);
	uint32_t mode = db->mode & 0777;

	it->en.mode = dir ? S_IFDIR | mode | (mode & 0444) >> 2
			  : S_IFREG | mode;
	it->en.uid = db->uid;
	it->en.gid = db->gid;
	it->en.mtime_s = it->en.ctime_s = o->time_ns / NS_PER_S;
	it->en.mtime_ns = (uint32_t)(o->time_ns % NS_PER_S);
	if (o->time_ns % NS_PER_S < 0) {
		it->en.mtime_s = --it->en.ctime_s;
		it->en.mtime_ns = (uint32_t)(o->time_ns % NS_PER_S + NS_PER_S);
	}
	it->en.ctime_ns = it->en.mtime_ns;
	it->en.nlink = dir ? 2 : 1;
	return it;
}

int
run_walk_database(struct run *run, struct err *e)
{
	const struct backup_database *db = run->o->database;
	struct item *it;
	struct stream s;
	int bad = 0;
	int r;

	database_item(run, ITEM_ENTER, true);
	it = database_item(run, ITEM_BEGIN, false);
	it->en.name_len = (uint32_t)strlen(db->file);
	it->name_at = job_keep(run->job, db->file, it->en.name_len + 1);
	r = run_flush(run, e);
	if (r)
		return r;
	begin_stream(&s, run, -1, false);
	s.every = CUT_BASE_LEN;
	cutter_begin(&s.cutter, s.every);
	r = read_file(&s, &bad, e);
	run->result->files = run->result->files_new = 1;
	run->result->bytes = s.read;
	end_stream(&s);
	if (!r && bad)
		r = -bad; /* the sentence is there */
	if (r)
		return r;
	database_item(run, ITEM_END, false);
	run_item(run, ITEM_LEAVE);
	return run_flush(run, e);
}
