/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Jobs in order become packs and directories.  Since order is walk order, a
 * stack of directories under construction and a big file (file_build.c) are all
 * the state there is; while one is read aside (aside.c), another, and the jobs
 * whose entries wait for it.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include "repo/base/auto.h"
#include "repo/base/clock.h"
#include "repo/base/log.h"
#include "repo/crypto/id.h"
#include "repo/write/run.h"

/* One frame with one chunk into the metadata pack, unless it is known. */
static int
store_meta(struct run *run, enum chunk_type type, const uint8_t *data,
	size_t len, struct ref *ref, struct err *e)
{
	struct pack_chunk chunk = { .off = 0, .len = (uint32_t)len };
	struct packed p = { .type = FRAME_PAGES,
		.plain_len = (uint32_t)len,
		.chunks = &chunk,
		.n_chunks = 1 };
	enum frame_codec codec;
	int r;

	memset(ref, 0, sizeof(*ref));
	chunk_id(run->w->rp->keys, type, data, len, ref->id);
	if (!spread_find(&run->spread, run->known, ref) &&
		ref->place.object == OBJECT_META && ref->chunk_len == len)
		return 0;
	r = packer_pack(run->packer, 0, data, len, &p.bytes, &codec, e);
	p.codec = (uint8_t)codec;
	memcpy(chunk.id, ref->id, CHUNK_ID_LEN);
	if (!r)
		r = pack_writer_add(run->meta, &p, &ref->place, e);
	buf_release(&p.bytes);
	ref->chunk_off = 0;
	ref->chunk_len = (uint32_t)len;
	if (!r)
		known_place(run->known, ref);
	return r;
}

int
place_page(void *ctx, const uint8_t *page, size_t len, struct ref *ref,
	struct err *e)
{
	struct run *run = ctx;
	int r = store_meta(run, CHUNK_PAGE, page, len, ref, e);

	if (!r)
		spread_use(&run->spread, &ref->place);
	return r;
}

/* A page of a directory: the next run will want to read it. */
static int
store_dir_page(void *ctx, const uint8_t *page, size_t len, struct ref *ref,
	struct err *e)
{
	struct run *run = ctx;
	int r = place_page(run, page, len, ref, e);

	if (r || !run->w->stash)
		return r;
	if (run->n_pages == run->cap_pages) {
		run->cap_pages = run->cap_pages ? run->cap_pages * 2 : 256;
		run->pages = xrealloc(
			run->pages, run->cap_pages * sizeof(*run->pages));
	}
	run->pages[run->n_pages++] = ref->place;
	return 0;
}

int
place_frames(struct run *run, struct pack_writer *data,
	const struct packed *frames, size_t n, struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		const struct packed *p = &frames[i];
		struct ref ref = { .chunk_off = 0 };
		int r = pack_writer_add(data, p, &ref.place, e);

		if (r)
			return r;
		for (uint32_t k = 0; k < p->n_chunks; k++) {
			memcpy(ref.id, p->chunks[k].id, CHUNK_ID_LEN);
			ref.chunk_off = p->chunks[k].off;
			ref.chunk_len = p->chunks[k].len;
			known_place(run->known, &ref);
		}
	}
	return 0;
}

int
place_find(struct run *run, struct ref *ref, struct err *e)
{
	if (!ref->place.len && known_find(run->known, ref))
		return err_set(e, EIO, "a chunk that was to come did not");
	return 0;
}

/* Point the entry at what the arena holds for it, put long extended attributes
 * into a chunk. */
static int
complete(struct run *run, struct item *it, const struct buf *arena,
	struct err *e)
{
	struct entry *en = &it->en;

	if (it->name_at != NOWHERE)
		en->name = arena->data + it->name_at;
	if (it->data_at != NOWHERE)
		en->data = arena->data + it->data_at;
	if (it->reuse_xattrs_ref)
		en->xattrs_ref = &it->xattrs_ref;
	if (it->has_interior)
		en->interior = &it->interior;
	if (it->xattrs_at == NOWHERE)
		return 0;
	if (en->xattrs_len <= INLINE_XATTRS_MAX) {
		en->xattrs = arena->data + it->xattrs_at;
		return 0;
	}
	en->xattrs_ref = &it->xattrs_ref;
	return store_meta(run, CHUNK_XATTRS, arena->data + it->xattrs_at,
		en->xattrs_len, &it->xattrs_ref, e);
}

static int
find_content(struct run *run, struct entry *en, struct err *e)
{
	return en->content == CONTENT_CHUNK ? place_find(run, &en->ref, e) : 0;
}

