/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <inttypes.h>
#include <sys/stat.h>
#include "repo/base/auto.h"
#include "repo/base/bytes.h"
#include "repo/base/hex.h"
#include "repo/crypto/id.h"
#include "tests/golden/image.h"

#define LIST_MAX 65536

/* -- Taking ------------------------------------------------------------------
 */

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int
add_xattr(struct view *v, uint64_t node, const char *name, struct buf *out,
	struct err *e)
{
	auto_free char *value = NULL;
	ssize_t len = view_xattr_get(v, node, name, NULL, 0, e);

	if (len < 0)
		return (int)len;
	value = xmalloc((size_t)len + 1);
	if (len > 0)
		len = view_xattr_get(v, node, name, value, (size_t)len, e);
	if (len < 0)
		return (int)len;
	buf_append(out, name, strlen(name) + 1);
	buf_be32(out, (uint32_t)len);
	buf_append(out, value, (size_t)len);
	return 0;
}

int
image_xattrs(struct view *v, uint64_t node, struct buf *out, struct err *e)
{
	auto_free char *list = xmalloc(LIST_MAX);
	const char *names[256];
	ssize_t len = view_xattr_list(v, node, list, LIST_MAX, e);
	size_t n = 0;
	int r = len < 0 ? (int)len : 0;

	for (ssize_t at = 0; at < len && n < n_elements(names); n++) {
		names[n] = list + at;
		at += (ssize_t)strlen(list + at) + 1;
	}
	qsort(names, n, sizeof(*names), by_name);
	for (size_t i = 0; i < n && !r; i++)
		r = add_xattr(v, node, names[i], out, e);
	return r;
}

static bool
add_extent(void *ctx, const struct view_extent *x)
{
	struct image_entry *en = ctx;

	en->extents = xrealloc(
		en->extents, (en->n_extents + 1) * sizeof(*en->extents));
	en->extents[en->n_extents++] = *x;
	return true;
}

static int
read_file(struct view *v, struct image_entry *en, struct err *e)
{
	uint64_t node = en->attr.node;
	int r = view_extents(v, node, 0, add_extent, en, e);

	en->data = xmalloc(en->attr.size + 1);
	for (uint64_t off = 0; off < en->attr.size && !r;) {
		auto_view_data struct view_data d = VIEW_DATA_INIT;

		r = view_read(v, node, off, en->attr.size - off, &d, e);
		if (!r && d.len == 0)
			return err_set(e, EIO, "nothing read before the end");
		for (int i = 0; i < d.n && !r; i++) {
			memcpy(en->data + off, d.iov[i].iov_base,
				d.iov[i].iov_len);
			off += d.iov[i].iov_len;
		}
	}
	return r;
}

static int
read_entry(struct view *v, struct image_entry *en, struct err *e)
{
	uint64_t node = en->attr.node;
	char target[4096];
	ssize_t n;
	int r = image_xattrs(v, node, &en->xattrs, e);

	if (r)
		return r;
	if (S_ISREG(en->attr.mode))
		return read_file(v, en, e);
	if (S_ISDIR(en->attr.mode))
		return view_totals(v, node, &en->totals, e);
	if (!S_ISLNK(en->attr.mode))
		return 0;
	n = view_readlink(v, node, target, sizeof(target), e);
	if (n < 0)
		return (int)n;
	en->target = xcalloc(1, (size_t)n + 1);
	memcpy(en->target, target, (size_t)n);
	return 0;
}

static struct image_entry *
new_entry(struct image_tree *t)
{
	struct image_entry *en;

	if (t->n == t->cap) {
		t->cap = t->cap ? 2 * t->cap : 64;
		t->entries = xrealloc(t->entries, t->cap * sizeof(*en));
	}
	en = &t->entries[t->n++];
	memset(en, 0, sizeof(*en));
	return en;
}

struct names {
	char **names;
	struct view_attr *attrs;
	size_t n;
};

static bool
add_name(void *ctx, const struct view_dirent *d)
{
	struct names *l = ctx;

	l->names = xrealloc(l->names, (l->n + 1) * sizeof(*l->names));
	l->attrs = xrealloc(l->attrs, (l->n + 1) * sizeof(*l->attrs));
	l->names[l->n] = xcalloc(1, d->name_len + 1);
	memcpy(l->names[l->n], d->name, d->name_len);
	l->attrs[l->n++] = d->attr;
	return true;
}

static int
take_below(struct view *v, struct image_tree *t, size_t dir, struct err *e)
{
	struct names l = { .n = 0 };
	int r = view_list(v, t->entries[dir].attr.node, 0, add_name, &l, e);

	for (size_t i = 0; i < l.n && !r; i++) {
		struct image_entry *en = new_entry(t);
		size_t self = t->n - 1;

		en->path = xasprintf("%s/%s", t->entries[dir].path, l.names[i]);
		en->name = en->path + strlen(en->path) - strlen(l.names[i]);
		en->parent = dir;
		en->attr = l.attrs[i];
		r = read_entry(v, en, e);
		if (!r && S_ISDIR(en->attr.mode))
			r = take_below(v, t, self, e);
	}
	for (size_t i = 0; i < l.n; i++)
		free(l.names[i]);
	free(l.names);
	free(l.attrs);
	return r;
}

static int
take_tree(struct history *h, const struct history_listing *l, size_t point,
	struct image_tree *t, struct err *e)
{
	const struct history_point *p = &l->points[point];
	const struct history_source *s = &l->sources[p->source];
	auto_view struct view *v = NULL;
	struct image_entry *root = new_entry(t);
	int r;

