/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pages.next: magic, u64 number of the delta, u32 pages from then on, then u32
 * number and hash of each page.  Applying it twice does no harm, so whoever was
 * killed in between begins again.
 */
#include "repo/write/page_table.h"

#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include "repo/base/bytes.h"
#include "repo/base/log.h"
#include "repo/base/zeros.h"

#define PAGES "pages"
#define NEXT "pages.next"
#define NEW "pages.new"
#define NEXT_HEAD 20
#define NEXT_ENTRY (4 + PAGE_HASH_LEN)
#define BUFFER (1u << 20)

static const uint8_t none[PAGE_HASH_LEN];
static const uint8_t next_magic[8] = "YOREPGN1";

int
page_table_init(struct page_table *t, const char *dir,
	const struct keyring *keys, struct err *e)
{
	*t = (struct page_table){ .fd = -1, .keys = keys };
	t->dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return t->dir < 0 ? err_sys(e, errno, "%s", dir) : 0;
}

static void
forget(struct page_table *t)
{
	if (t->fd >= 0)
		close(t->fd);
	t->fd = -1;
}

static void
end_next(struct page_table *t)
{
	if (t->next)
		fclose(steal(t->next));
}

void
page_table_release(struct page_table *t)
{
	end_next(t);
	forget(t);
	if (t->dir >= 0)
		close(t->dir);
	t->dir = -1;
}

static int
open_file(const struct page_table *t, const char *name, int flags)
{
	return openat(t->dir, name, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
}

static FILE *
make_file(const struct page_table *t, const char *name)
{
	int fd = open_file(t, name, O_WRONLY | O_CREAT | O_TRUNC);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "w");

	if (!f && fd >= 0)
		close(fd);
	return f;
}

static int
cannot_write(struct err *e)
{
	return err_sys(e, errno ? errno : EIO,
		"hashes of pages cannot be written");
}

/* -- Hashes -------------------------------------------------------------------- */

static void
hash_page(const struct page_table *t, uint32_t page_size, uint32_t pgno,
	const void *page, uint8_t hash[PAGE_HASH_LEN])
{
	if (pgno == database_lock_page(page_size))
		memset(hash, 0, PAGE_HASH_LEN);
	else
		page_hash(t->keys, pgno, page, page_size, hash);
}

/* As the page was when the table was opened. */
static int
hash_first(const struct page_table *t, uint32_t pgno,
	uint8_t hash[PAGE_HASH_LEN], struct err *e)
{
	uint32_t size = t->state.page_size;
	auto_free uint8_t *page = xmalloc(size);
	int r = 0;

	if (pgno != database_lock_page(size))
		r = t->read(t->ctx, pgno, page, e);
	if (!r)
		hash_page(t, size, pgno, page, hash);
	return r;
}

static int
read_hash(const struct page_table *t, uint32_t pgno,
	uint8_t hash[PAGE_HASH_LEN], struct err *e)
{
	off_t at = (off_t)(pgno - 1) * PAGE_HASH_LEN;
	ssize_t n = pread(t->fd, hash, PAGE_HASH_LEN, at);

	if (n != PAGE_HASH_LEN)
		return err_sys(e, n < 0 ? errno : EIO, "hashes of pages");
	if (t->read && memcmp(hash, none, PAGE_HASH_LEN) == 0)
		return hash_first(t, pgno, hash, e);
	return 0;
}

/* Whether the file has as many hashes, and this sum of them. */
static bool
sums_to(int fd, const struct database_state *s)
{
	auto_free uint8_t *buf = xmalloc(BUFFER);
	uint64_t left = (uint64_t)s->pages * PAGE_HASH_LEN, at = 0;
	uint8_t sum[PAGE_HASH_LEN] = { 0 };
	struct stat st;

	if (fstat(fd, &st) || (uint64_t)st.st_size != left)
		return false;
	while (left) {
		size_t want = left < BUFFER ? (size_t)left : BUFFER;

		if (pread(fd, buf, want, (off_t)at) != (ssize_t)want)
			return false;
		for (size_t i = 0; i < want; i += PAGE_HASH_LEN)
			database_hash_add(sum, buf + i);
		at += want;
		left -= want;
	}
	return memcmp(sum, s->hash, PAGE_HASH_LEN) == 0;
}

