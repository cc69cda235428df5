/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Jobs of a copy: what is to be read is read from the view, by each worker for
 * itself, unless it has been copied before.
 */
#include <errno.h>
#include <string.h>
#include "repo/base/auto.h"
#include "repo/write/run.h"

ssize_t
run_read_view(struct view *v, uint64_t node, uint64_t off, size_t len, void *to,
	struct err *e)
{
	size_t done = 0;

	while (done < len) {
		auto_view_data struct view_data d = VIEW_DATA_INIT;
		int r = view_read(v, node, off + done, len - done, &d, e);

		if (r)
			return r;
		if (!d.len)
			break;
		for (int i = 0; i < d.n && done < len; i++) {
			size_t n = d.iov[i].iov_len;

			n = n < len - done ? n : len - done;
			memcpy((uint8_t *)to + done, d.iov[i].iov_base, n);
			done += n;
		}
	}
	return (ssize_t)done;
}

/* Exactly len bytes at the item's place. */
static int
read_item(struct run *run, const struct item *it, size_t len, struct buf *to,
	struct err *e)
{
	ssize_t n;

	to->len = 0;
	n = run_read_view(run->o->copy->view, it->node, it->off, len,
		buf_reserve(to, len + 1), e);
	if (n >= 0 && (size_t)n < len)
		n = err_set(e, EUCLEAN, "a file is shorter than it says");
	return n < 0 ? (int)n : 0;
}

/* It was copied before, under this name, and is there. */
static bool
is_there(struct run *run, struct job *j, struct item *it)
{
	struct learned *l = run->o->copy->learned;
	struct entry *en = &it->en;

	if (!it->ours && !learned_find(l, it->theirs, en->ref.id))
		return false;
	en->ref.chunk_len = (uint32_t)en->size;
	if (!known_has(run->known, en->ref.id, j->number))
		return false;
	learned_add(l, it->theirs, en->ref.id);
	return true;
}

/* What cannot be read is left out, or there is no copy. */
static int
unreadable(struct run *run, struct item *it, int r, struct err *e)
{
	if (!run->o->copy->lenient)
		return r;
	run_report(run, "", -r, e->text);
	it->dropped = true;
	return 0;
}

static int
work_file(struct run *run, struct job *j, struct item *it, struct solid *s,
	struct buf *content, struct err *e)
{
	int r;

	if (is_there(run, j, it)) {
		it->en.content = CONTENT_CHUNK;
		return 0;
	}
	r = read_item(run, it, it->en.size, content, e);
	if (!r && s->plain.len + it->en.size > SOLID_MAX)
		r = err_set(e, EFBIG, "a small file is big");
	if (r)
		return unreadable(run, it, r, e);
	job_take_content(run, j, it, s, content->data, it->en.size);
	if (it->en.content == CONTENT_CHUNK)
		learned_add(run->o->copy->learned, it->theirs, it->en.ref.id);
	return 0;
}

/* Items from i on that are chunks, lie one behind the other and have to be read:
 * their number, and bytes. */
static size_t
stretch(struct run *run, struct job *j, size_t i, size_t *len)
{
	const struct item *first = &j->items[i];
	size_t n = 0;

	for (*len = 0; i + n < j->n_items; n++) {
		struct item *it = &j->items[i + n];

		if (it->op != ITEM_CHUNK || it->off != first->off + *len ||
			is_there(run, j, it))
			break;
		*len += it->en.size;
	}
	return n;
}

/* Read n chunks at once. */
static int
work_chunks(struct run *run, struct job *j, size_t i, size_t n, size_t len,
	struct packer *packer, struct buf *content, struct err *e)
{
	const uint8_t *data;
	int r = read_item(run, &j->items[i], len, content, e);

	if (r) {
		for (size_t k = i; k < i + n; k++)
			j->items[k].dropped = true;
		return unreadable(run, &j->items[i], r, e);
	}
	data = content->data;
	for (size_t k = i; k < i + n && !r; k++) {
		struct item *it = &j->items[k];

		r = job_pack_chunk(run, j, it, data, packer, e);
		if (!r)
			learned_add(run->o->copy->learned, it->theirs,
				it->en.ref.id);
		data += it->en.size;
	}
	return r;
}

/* Those of a big file: they share a job with nothing that has content. */
static bool
has_chunks(const struct job *j)
{
	for (size_t i = 0; i < j->n_items; i++) {
		if (j->items[i].op == ITEM_CHUNK)
			return true;
	}
	return false;
}

int
job_work_view(struct run *run, struct job *j, struct solid *s,
	struct packer *packer, struct err *e)
{
	auto_buf struct buf content = BUF_INIT;
	bool chunks = has_chunks(j);
	size_t n, len;
	int r = 0;

	if (chunks)
		j->frames = xcalloc(j->n_items, sizeof(*j->frames));
	for (size_t i = 0; i < j->n_items && !r; i += n) {
		n = chunks ? stretch(run, j, i, &len) : 0;
		if (n)
			r = work_chunks(run, j, i, n, len, packer, &content, e);
		else if (j->items[i].op == ITEM_FILE)
			r = work_file(run, j, &j->items[i], s, &content, e);
		n += n == 0;
	}
	return r || chunks ? r : job_pack_solid(j, s, packer, e);
}
