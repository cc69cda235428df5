/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>
#include "repo/base/bytes.h"
#include "repo/foreign/table.h"

#define HEAD_MAX (64u << 10)

struct table_writer {
	struct kept *kept;
	char *name;
	struct buf block;
	uint64_t n_in_block;
	uint64_t n_blocks;
	uint64_t n;
	struct buf last;  /* key */
	struct buf index; /* of the blocks that are written */
	struct buf first; /* what divides the block from the one before */
};

char *
table_index_name(const char *name)
{
	return xasprintf("%s.index", name);
}

struct table_writer *
table_writer_new(struct kept *k, const char *name)
{
	struct table_writer *w = xcalloc(1, sizeof(*w));

	w->kept = k;
	w->name = xstrdup(name);
	return w;
}

void
table_writer_free(struct table_writer *w)
{
	if (!w)
		return;
	buf_release(&w->block);
	buf_release(&w->last);
	buf_release(&w->index);
	buf_release(&w->first);
	free(w->name);
	free(w);
}

static void
end_block(struct table_writer *w)
{
	if (w->n_in_block == 0)
		return;
	buf_varint(&w->index, w->n_in_block);
	buf_bytes(&w->index, w->first.data, w->first.len);
	kept_write(w->kept, w->name, w->n_blocks, w->block.data, w->block.len);
	w->n_blocks++;
	w->n_in_block = 0;
	w->block.len = 0;
}

static size_t
shared(const struct buf *last, const char *key, size_t len)
{
	size_t n = 0;

	while (n < last->len && n < len && last->data[n] == (uint8_t)key[n])
		n++;
	return n;
}

void
table_writer_add(struct table_writer *w, const struct table_record *r)
{
	size_t same = shared(&w->last, r->key, r->key_len);

	if (w->block.len + r->key_len + r->value_len + 3 * VARINT_MAX >
		TABLE_BLOCK)
		end_block(w);
	if (w->n_in_block == 0) {
		/* as little of it as tells it from the last one */
		size_t n = same < r->key_len ? same + 1 : r->key_len;

		w->first.len = 0;
		buf_append(&w->first, r->key, w->n_blocks ? n : 0);
		same = 0;
	}
	buf_varint(&w->block, same);
	buf_bytes(&w->block, r->key + same, r->key_len - same);
	buf_bytes(&w->block, r->value, r->value_len);
	w->last.len = 0;
	buf_append(&w->last, r->key, r->key_len);
	w->n_in_block++;
	w->n++;
}

int
table_writer_finish(struct table_writer *w, const void *head, size_t head_len,
	struct err *e)
{
	auto_buf struct buf all = BUF_INIT;

	end_block(w);
	buf_bytes(&all, head, head_len);
	buf_varint(&all, w->n);
	buf_varint(&all, w->n_blocks);
	buf_append(&all, w->index.data, w->index.len);
	if (head_len > HEAD_MAX || all.len > KEPT_OBJECT_MAX)
		return err_set(e, EFBIG, "an index of more than %u bytes",
			KEPT_OBJECT_MAX);
	auto_free char *name = table_index_name(w->name);

	kept_put(w->kept, name, all.data, all.len);
	return kept_sync(w->kept, e);
}