	t->source = xasprintf("%s/%s", s->host, s->name);
	memcpy(t->id, p->id, sizeof(t->id));
	t->seq = p->seq;
	t->time_ns = p->time_ns;
	t->tags = xcalloc(p->n_tags + 1, sizeof(*t->tags));
	while (t->n_tags < p->n_tags) {
		t->tags[t->n_tags] = xstrdup(p->tags[t->n_tags]);
		t->n_tags++;
	}
	root->name = root->path = xstrdup(".");
	r = history_open(h, l, point, &v, e);
	if (!r)
		r = view_attr(v, VIEW_ROOT, &root->attr, e);
	if (!r)
		r = read_entry(v, root, e);
	return r ? r : take_below(v, t, 0, e);
}

int
image_take(struct history *h, struct image *im, struct err *e)
{
	auto_listing struct history_listing *l = history_listing(h);
	int r = 0;

	im->trees = xcalloc(l->n_points + 1, sizeof(*im->trees));
	while (im->n < l->n_points && !r) {
		r = take_tree(h, l, im->n, &im->trees[im->n], e);
		im->n++;
	}
	return r;
}

static void
release_tree(struct image_tree *t)
{
	for (size_t i = 0; i < t->n; i++) {
		struct image_entry *en = &t->entries[i];

		free(en->path);
		free(en->target);
		free(en->data);
		free(en->extents);
		buf_release(&en->xattrs);
	}
	for (size_t i = 0; i < t->n_tags; i++)
		free(t->tags[i]);
	free(t->tags);
	free(t->source);
	free(t->entries);
}

void
image_release(struct image *im)
{
	for (size_t i = 0; i < im->n; i++)
		release_tree(&im->trees[i]);
	free(im->trees);
	memset(im, 0, sizeof(*im));
}

/* -- Printing
 * ------------------------------------------------------------------ */

static void
print_name(const char *name, FILE *out)
{
	for (; *name; name++) {
		unsigned char c = (unsigned char)*name;

		if (c > ' ' && c < 0x7f && c != '\\')
			fputc(c, out);
		else
			fprintf(out, "\\x%02x", c);
	}
}

static void
print_bytes(const void *data, size_t len, FILE *out)
{
	auto_free char *text = xmalloc(2 * len + 1);

	fputs(len ? hex_encode(text, data, len) : "-", out);
}

static void
print_xattrs(const struct buf *x, FILE *out)
{
	struct reader r = reader_of(x->data, x->len);

	while (reader_left(&r)) {
		const char *name = (const char *)r.p;
		uint8_t hash[HASH_LEN];
		const uint8_t *value;
		size_t len;

		read_bytes(&r, strlen(name) + 1);
		len = read_be32(&r);
		value = read_bytes(&r, len);
		fputs("    xattr ", out);
		print_name(name, out);
		fputc(' ', out);
		if (len > 64) {
			sha256(value, len, hash);
			print_bytes(hash, sizeof(hash), out);
		} else {
			print_bytes(value, len, out);
		}
		fputc('\n', out);
	}
}

static void
print_holes(const struct image_entry *en, FILE *out)
{
	for (size_t i = 0; i < en->n_extents; i++) {
		uint64_t off = en->extents[i].off, end = off;

		while (i < en->n_extents && en->extents[i].hole)
			end += en->extents[i++].len;
		if (end > off)
			fprintf(out, "    hole %" PRIu64 " %" PRIu64 "\n", off,
				end - off);
	}
}

static char
type_letter(uint32_t mode)
{
	static const char letters[] = "?pc?d?b?f?l?s???";

	return letters[mode >> 12];
}

static void
print_moment(const struct timespec *t, FILE *out)
{
	fprintf(out, " %lld.%09ld", (long long)t->tv_sec, t->tv_nsec);
}

static void
print_entry(const struct image_entry *en, FILE *out)
{
	const struct view_attr *a = &en->attr;
	uint64_t link = a->ino & VIEW_INO_LINK ? a->ino - VIEW_INO_LINK : 0;
	const struct view_totals *t = &en->totals;
	uint8_t hash[HASH_LEN];

	fprintf(out,
		"%c %04o %u:%u %u %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64,
		type_letter(a->mode), a->mode & 07777, a->uid, a->gid, a->nlink,
		a->node, link, a->size, a->blocks);
	print_moment(&a->mtime, out);
	print_moment(&a->ctime, out);
	fprintf(out, " %" PRIu64 " ", a->rdev);
	if (en->data)
		sha256(en->data, a->size, hash);
	print_bytes(hash, en->data ? sizeof(hash) : 0, out);
	fputc(' ', out);
	print_name(en->path, out);
	if (en->target) {
		fputs("\n    to ", out);
		print_name(en->target, out);
	}
	fputc('\n', out);
	print_holes(en, out);
	print_xattrs(&en->xattrs, out);
	if (S_ISDIR(a->mode))
		fprintf(out,
			"    below %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRId64
			" %d\n",
			t->entries, t->files, t->bytes, t->newest_ns,
			t->has_xattrs + 2 * t->has_acl);
}

void
image_print(const struct image *im, FILE *out)
{
	for (size_t i = 0; i < im->n; i++) {
		const struct image_tree *t = &im->trees[i];

		fputs("snapshot ", out);
		print_name(t->source, out);
		fprintf(out, " %" PRIu64 " %" PRId64 " %s", t->seq, t->time_ns,
			t->id);
		for (size_t k = 0; k < t->n_tags; k++) {
			fputc(' ', out);
			print_name(t->tags[k], out);
		}
		fputc('\n', out);
		for (size_t k = 0; k < t->n; k++)
			print_entry(&t->entries[k], out);
		fputc('\n', out);
	}
}