/* A copy of the entry and all it borrows, for its other names. */
static void
remember_link(struct run *run, const struct entry *en)
{
	size_t i = en->link - run->first_link;
	struct entry *copy;
	uint8_t *tail;
	size_t len = en->content == CONTENT_INLINE ? en->size : 0;

	if (i >= run->n_linked) {
		size_t n = i + 1 + run->n_linked / 2;

		run->linked = xrealloc(run->linked, n * sizeof(*run->linked));
		memset(run->linked + run->n_linked, 0,
			(n - run->n_linked) * sizeof(*run->linked));
		run->n_linked = n;
	}
	if (run->linked[i])
		return;
	copy = xmalloc(sizeof(*copy) + len + INLINE_XATTRS_MAX +
		       2 * sizeof(struct ref));
	*copy = *en;
	copy->name = NULL;
	tail = (uint8_t *)(copy + 1);
	if (en->xattrs_ref) {
		memcpy(tail, en->xattrs_ref, sizeof(struct ref));
		copy->xattrs_ref = (const struct ref *)(const void *)tail;
	}
	tail += sizeof(struct ref);
	if (en->interior) {
		memcpy(tail, en->interior, sizeof(struct ref));
		copy->interior = (const struct ref *)(const void *)tail;
	}
	tail += sizeof(struct ref);
	if (en->xattrs) {
		memcpy(tail, en->xattrs, en->xattrs_len);
		copy->xattrs = tail;
	}
	if (len)
		copy->data = memcpy(tail + INLINE_XATTRS_MAX, en->data, len);
	run->linked[i] = copy;
}

static int
add_entry(struct run *run, const struct entry *en, struct err *e)
{
	run->entries_done++;
	if (S_ISREG(en->mode)) {
		run->files_done++;
		run->bytes_done += en->size;
		scatter_use_entry(&run->scatter, en);
	}
	if (en->link && en->link >= run->first_link && !S_ISDIR(en->mode))
		remember_link(run, en);
	return map_builder_entry(run->dirs[run->n_dirs - 1].map, en, e);
}

static int
place_entry(struct run *run, struct job *j, struct item *it, struct err *e)
{
	int r = complete(run, it, &j->arena, e);

	if (!r)
		r = find_content(run, &it->en, e);
	if (!r)
		spread_use_entry(&run->spread, &it->en);
	return r ? r : add_entry(run, &it->en, e);
}

static int
place_link(struct run *run, struct job *j, struct item *it, struct err *e)
{
	size_t i = it->en.link - run->first_link;
	struct entry en;

	if (i >= run->n_linked || !run->linked[i])
		return 0; /* its first name could not be read: reported there */
	en = *run->linked[i];
	en.name = j->arena.data + it->name_at;
	en.name_len = it->en.name_len;
	return add_entry(run, &en, e);
}

static void
enter(struct run *run, struct job *j, struct item *it)
{
	struct dir_build *d;

	if (run->n_dirs == run->cap_dirs) {
		run->cap_dirs = run->cap_dirs ? run->cap_dirs * 2 : 32;
		run->dirs = xrealloc(run->dirs,
			run->cap_dirs * sizeof(*run->dirs));
	}
	d = &run->dirs[run->n_dirs++];
	memset(d, 0, sizeof(*d));
	item_keep(&d->self, &d->arena, it, j);
	d->map = map_builder_new(
		true, &run->w->map_cut, store_dir_page, run);
}

static void
dir_build_release(struct dir_build *d)
{
	map_builder_free(d->map);
	buf_release(&d->arena);
}

/* The root's entry outlives its directory: record and all. */
static void
keep_root(struct run *run, struct dir_build *d, const uint8_t *page, size_t len)
{
	run->root_arena = d->arena;
	d->arena = (struct buf)BUF_INIT;
	run->root = d->self.en;
	if (run->root.xattrs_ref) {
		buf_release(&run->root_arena);
		buf_append(&run->root_arena, run->root.xattrs_ref,
			sizeof(struct ref));
		run->root.xattrs_ref =
			(const struct ref *)(const void *)run->root_arena.data;
	}
	buf_append(&run->root_page, page, len);
}

static int
leave(struct run *run, struct err *e)
{
	struct dir_build *d = &run->dirs[run->n_dirs - 1];
	const uint8_t *page = NULL;
	size_t len = 0;
	bool any;
	int r = complete(run, &d->self, &d->arena, e);

	if (!r)
		r = map_builder_finish(d->map, &any, &d->self.en.ref, &page,
			&len, e);
	if (r)
		return r;
	d->self.en.content = any ? CONTENT_MAP : CONTENT_NONE;
	d->self.en.totals = map_builder_totals(d->map);
	run->n_dirs--;
	if (run->n_dirs)
		r = add_entry(run, &d->self.en, e);
	else
		keep_root(run, d, page, len);
	dir_build_release(d);
	return r;
}

