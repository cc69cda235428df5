/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pages are kept by source, so that who goes through its newest snapshot knows
 * what is no longer in use: all that this snapshot does not name.  Another
 * source's pages are read, never touched.
 */
#include "repo/write/stash_private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "repo/base/hex.h"
#include "repo/fetch/cached.h"
#include "repo/format/object.h"

int
stash_page(const struct stash *k, const char *name, uint64_t off, size_t len,
	void *buf, size_t *got, size_t enough)
{
	const char *base = strrchr(name, '/');
	auto_closedir DIR *d = NULL;
	struct dirent *de;
	int r = -ENOENT;

	if (!k->source || !base)
		return -ENOENT;
	auto_free char *own = xasprintf("%s/pages/%s", k->source, base + 1);

	if (stash_read(own, true, off, len, buf, got, enough) == 0)
		return 0;
	d = opendir(k->dir);
	while (r && d && (de = readdir(d))) {
		auto_free char *path = NULL;

		if (strlen(de->d_name) != SOURCE_KEY_LEN * 2 ||
			strcmp(de->d_name, k->source_hex) == 0)
			continue;
		path = xasprintf("%s/%s/pages/%s", k->dir, de->d_name,
			base + 1);
		r = stash_read(path, true, off, len, buf, got, enough);
	}
	return r;
}

/* -- The end of a run ------------------------------------------------------ */

static int
compare(const void *a, const void *b)
{
	const struct frame_place *x = a, *y = b;
	int c = memcmp(x->pack, y->pack, OBJECT_ID_LEN);

	return c ? c : (x->off > y->off) - (x->off < y->off);
}

/* A place that is in use and does not lie at path: from where it costs no
 * request. */
static void
bring(const struct stash *k, struct store *s, const char *path,
	const struct frame_place *p)
{
	auto_free uint8_t *bytes = xmalloc(p->len + 1);
	struct cache *c = cached_cache(s);
	char name[OBJECT_NAME_MAX];
	size_t got;

	object_pack_name(name, OBJECT_META, p->pack);
	if (stash_page(k, name, p->off, p->len, bytes, &got, 0) == 0 ||
		(c && cache_read(c, name, p->off, p->len, bytes, NULL)))
		(void)stash_patch(path, p->off, bytes, p->len);
}

/* The n places of one pack. */
static void
bring_some(const struct stash *k, struct store *s, const struct frame_place *p,
	size_t n)
{
	char hex[OBJECT_ID_LEN * 2 + 1];
	auto_free char *path = xasprintf("%s/pages/%s", k->source,
		hex_encode(hex, p->pack, OBJECT_ID_LEN));
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	for (size_t i = 0; i < n; i++) {
		if (fd < 0 || stash_present(fd, p[i].off, p[i].len) < p[i].len)
			bring(k, s, path, &p[i]);
	}
}

static void
punch(int fd, uint64_t from, uint64_t to)
{
	if (to > from)
		(void)fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			(off_t)from, (off_t)(to - from));
}

/* Give back what lies between the n places of a pack, and behind them. */
static void
trim(int dir, const char *name, const struct frame_place *p, size_t n)
{
	auto_close int fd =
		openat(dir, name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	uint64_t end = 0;

	if (fd < 0)
		return;
	for (size_t i = 0; i < n; i++) {
		punch(fd, end, p[i].off);
		end = p[i].off + p[i].len;
	}
	if (ftruncate(fd, (off_t)end))
		punch(fd, end, INT64_MAX);
}

static const struct frame_place *
find_pack(const struct frame_place *p, size_t n, const uint8_t *id, size_t *of)
{
	size_t low = 0, high = n, end;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (memcmp(p[mid].pack, id, OBJECT_ID_LEN) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	for (end = low;
		end < n && memcmp(p[end].pack, id, OBJECT_ID_LEN) == 0;)
		end++;
	*of = end - low;
	return p + low;
}

static void
trim_all(const struct stash *k, const struct frame_place *p, size_t n)
{
	auto_free char *path = xasprintf("%s/pages", k->source);
	auto_closedir DIR *d = opendir(path);
	struct dirent *de;

	while (d && (de = readdir(d))) {
		uint8_t id[OBJECT_ID_LEN];
		const struct frame_place *of_pack = NULL;
		size_t m = 0;

		if (de->d_name[0] == '.')
			continue;
		if (hex_decode(id, sizeof(id), de->d_name) == 0)
			of_pack = find_pack(p, n, id, &m);
		if (m == 0)
			unlinkat(dirfd(d), de->d_name, 0);
		else
			trim(dirfd(d), de->d_name, of_pack, m);
	}
}

void
stash_end(struct stash *k, struct store *s, struct frame_place *pages, size_t n)
{
	auto_free char *tended = NULL;

	if (!k->source)
		return;
	tended = xasprintf("%s/tended", k->source);
	(void)stash_replace(tended, "", 0);
	if (n)
		qsort(pages, n, sizeof(*pages), compare);
	for (size_t i = 0, m; i < n; i += m) {
		find_pack(pages + i, n - i, pages[i].pack, &m);
		bring_some(k, s, &pages[i], m);
	}
	trim_all(k, pages, n);
}
