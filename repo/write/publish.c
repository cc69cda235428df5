/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The end of a run: index segment, snapshot record (the commit), catalog.
 * And its beginning: the record before.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "repo/base/auto.h"
#include "repo/base/clock.h"
#include "repo/base/hex.h"
#include "repo/base/log.h"
#include "repo/format/object.h"
#include "repo/history.h"
#include "repo/native/ended.h"
#include "repo/native/newest.h"
#include "repo/native/state.h"
#include "repo/write/catalogs.h"
#include "repo/write/run.h"
#include "repo/write/sealed.h"
#include "repo/write/segments.h"

/* Who knows only their own segments leaves them to those who see all; and where
 * somebody prunes, segments may be about to be replaced. */
static void
merge_segments(struct run *run)
{
	struct writer *w = run->w;
	const struct segments_merger m = { w->rp, w->sink, w->index,
		&run->avoid, &run->result->stored };
	struct err late = ERR_INIT;

	if (run_is_blind(run) || run->avoid.looked != run->avoid.state.n ||
		!segments_merge_is_due(w->index))
		return;
	index_refresh(w->index);
	if (segments_merge(&m, &late))
		log_warn("index segments were not merged: %s", late.text);
}

static int
publish_index(struct run *run, struct err *e)
{
	auto_free struct segment_entry *en = NULL;
	struct writer *w = run->w;
	size_t n = known_sorted(run->known, &en, &run->segment_packs,
		&run->n_segment_packs);
	struct segments_new s = { en, n, run->segment_packs,
		run->n_segment_packs };
	int r = pruned_check(run, e);

	if (r || !n)
		return r;
	r = segments_put_new(w->rp, w->sink, &s, run->segment_name,
		&run->result->stored, e);
	if (!r)
		merge_segments(run);
	return r;
}

/* -- The record ------------------------------------------------------------------ */

/* A copy is called as what it is a copy of, and was made when that was. */
static void
fill_copy(struct run *run, struct record *rec)
{
	const struct backup_copy *c = run->o->copy;

	rec->time_ns = run->o->time_ns;
	if (c->began_ns)
		rec->began_ns = c->began_ns;
	if (c->ended_ns)
		rec->ended_ns = c->ended_ns;
	rec->n_errors += c->n_errors;
	if (c->begins)
		rec->generation = rec->seq;
	if (c->opaque_len) {
		rec->opaque = xmemdup(c->opaque, c->opaque_len);
		rec->opaque_len = (uint32_t)c->opaque_len;
	}
}

static void
fill_record(struct run *run, struct record *rec, int64_t now)
{
	const struct backup_options *o = run->o;
	bool first = !run->parent.seq;

	rec->host = xstrdup(o->host);
	rec->name = xstrdup(o->name);
	rec->seq = (first ? run->ended_seq : run->parent.seq) + 1;
	rec->generation = run->parent.host ? run->parent.generation : rec->seq;
	rec->time_ns = o->time_ns ? o->time_ns : run->began_ns;
	rec->began_ns = run->began_ns;
	rec->ended_ns = now;
	memcpy(rec->previous, run->parent_hash, HASH_LEN);
	rec->n_tags = (uint32_t)o->n_tags;
	rec->tags = xcalloc(o->n_tags + 1, sizeof(*rec->tags));
	for (size_t i = 0; i < o->n_tags; i++)
		rec->tags[i] = xstrdup(o->tags[i]);
	rec->root = run->root;
	rec->next_link = run->next_link;
	rec->n_errors = run->errors;
	rec->gc = run->avoid.state.n;
	if (o->copy)
		fill_copy(run, rec);
	spread_note(&run->spread, rec);
	scatter_note(&run->scatter, rec);
	rec->path = xstrdup(o->stdin_name ? o->stdin_name : o->path);
	if (run->root_page.len && run->root_page.len <= RECORD_INLINE_PAGE_MAX) {
		rec->root_page = xmemdup(run->root_page.data,
			run->root_page.len);
		rec->root_page_len = (uint32_t)run->root_page.len;
	}
}

static void
fill_database(struct record *rec, const struct backup_database *db)
{
	rec->is_database = true;
	rec->database = *db->state;
	if (!db->continues)
		rec->generation = rec->seq;
	if (!db->opaque_len)
		return;
	rec->opaque = xmemdup(db->opaque, db->opaque_len);
	rec->opaque_len = (uint32_t)db->opaque_len;
}

static int
put_record(struct run *run, struct record *rec, uint8_t hash[HASH_LEN],
	struct err *e)
{
	auto_sealed struct sealed s = { .packer = NULL };
	auto_buf struct buf plain = BUF_INIT;
	uint8_t source[SOURCE_KEY_LEN];
	int r;

	sealed_init(&s, run->w->rp->keys, OBJECT_RECORD);
	memcpy(rec->id, s.id, OBJECT_ID_LEN);
	record_encode(rec, true, &plain);
	r = sealed_add(&s, FRAME_RECORD, plain.data, plain.len, e);
	if (r)
		return r;
	source_key(run->w->rp->keys, rec->host, rec->name, source);
	record_name(run->record_name, source, rec);
	sha256(s.bytes.data, s.bytes.len, hash);
	run->result->stored += s.bytes.len;
	return sink_put(run->w->sink, run->record_name, s.bytes.data,
		s.bytes.len, e);
}

/* Tell readers, once, that the catalogs do not have all of this source. */
static int
put_mark(struct run *run, struct err *e)
{
	struct writer *w = run->w;
	uint8_t source[SOURCE_KEY_LEN];
	char name[OBJECT_NAME_MAX];
	int r;

	if (stash_is_marked(w->stash))
		return 0;
	source_key(w->rp->keys, run->o->host, run->o->name, source);
	newest_mark_name(name, source);
	r = sink_put(w->sink, name, "", 0, e);
	if (r && r != -EEXIST)
		return r;
	stash_mark(w->stash);
	return 0;
}