/* A big file that is complete. */
static int
place_ended(struct run *run, struct job *j, struct item *it, struct err *e)
{
	int r = complete(run, it, &j->arena, e);

	return r || it->dropped ? r : add_entry(run, &it->en, e);
}

/* -- All ----------------------------------------------------------------------- */

/* It has nothing for the directory. */
static bool
is_of_file(const struct item *it)
{
	return it->op == ITEM_BEGIN || it->op == ITEM_HOLE ||
	       it->op == ITEM_CHUNK || it->op == ITEM_INTERIOR;
}

static int
place_in_tree(struct run *run, struct job *j, struct item *it, struct err *e)
{
	if (is_of_file(it))
		return 0;
	switch ((enum item_op)it->op) {
	case ITEM_ENTER:
		enter(run, j, it);
		return 0;
	case ITEM_LEAVE:
		return leave(run, e);
	case ITEM_LINK:
		return place_link(run, j, it, e);
	case ITEM_ENDED:
		return place_ended(run, j, it, e);
	default:
		return it->dropped ? 0 : place_entry(run, j, it, e);
	}
}

static void
progress(struct run *run)
{
	int64_t now = clock_mono_ns();
	struct backup_progress p = { .files = run->files_done,
		.entries = run->entries_done,
		.bytes = run->bytes_done,
		.new_bytes = run->new_bytes,
		.stored = pack_writer_bytes(run->data) +
			  pack_writer_bytes(run->apart) +
			  pack_writer_bytes(run->meta),
		.errors = run->errors,
		.expected_files = run->parent.root.totals.files,
		.expected_bytes = run->parent.root.totals.bytes };

	if (!run->o->progress || now - run->progressed_ns < NS_PER_S / 5)
		return;
	run->progressed_ns = now;
	p.bytes += run->files[0].off + run->files[1].off;
	run->o->progress(run->o->ctx, &p);
}

/* -- What waits for the file that is read aside ------------------------------- */

static void
defer(struct run *run, struct job *j)
{
	job_free_frames(j);
	if (run->n_deferred == run->cap_deferred) {
		run->cap_deferred = run->cap_deferred ? run->cap_deferred * 2 : 16;
		run->deferred = xrealloc(run->deferred,
			run->cap_deferred * sizeof(*run->deferred));
	}
	run->deferred[run->n_deferred++] = j;
}

static int
place_deferred(struct run *run, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < run->n_deferred; i++) {
		struct job *j = run->deferred[i];

		for (size_t k = 0; k < j->n_items && !r; k++)
			r = place_in_tree(run, j, &j->items[k], e);
		job_free(run, j);
	}
	run->n_deferred = 0;
	return r;
}

static int
place_item(struct run *run, struct job *j, struct item *it, struct err *e)
{
	struct file_build *f = &run->files[j->aside || it->aside];
	int r = file_build_place(run, f, j, it, e);

	if (r || (run->behind && !j->aside)) {
		j->deferred |= !is_of_file(it);
		return r;
	}
	r = place_in_tree(run, j, it, e);
	if (it->aside)
		run->behind = true;
	if (r || !j->aside || it->op != ITEM_ENDED)
		return r;
	run->behind = false;
	return place_deferred(run, e);
}

int
job_place(struct run *run, struct job *j, struct err *e)
{
	struct file_build *f = &run->files[j->aside];
	struct pack_writer *data = j->apart ? run->apart : run->data;
	int r = place_frames(run, data, j->frames, j->n_frames, e);

	if (j->apart)
		f->data = data;
	if (!r)
		r = interior_add(run, f, &j->picked, e);
	for (size_t i = 0; i < j->n_items && !r; i++)
		r = place_item(run, j, &j->items[i], e);
	if (!r && j->deferred)
		defer(run, j);
	progress(run);
	return r;
}

void
place_release(struct run *run)
{
	for (size_t i = 0; i < run->n_dirs; i++)
		dir_build_release(&run->dirs[i]);
	free(run->dirs);
	free(run->pages);
	spread_release(&run->spread);
	scatter_release(&run->scatter);
	file_build_release(&run->files[0]);
	file_build_release(&run->files[1]);
	for (size_t i = 0; i < run->n_deferred; i++)
		job_free(run, run->deferred[i]);
	free(run->deferred);
	for (size_t i = 0; i < run->n_linked; i++)
		free(run->linked[i]);
	free(run->linked);
	buf_release(&run->root_page);
	buf_release(&run->root_arena);
	packer_free(run->packer);
	pack_writer_free(run->data);
	pack_writer_free(run->apart);
	pack_writer_free(run->meta);
}
