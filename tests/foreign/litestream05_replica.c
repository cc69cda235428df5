/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/foreign/litestream05_replica.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include "repo/base/hex.h"
#include "repo/crypto/id.h"

/* -- Making it ----------------------------------------------------------------
 */

char *
ltx_path(const char *name)
{
	const char *top = getenv("top_srcdir");

	return xasprintf(
		"%s/tests/foreign/litestream05/%s", top ? top : ".", name);
}

unsigned
ltx_lines(const char *file, void (*each)(void *ctx, char *columns[LTX_COLUMNS]),
	void *ctx)
{
	auto_free char *path = ltx_path(file);
	auto_fclose FILE *f = fopen(path, "r");
	char line[500];
	unsigned n = 0;

	assert_non_null(f);
	for (; fgets(line, sizeof(line), f); n++) {
		char *columns[LTX_COLUMNS] = { NULL }, *rest = line;

		line[strcspn(line, "\n")] = '\0';
		for (int i = 0; i < LTX_COLUMNS; i++)
			columns[i] = strsep(&rest, "\t");
		each(ctx, columns);
	}
	return n;
}

struct making {
	const char *version;
	bool s3;	     /* the layout of S3 */
	const char *without; /* names to leave out: "/name/name/" */
};

static void
make_file(void *ctx, char *columns[LTX_COLUMNS])
{
	const struct making *m = ctx;
	const char *base = strrchr(columns[0], '/') + 1;
	auto_free char *from = NULL, *to = NULL, *path = NULL, *mark = NULL;
	struct timespec t[2] = { { .tv_sec = 0 } };
	auto_buf struct buf b = BUF_INIT;

	mark = xasprintf("/%s/", columns[0]);
	if (m->without && strstr(m->without, mark))
		return;
	free(mark);
	mark = xasprintf("%s/replica/%s", m->version, columns[0]);
	from = ltx_path(mark);
	to = m->s3 ? xasprintf("000%c/%s", columns[0][4], base)
		   : xstrdup(columns[0]);
	auto_fclose FILE *f = fopen(from, "rb");

	assert_non_null(f);
	b.len = fread(buf_reserve(&b, 65536), 1, 65536, f);
	fixture_put(to, b.data, b.len);
	assert_int_equal(
		sscanf(columns[1], "%ld.%9ld", &t[0].tv_sec, &t[0].tv_nsec), 2);
	t[1] = t[0];
	path = xasprintf("%s/%s", fixture_dir, to);
	assert_int_equal(utimensat(AT_FDCWD, path, t, 0), 0);
}

void
ltx_make(const char *version, bool s3, const char *without)
{
	struct making m = { version, s3, without };
	auto_free char *list = xasprintf("%s/mtimes.tsv", version);

	ltx_lines(list, make_file, &m);
}

/* -- Reading it ---------------------------------------------------------------
 */

struct history *
ltx_open(void)
{
	struct history *h = NULL;

	assert_int_equal(
		fixture_history(&litestream05_format, "", "orders", &h), 0);
	return h;
}

/* SHA-256 of the database as it was before two bytes were changed. */
int
ltx_sum(struct view *v, char sum[65])
{
	auto_buf struct buf b = BUF_INIT, raw = BUF_INIT;
	uint8_t hash[HASH_LEN];
	int r = fixture_read(v, "orders", &b);

	if (r < 0)
		return r;
	assert_int_equal(fixture_read(v, "orders.raw", &raw), 0);
	assert_true(b.len >= 512 && b.data[18] == 1 && b.data[19] == 1);
	b.data[18] = b.data[19] = 2;
	assert_int_equal(b.len, raw.len);
	assert_memory_equal(b.data, raw.data, raw.len);
	sha256(b.data, b.len, hash);
	hex_encode(sum, hash, sizeof(hash));
	return 0;
}

/* Of the moment with an id, or (NULL) the newest not later than t_ns. */
int
ltx_sum_at(struct history *h, const char *id, int64_t t_ns, char sum[65],
	struct err *e)
{
	auto_listing struct history_listing *l = history_listing(h);
	auto_view struct view *v = NULL;
	struct history_point p;
	int r = id ? history_moment_by_id(h, l, 0, id, &p, e)
		   : history_moment_at(h, l, 0, t_ns, &p, e);

	if (r == 0)
		r = history_open_moment(h, l, &p, &v, e);
	return r < 0 ? r : ltx_sum(v, sum);
}
