/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A run that was killed leaves whole packs that no index segment names.  The
 * next run reads their tables of contents and goes on from there.
 */
#include <errno.h>
#include <string.h>
#include "repo/base/auto.h"
#include "repo/base/hex.h"
#include "repo/base/log.h"
#include "repo/format/object.h"
#include "repo/write/run.h"

#define TOC_LEN_MAX (16u << 20)

struct orphan {
	char name[STORE_NAME_MAX + 1];
	uint8_t id[OBJECT_ID_LEN];
};

struct orphans {
	struct run *run;
	enum object_type type;
	struct orphan *list;
	size_t n;
};

static bool
add_orphan(void *ctx, const char *name, uint64_t size)
{
	struct orphans *os = ctx;
	const char *base = strrchr(name, '/');
	struct orphan o;

	(void)size;
	if (!base || hex_decode(o.id, OBJECT_ID_LEN, base + 1) ||
		avoid_has_pack(&os->run->avoid, (uint8_t)os->type, o.id) ||
		index_has_pack(os->run->w->index, o.id))
		return true;
	snprintf(o.name, sizeof(o.name), "%s", name);
	os->list = xrealloc(os->list, (os->n + 1) * sizeof(o));
	os->list[os->n++] = o;
	return true;
}

static int
load_toc(struct run *run, const struct orphan *o, enum object_type type,
	struct toc *toc, struct err *e)
{
	struct store *st = run->w->rp->store;
	uint8_t head[OBJECT_HEADER_LEN], end[OBJECT_TRAILER_LEN];
	auto_free uint8_t *sealed = NULL, *plain = NULL;
	struct object_header h;
	struct object_trailer t;
	struct object_key key;
	struct frame_prefix p;
	uint64_t size = 0;
	int r = store_size(st, o->name, &size, e);

	if (!r && size < sizeof(head) + sizeof(end))
		r = err_set(e, EBADMSG, "cut off");
	if (!r)
		r = store_get(st, o->name, 0, sizeof(head), head, NULL, e);
	if (!r)
		r = object_header_decode(head, &h, e);
	if (!r && (h.type != type || memcmp(h.id, o->id, OBJECT_ID_LEN) ||
			  memcmp(h.repository_id, run->w->rp->header.id,
				  REPOSITORY_ID_LEN)))
		r = err_set(e, EBADMSG, "not the pack its name says");
	if (!r)
		r = store_get(st, o->name, size - sizeof(end), sizeof(end),
			end, NULL, e);
	if (!r)
		r = object_trailer_decode(end, &t, e);
	if (!r && (t.toc_len > TOC_LEN_MAX || t.toc_off > size ||
			  t.toc_len > size - t.toc_off))
		r = err_set(e, EBADMSG, "its table of contents lies outside");
	if (r)
		return r;
	sealed = xmalloc(t.toc_len + 1);
	r = store_get(st, o->name, t.toc_off, t.toc_len, sealed, NULL, e);
	object_key_init(&key, run->w->rp->keys, type, o->id);
	if (!r)
		r = frame_unseal(&key, t.toc_off, sealed, t.toc_len, &p, &plain,
			e);
	if (!r && p.type != FRAME_TOC)
		r = err_set(e, EUCLEAN, "its table of contents is none");
	return r ? r : toc_decode(plain, p.plain_len, toc, e);
}

static void
adopt(struct run *run, const struct orphan *o, enum object_type type)
{
	auto_toc struct toc toc = TOC_INIT;
	struct err e = ERR_INIT;

	if (load_toc(run, o, type, &toc, &e)) {
		log_warn("%s: %s; left alone", o->name, e.text);
		return;
	}
	for (uint32_t i = 0; i < toc.n_frames; i++) {
		const struct toc_frame *f = &toc.frames[i];
		struct ref ref = { .place = { .off = f->off,
			.len = f->len,
			.object = (uint8_t)type } };

		memcpy(ref.place.pack, o->id, OBJECT_ID_LEN);
		if (avoid_has(&run->avoid, &ref.place))
			continue;
		for (uint32_t k = 0; k < f->n_chunks; k++) {
			const struct toc_chunk *c =
				&toc.chunks[f->first_chunk + k];

			memcpy(ref.id, c->id, CHUNK_KEY_LEN);
			ref.chunk_off = c->off;
			ref.chunk_len = c->len;
			known_place(run->known, &ref);
		}
	}
}

static int
adopt_kind(struct run *run, const char *prefix, enum object_type type,
	struct err *e)
{
	struct orphans os = { .run = run, .type = type };
	int r = store_list_names(run->w->rp->store, prefix, "", add_orphan, &os, e);

	for (size_t i = 0; i < os.n && !r; i++)
		adopt(run, &os.list[i], type);
	free(os.list);
	return r;
}

int
run_adopt(struct run *run, struct err *e)
{
	int r = adopt_kind(run, "data/", OBJECT_DATA, e);

	return r ? r : adopt_kind(run, "meta/", OBJECT_META, e);
}
