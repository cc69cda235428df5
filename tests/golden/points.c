/* SPDX-License-Identifier: GPL-2.0-or-later */
/* points REPO: what deltas.py prints, by our own code. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/base/hex.h"
#include "repo/crypto/id.h"
#include "repo/open.h"
#include "repo/sqlite/database_view.h"

struct printing {
	struct history *h;
	struct history_listing *l;
	int r;
	struct err e;
};

static int
read_all(struct view *v, struct buf *b, struct err *e)
{
	struct view_attr a;
	int r = view_attr(v, DATABASE_RAW_NODE, &a, e);

	while (!r && b->len < a.size) {
		auto_view_data struct view_data d = VIEW_DATA_INIT;

		r = view_read(v, DATABASE_RAW_NODE, b->len, 1 << 20, &d, e);
		for (int i = 0; i < d.n; i++)
			buf_append(b, d.iov[i].iov_base, d.iov[i].iov_len);
	}
	return r;
}

/* A base's own seq is in the listing; a delta's tells both numbers. */
static bool
print_point(void *ctx, const struct history_point *p)
{
	struct printing *pr = ctx;
	const struct history_source *s = &pr->l->sources[p->source];
	auto_view struct view *v = NULL;
	auto_buf struct buf b = BUF_INIT;
	uint8_t hash[HASH_LEN];
	char hex[2 * HASH_LEN + 1], size[16] = "";
	struct err none = ERR_INIT;

	pr->r = history_open_moment(pr->h, pr->l, p, &v, &pr->e);
	if (!pr->r)
		pr->r = read_all(v, &b, &pr->e);
	if (pr->r)
		return false;
	view_xattr_get(v, DATABASE_NODE, "user.yore.page_size", size,
		sizeof(size) - 1, &none);
	sha256(b.data, b.len, hash);
	printf("%s/%s %" PRIu64 " %" PRIu64 " %" PRId64 " %zu %s\n", s->host,
		s->name, p->seq >> 24, p->seq & 0xffffff, p->time_ns,
		b.len / strtoul(size, NULL, 10),
		hex_encode(hex, hash, sizeof(hash)));
	return true;
}

int
main(int argc, char **argv)
{
	const struct history_open_options o = { .memory = 0 };
	struct printing pr = { .e = ERR_INIT };

	if (argc != 2)
		return 2;
	pr.r = history_open_repository(argv[1], &o, &pr.h, &pr.e);
	if (!pr.r)
		pr.l = history_listing(pr.h);
	for (size_t g = 0; !pr.r && g < pr.l->n_generations; g++) {
		int r = history_moments(
			pr.h, pr.l, g, INT64_MIN, print_point, &pr, &pr.e);

		pr.r = pr.r ? pr.r : r;
	}
	if (pr.r)
		fprintf(stderr, "points: %s\n", pr.e.text);
	else
		history_listing_put(pr.l);
	history_free(pr.h);
	return pr.r != 0;
}