static void *
look_main(void *arg)
{
	struct run *run = arg;

	run->catalogs = catalogs_look(run->w->rp, run->o->host, run->o->name);
	return NULL;
}

void
run_look(struct run *run)
{
	if (run->w->stash && !run->o->dry_run && !run_is_blind(run))
		run->looking =
			!pthread_create(&run->looker, NULL, look_main, run);
}

static void
end_looking(struct run *run)
{
	if (run->looking)
		pthread_join(run->looker, NULL);
	run->looking = false;
}

void
publish_release(struct run *run)
{
	end_looking(run);
	catalogs_free(run->catalogs);
}

static int
put_catalog(struct run *run, const struct record *rec,
	const uint8_t hash[HASH_LEN], struct err *e)
{
	if (run_is_blind(run))
		return put_mark(run, e);
	end_looking(run);
	if (!run->catalogs)
		return catalogs_add(run->w->rp, run->w->sink, rec, hash, e);
	return catalogs_put(run->catalogs, run->w->sink, rec, hash, e);
}

/* The record is there: look once more at what was pruned, and note the
 * snapshot in a catalog meanwhile. */
static int
settle(struct run *run, const struct record *rec, const uint8_t hash[HASH_LEN],
	struct err *e)
{
	struct err late = ERR_INIT;
	bool meanwhile;
	int r = 0;

	pruned_look(run);
	meanwhile = run->pruned_looking;
	if (!meanwhile)
		r = pruned_check(run, e);
	if (!r && put_catalog(run, rec, hash, &late))
		log_warn("snapshot is safe, but the catalog was not "
			 "written: %s", late.text);
	if (meanwhile)
		r = pruned_check(run, e);
	if (r)
		return pruned_withdraw(run, e);
	run->w->gc_seen = run->avoid.looked;
	return 0;
}

/* What is newest now (0: nothing), to this user: warns if it was something newer before. */
static void
note_seen(const struct run *run, uint64_t seq, const uint8_t link[HASH_LEN])
{
	const struct backup_options *o = run->o;
	auto_free char *label = xasprintf("%s/%s", o->host, o->name);
	struct state_newest now = { .seq = seq, .label = label };

	if (run_is_blind(run) || run->o->dry_run)
		return;
	source_key(run->w->rp->keys, o->host, o->name, now.source);
	memcpy(now.hash, link, HASH_LEN);
	state_compare_one(run->w->rp, &now);
}

int
run_publish(struct run *run, struct err *e)
{
	struct record rec = { .host = NULL };
	uint8_t hash[HASH_LEN];
	const struct backup_database *db = run->o->database;
	int r = publish_index(run, e);

	if (r)
		return r;
	if (db)
		r = db->commit(db->ctx, run->parent.seq, e);
	if (r)
		return r;
	fill_record(run, &rec, clock_wall_ns());
	if (db)
		fill_database(&rec, db);
	r = put_record(run, &rec, hash, e);
	if (!r)
		r = settle(run, &rec, hash, e);
	if (!r) {
		note_seen(run, rec.seq, hash);
		hex_encode(run->result->id, rec.id, OBJECT_ID_LEN);
		run->result->seq = rec.seq;
		run->result->first = !run->parent.seq;
	}
	record_release(&rec);
	return r;
}

/* -- The record before ------------------------------------------------------------ */

static bool
keep_last(void *ctx, const char *name, uint64_t size)
{
	char *last = ctx;
	uint8_t id[OBJECT_ID_LEN];
	uint64_t seq;

	(void)size;
	if (!record_name_parse(name, &seq, id))
		snprintf(last, STORE_NAME_MAX + 1, "%s", name);
	return true;
}

int
run_find_parent(struct run *run, struct err *e)
{
	char prefix[OBJECT_NAME_MAX], last[STORE_NAME_MAX + 1] = "";
	char hex[SOURCE_KEY_LEN * 2 + 1];
	uint8_t source[SOURCE_KEY_LEN], id[OBJECT_ID_LEN];
	auto_free uint8_t *plain = NULL;
	uint64_t seq;
	size_t len;
	int r;

	source_key(run->w->rp->keys, run->o->host, run->o->name, source);
	snprintf(prefix, sizeof(prefix), "snap/%s/",
		hex_encode(hex, source, SOURCE_KEY_LEN));
	r = store_list_names(run->w->rp->store, prefix, "", keep_last, last, e);
	if (!r && !*last && run_is_blind(run))
		return stash_first(
			run->w->stash, run->o->host, run->o->name, e);
	/* forgotten as a whole: it goes on behind those numbers */
	if (!r && !*last)
		r = ended_number(run->w->rp, source, &run->ended_seq, e);
	if (!r && !*last && !run->ended_seq)
		note_seen(run, 0, run->parent_hash);
	if (r || !*last)
		return r;
	record_name_parse(last, &seq, id);
	r = repository_load(run->w->rp, last, OBJECT_RECORD, id, RECORD_LEN_MAX,
		&plain, &len, run->parent_hash, e);
	if (!r)
		r = record_decode(plain, len, &run->parent, e);
	if (!r && run->parent.epoch)
		memcpy(run->parent_hash, run->parent.original, HASH_LEN);
	if (!r && run->parent.seq == seq) {
		note_seen(run, seq, run->parent_hash);
		return 0;
	}
	/* not damaged, only out of reach: the chain must not end here */
	if (r && r != -EBADMSG && r != -EUCLEAN)
		return r;
	log_warn("%s: the snapshot before is damaged; every file is read again",
		last);
	record_release(&run->parent);
	run->parent.seq = seq;
	return 0;
}
