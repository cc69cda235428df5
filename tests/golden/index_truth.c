/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include "repo/format/object.h"
#include "repo/native/index.h"
#include "tests/golden/index_truth.h"

static int
unseal(const struct object_key *key, const uint8_t *data, size_t off,
	size_t len, uint8_t **plain, size_t *plain_len)
{
	auto_free uint8_t *copy = xmemdup(data + off, len);
	struct frame_prefix p;
	int r = frame_unseal(key, off, copy, len, &p, plain, NULL);

	*plain_len = p.plain_len;
	return r;
}

static int
take_page(struct index_truth *t, const uint8_t *plain, size_t len)
{
	auto_free struct segment_entry *en = NULL;
	uint32_t n;
	int r = segment_page_decode(plain, len, &en, &n, NULL);

	if (r)
		return r;
	t->entries = xrealloc(t->entries, (t->n + n) * sizeof(*en));
	memcpy(t->entries + t->n, en, n * sizeof(*en));
	t->n += n;
	return 0;
}

int
index_truth_take(struct index_truth *t, const struct object_key *key,
	const uint8_t *data, size_t len)
{
	struct object_trailer end;
	auto_free uint8_t *plain = NULL;
	size_t n;
	int r;

	memset(t, 0, sizeof(*t));
	r = object_trailer_decode(data + len - OBJECT_TRAILER_LEN, &end, NULL);
	if (!r)
		r = unseal(key, data, end.toc_off, end.toc_len, &plain, &n);
	if (!r)
		r = segment_directory_decode(plain, n, &t->dir, NULL);
	for (uint32_t i = 0; i < t->dir.n_pages && !r; i++) {
		auto_free uint8_t *page = NULL;

		r = unseal(key, data, t->dir.pages[i].off, t->dir.pages[i].len,
			&page, &n);
		if (!r)
			r = take_page(t, page, n);
	}
	return r ? r : t->n == t->dir.n_entries ? 0 : -EINVAL;
}

void
index_truth_release(struct index_truth *t)
{
	segment_directory_release(&t->dir);
	free(t->entries);
}

static bool
found_right(struct index *ix, const struct index_truth *t, size_t i)
{
	const struct segment_entry *en = &t->entries[i];
	struct ref r = { .chunk_off = 0 };
	int rc;

	memcpy(r.id, en->id, CHUNK_KEY_LEN);
	rc = index_find(ix, &r, NULL);
	if (rc)
		return rc == -ENOENT;
	return r.place.off == en->frame_off && r.place.len == en->frame_len &&
	       r.chunk_off == en->chunk_off && r.chunk_len == en->chunk_len &&
	       r.place.object == t->dir.packs[en->pack].object &&
	       !memcmp(r.place.pack, t->dir.packs[en->pack].id, OBJECT_ID_LEN);
}

bool
index_truth_holds(
	const struct index_truth *t, struct repository *rp, size_t some)
{
	struct index *ix = index_new(rp, 0);
	bool ok = found_right(ix, t, 0) && found_right(ix, t, t->n - 1) &&
		  found_right(ix, t, some % t->n);

	index_free(ix);
	return ok;
}