/* -- pages.next ------------------------------------------------------------------ */

/* Put what the file has into the table; number 0: whatever its number is. */
static int
apply_file(int fd, FILE *f, uint64_t number)
{
	uint8_t head[NEXT_HEAD], entry[NEXT_ENTRY];
	uint32_t pages;

	if (fread(head, sizeof(head), 1, f) != 1 ||
		memcmp(head, next_magic, sizeof(next_magic)) ||
		(number && get_be64(head + 8) != number))
		return -ENOENT;
	pages = get_be32(head + 16);
	if (ftruncate(fd, (off_t)pages * PAGE_HASH_LEN))
		return -errno;
	while (fread(entry, sizeof(entry), 1, f) == 1) {
		uint32_t pgno = get_be32(entry);
		ssize_t n;

		if (pgno == 0 || pgno > pages)
			continue;
		n = pwrite(fd, entry + 4, PAGE_HASH_LEN,
			(off_t)(pgno - 1) * PAGE_HASH_LEN);
		if (n != PAGE_HASH_LEN)
			return n < 0 ? -errno : -EIO;
	}
	return ferror(f) ? -EIO : 0;
}

static int
apply_next(const struct page_table *t, int fd, uint64_t number)
{
	int next = open_file(t, NEXT, O_RDONLY);
	auto_fclose FILE *f = next < 0 ? NULL : fdopen(next, "r");

	if (!f && next >= 0)
		close(next);
	return f ? apply_file(fd, f, number) : -ENOENT;
}

bool
page_table_open(struct page_table *t, const struct database_state *s,
	uint64_t number)
{
	auto_close int fd = open_file(t, PAGES, O_RDWR);

	forget(t);
	t->state = *s;
	if (fd >= 0 && (sums_to(fd, s) || (number &&
						  !apply_next(t, fd, number) &&
						  sums_to(fd, s)))) {
		t->fd = steal_fd(fd);
		return true;
	}
	auto_close int new = open_file(t, NEW, O_RDWR);
	if (new < 0 || !sums_to(new, s) ||
		renameat(t->dir, NEW, t->dir, PAGES))
		return false;
	t->fd = steal_fd(new);
	return true;
}

int
page_table_open_of(struct page_table *t, const struct database_state *s,
	int (*read)(void *ctx, uint32_t pgno, void *buf, struct err *e),
	void *ctx, struct err *e)
{
	forget(t);
	t->state = *s;
	t->read = read;
	t->ctx = ctx;
	t->fd = open_file(t, PAGES, O_RDWR | O_CREAT | O_TRUNC);
	if (t->fd < 0 ||
		ftruncate(t->fd, (off_t)s->pages * PAGE_HASH_LEN))
		return cannot_write(e);
	return 0;
}

/* -- A delta ---------------------------------------------------------------------- */

int
page_table_begin(struct page_table *t, uint64_t number,
	struct database_state *s, struct err *e)
{
	uint8_t n[8];

	*s = t->state;
	end_next(t);
	t->next = make_file(t, NEXT);
	if (!t->next)
		return cannot_write(e);
	put_be64(n, number);
	if (fwrite(next_magic, 8, 1, t->next) != 1 ||
		fwrite(n, 8, 1, t->next) != 1 ||
		fwrite(none, 4, 1, t->next) != 1)
		return cannot_write(e);
	return 0;
}

int
page_table_set(struct page_table *t, struct database_state *s, uint32_t pgno,
	const void *page, struct err *e)
{
	uint8_t entry[NEXT_ENTRY], old[PAGE_HASH_LEN];
	int r;

	put_be32(entry, pgno);
	hash_page(t, s->page_size, pgno, page, entry + 4);
	if (pgno <= t->state.pages) {
		r = read_hash(t, pgno, old, e);
		if (r)
			return r;
		database_hash_take(s->hash, old);
	}
	database_hash_add(s->hash, entry + 4);
	if (pgno > s->pages)
		s->pages = pgno;
	if (fwrite(entry, sizeof(entry), 1, t->next) != 1)
		return cannot_write(e);
	return 0;
}

