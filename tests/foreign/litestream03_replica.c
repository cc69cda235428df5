/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/foreign/litestream03_replica.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <lz4frame.h>
#include "repo/base/clock.h"
#include "repo/base/hex.h"
#include "repo/crypto/id.h"
#include "repo/foreign/lz4.h"
#include "tests/unit/scratch.h"

char *
replica_file(const char *name)
{
	const char *top = getenv("top_srcdir");

	return xasprintf(
		"%s/tests/foreign/litestream03/%s", top ? top : ".", name);
}

void
replica_lines(const char *file,
	void (*each)(void *ctx, char *columns[REPLICA_COLUMNS]), void *ctx)
{
	auto_free char *path = replica_file(file);
	auto_fclose FILE *f = fopen(path, "r");
	char line[500];

	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		char *columns[REPLICA_COLUMNS] = { NULL }, *rest = line;

		line[strcspn(line, "\n")] = '\0';
		for (int i = 0; i < REPLICA_COLUMNS; i++)
			columns[i] = strsep(&rest, "\t");
		each(ctx, columns);
	}
}

/* -- Making it ------------------------------------------------------------ */

static void
read_file(const char *name, struct buf *b)
{
	auto_free char *path = replica_file(name);
	auto_fclose FILE *f = fopen(path, "rb");
	size_t n;

	assert_non_null(f);
	b->len = 0;
	while ((n = fread(buf_reserve(b, 65536), 1, 65536, f)) > 0)
		b->len += n;
}

static void
put_at(const char *name, const void *data, size_t len, const char *mtime)
{
	auto_free char *path = xasprintf("%s/%s", fixture_dir, name);
	struct timespec t[2] = { { .tv_sec = 0 } };
	long s, ns;

	assert_int_equal(sscanf(mtime, "%ld.%9ld", &s, &ns), 2);
	t[0] = t[1] = (struct timespec){ .tv_sec = s, .tv_nsec = ns };
	fixture_put(name, data, len);
	assert_int_equal(utimensat(AT_FDCWD, path, t, 0), 0);
}

/* What an LZ4 frame holds, appended. */
static void
unpack_to(const struct buf *in, struct buf *out)
{
	auto_lz4_stream struct lz4_stream *s = lz4_stream_new();
	size_t at = 0;
	int r = 0;

	while (r == 0) {
		size_t n_in = in->len - at, n_out = 65536;

		r = lz4_stream_decode(s, in->data + at, &n_in,
			buf_reserve(out, n_out), &n_out, NULL);
		at += n_in;
		out->len += n_out;
	}
	assert_int_equal(r, 1);
}

static void
pack_to(const struct buf *in, struct buf *out)
{
	LZ4F_preferences_t p = {
		.frameInfo = { .contentChecksumFlag =
				       LZ4F_contentChecksumEnabled }
	};
	size_t room = LZ4F_compressFrameBound(in->len, &p);

	out->len = LZ4F_compressFrame(
		buf_reserve(out, room), room, in->data, in->len, &p);
	assert_false(LZ4F_isError(out->len));
}

struct making {
	enum ls03_kind kind;
	struct ls03_name log; /* the one that is collected */
	struct buf bytes;     /* of it */
	char mtime[40];
};

static void
put_named(const struct ls03_name *n, const struct buf *b, const char *mtime)
{
	char name[LS03_NAME_MAX];
	auto_free char *whole = NULL;

	ls03_name_print(name, n);
	whole = xasprintf("generations/%s", name);
	put_at(whole, b->data, b->len, mtime);
}

/* The log that was collected, in one object. */
static void
put_log(struct making *m, bool last)
{
	auto_buf struct buf packed = BUF_INIT;

	if (m->bytes.len == 0)
		return;
	m->log.off = 0;
	m->log.kind = last ? m->kind : LS03_WHOLE;
	if (m->log.kind == LS03_WHOLE)
		pack_to(&m->bytes, &packed);
	put_named(&m->log, m->log.kind == LS03_WHOLE ? &packed : &m->bytes,
		m->mtime);
	m->bytes.len = 0;
}

static void
make_one(void *ctx, char *columns[REPLICA_COLUMNS])
{
	struct making *m = ctx;
	auto_free char *file = xasprintf("replica/%s", columns[0]);
	auto_buf struct buf b = BUF_INIT;
	struct ls03_name n;

	assert_true(ls03_name_parse(columns[0] + strlen("generations/"), &n));
	read_file(file, &b);
	if (n.kind == LS03_SNAPSHOT || m->kind < LS03_WHOLE) {
		if (n.kind == LS03_SEGMENT)
			n.kind = m->kind;
		else if (m->kind == LS03_SEGMENT_16)
			n.kind = LS03_SNAPSHOT_16;
		put_named(&n, &b, columns[1]);
		return;
	}
	if (m->bytes.len > 0 && n.index != m->log.index)
		put_log(m, n.index < m->log.index);
	m->log = n;
	strcpy(m->mtime, columns[1]);
	unpack_to(&b, &m->bytes);
}

void
replica_make(enum ls03_kind kind)
{
	struct making m = { .kind = kind };

	replica_lines("mtimes.tsv", make_one, &m);
	put_log(&m, true);
	buf_release(&m.bytes);
}

/* -- Reading it ----------------------------------------------------------- */

static char home[64];

static void
drop_home(void)
{
	if (!scratch_remove(home))
		perror(home);
}

/* Where keys and caches go, instead of the home of whoever tests. */
static void
use_home(void)
{
	static bool made;

	if (made)
		return;
	assert_true(scratch_make(home, sizeof(home)));
	made = true;
	atexit(drop_home);
	unsetenv("XDG_STATE_HOME");
	unsetenv("XDG_CACHE_HOME");
	setenv("HOME", home, 1);
	setenv("TMPDIR", home, 1); /* caches of one history */
}

struct history *
replica_open(const char *cache)
{
	const struct history_open_options o = { .cache_dir =
							cache ? cache : "" };
	struct err e = ERR_INIT;
	struct history *h;
	int r;

	use_home();
	r = foreign_open_history(fixture_dir, "litestream-0.3", &o, &h, &e);
	if (r < 0)
		fail_msg("%s", e.text);
	return h;
}

int
replica_sum(struct view *v, char sum[65])
{
	auto_free char *name = xstrdup(strrchr(fixture_dir, '/') + 1);
	auto_buf struct buf b = BUF_INIT;
	uint8_t hash[HASH_LEN];
	int r = fixture_read(v, name, &b);

	if (r < 0)
		return r;
	assert_true(b.len >= 512 && b.data[18] == 1 && b.data[19] == 1);
	b.data[18] = b.data[19] = 2;
	sha256(b.data, b.len, hash);
	hex_encode(sum, hash, sizeof(hash));
	return 0;
}

int
replica_sum_of(struct history *h, const char *id, int64_t t_ns, char sum[65],
	struct err *e)
{
	auto_listing struct history_listing *l = history_listing(h);
	auto_view struct view *v = NULL;
	struct history_point p;
	int r = l->n_sources == 0 ? -ENOENT
		: id ? history_moment_by_id(h, l, HISTORY_NONE, id, &p, e)
		     : history_moment_at(h, l, 0, t_ns, &p, e);

	if (r == 0)
		r = history_open_moment(h, l, &p, &v, e);
	return r < 0 ? r : replica_sum(v, sum);
}