int
page_table_is_zeros(const struct page_table *t, uint32_t pgno, bool *empty,
	struct err *e)
{
	uint8_t hash[PAGE_HASH_LEN], is[PAGE_HASH_LEN];
	int r = read_hash(t, pgno, is, e);

	hash_page(t, t->state.page_size, pgno, zeros, hash);
	/* of the page with the lock byte nobody knows */
	*empty = !r && memcmp(hash, is, PAGE_HASH_LEN) == 0 &&
		 pgno != database_lock_page(t->state.page_size);
	return r;
}

/* Some of these may have to be read. */
static int
take_each(struct page_table *t, struct database_state *s, uint32_t pages,
	struct err *e)
{
	uint8_t old[PAGE_HASH_LEN];
	int r = 0;

	for (uint64_t p = (uint64_t)pages + 1; p <= t->state.pages && !r; p++) {
		r = read_hash(t, (uint32_t)p, old, e);
		if (!r)
			database_hash_take(s->hash, old);
	}
	return r;
}

static int
take_all(struct page_table *t, struct database_state *s, uint32_t pages,
	struct err *e)
{
	auto_free uint8_t *buf = xmalloc(BUFFER);
	uint64_t at = (uint64_t)pages * PAGE_HASH_LEN;
	uint64_t end = (uint64_t)t->state.pages * PAGE_HASH_LEN;

	while (at < end) {
		size_t want = end - at < BUFFER ? (size_t)(end - at) : BUFFER;

		if (pread(t->fd, buf, want, (off_t)at) != (ssize_t)want)
			return err_set(e, EIO, "hashes of pages: cut off");
		for (size_t i = 0; i < want; i += PAGE_HASH_LEN)
			database_hash_take(s->hash, buf + i);
		at += want;
	}
	return 0;
}

int
page_table_shrink(struct page_table *t, struct database_state *s,
	uint32_t pages, struct err *e)
{
	int r = t->read ? take_each(t, s, pages, e) : take_all(t, s, pages, e);

	if (!r && pages < s->pages)
		s->pages = pages;
	return r;
}

int
page_table_end(struct page_table *t, const struct database_state *s,
	struct err *e)
{
	uint8_t pages[4];

	put_be32(pages, s->pages);
	if (fflush(t->next) ||
		pwrite(fileno(t->next), pages, 4, NEXT_HEAD - 4) != 4)
		return cannot_write(e);
	end_next(t);
	return 0;
}

void
page_table_apply(struct page_table *t, const struct database_state *s)
{
	int r = apply_next(t, t->fd, 0);

	t->state = *s;
	if (!r)
		return;
	log_warn("hashes of pages are lost: %s", strerror(-r));
	forget(t);
}

/* -- A base ----------------------------------------------------------------------- */

int
page_table_begin_new(struct page_table *t, struct database_state *s,
	struct err *e)
{
	end_next(t);
	memset(s->hash, 0, PAGE_HASH_LEN);
	s->pages = 0;
	t->next = make_file(t, NEW);
	return t->next ? 0 : cannot_write(e);
}

int
page_table_add(struct page_table *t, struct database_state *s,
	const void *page, struct err *e)
{
	uint8_t hash[PAGE_HASH_LEN];

	hash_page(t, s->page_size, s->pages + 1, page, hash);
	database_hash_add(s->hash, hash);
	s->pages++;
	if (fwrite(hash, sizeof(hash), 1, t->next) != 1)
		return cannot_write(e);
	return 0;
}

void
page_table_keep_new(struct page_table *t, const struct database_state *s)
{
	bool whole = t->next && fflush(t->next) == 0;

	end_next(t);
	forget(t);
	t->state = *s;
	if (whole && renameat(t->dir, NEW, t->dir, PAGES) == 0)
		t->fd = open_file(t, PAGES, O_RDWR);
	if (t->fd < 0)
		log_warn("hashes of pages are lost: %s", strerror(errno));
}

void
page_table_drop_new(struct page_table *t)
{
	end_next(t);
	(void)unlinkat(t->dir, NEW, 0);
}
