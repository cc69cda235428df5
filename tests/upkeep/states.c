/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * States of pruning, by hand; and what snapshots refer to.
 *   states put REPO [KIND OBJECT[@OFFSET:LENGTH]]...
 *       what the newest state says and this: condemn, sentence (what is
 *       condemned), drop (from both), gone, lost
 *   states refs REPO RECORD
 *       each reference of a snapshot: KIND OBJECT OFFSET:LENGTH
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "repo/base/hex.h"
#include "repo/native/gc_newest.h"
#include "repo/native/index.h"
#include "repo/native/records.h"
#include "repo/upkeep/reach.h"
#include "repo/write/gc_put.h"

static int
die(const struct err *e)
{
	fprintf(stderr, "states: %s\n", e->text);
	return 1;
}

static bool
parse(const char *what, struct frame_place *at)
{
	const char *id = strrchr(what, '/');
	char hex[OBJECT_ID_LEN * 2 + 1];

	*at = (struct frame_place){ .object =
			strncmp(what, "data/", 5) ? OBJECT_META : OBJECT_DATA };
	if (!id || strlen(id) < sizeof(hex))
		return false;
	memcpy(hex, id + 1, sizeof(hex) - 1);
	hex[sizeof(hex) - 1] = '\0';
	if (id[sizeof(hex)] == '@' &&
		sscanf(id + sizeof(hex), "@%" SCNu64 ":%" SCNu32, &at->off,
			&at->len) != 2)
		return false;
	return hex_decode(at->pack, OBJECT_ID_LEN, hex) == 0;
}

static void
drop(struct gc_packs *list, const struct frame_place *at)
{
	size_t n = 0;

	for (size_t i = 0; i < list->n; i++) {
		if (memcmp(list->p[i].id, at->pack, OBJECT_ID_LEN))
			list->p[n++] = list->p[i];
	}
	list->n = n;
}

static bool
change(struct gc_state *s, const char *kind, const char *what)
{
	enum object_type type;
	struct frame_place at;

	if (!parse(what, &at))
		return false;
	type = (enum object_type)at.object;
	if (!strcmp(kind, "condemn") || !strcmp(kind, "sentence"))
		gc_packs_add(&s->condemned, type, at.pack, s->n);
	if (!strcmp(kind, "sentence"))
		gc_packs_add(&s->sentenced, type, at.pack, 0);
	if (!strcmp(kind, "gone"))
		gc_packs_add(&s->gone, type, at.pack, 0);
	if (!strcmp(kind, "lost"))
		gc_frames_add(&s->lost, &at);
	if (!strcmp(kind, "drop")) {
		drop(&s->condemned, &at);
		drop(&s->sentenced, &at);
	}
	return true;
}

static int
put(struct repository *rp, const char *repo, int n, char **args)
{
	auto_gc_state struct gc_state s = { .n = 0 };
	auto_sink struct sink *sink = NULL;
	uint8_t previous[HASH_LEN] = { 0 };
	struct err e = ERR_INIT;

	if (gc_newest(rp, &s, previous, &e) || sink_open(repo, false, &sink, &e))
		return die(&e);
	s.n++;
	memcpy(s.previous, previous, HASH_LEN);
	for (int i = 0; i + 1 < n; i += 2) {
		if (!change(&s, args[i], args[i + 1])) {
			fprintf(stderr, "states: %s?\n", args[i + 1]);
			return 2;
		}
	}
	gc_state_sort(&s);
	return gc_put(rp, sink, &s, NULL, &e) ? die(&e) : 0;
}

static int
print_ref(void *ctx, enum reach_kind kind, const struct ref *r, struct err *e)
{
	static const char *const names[] = { "page", "data", "xattrs" };
	char name[OBJECT_NAME_MAX];

	(void)ctx;
	(void)e;
	object_pack_name(name, (enum object_type)r->place.object,
		r->place.pack);
	printf("%s %s %" PRIu64 ":%" PRIu32 "\n", names[kind], name,
		r->place.off, r->place.len);
	return 0;
}

static int
refs(struct repository *rp, const char *name)
{
	struct fetch *f = fetch_new(rp->store, rp->keys, NULL);
	struct index *ix = index_new(rp, 0);
	const struct reach_options o = { .keys = rp->keys, .fetch = f,
		.found = print_ref };
	auto_reach struct reach *re = reach_new(&o);
	struct record rec = { .host = NULL };
	struct record_place at;
	uint8_t hash[HASH_LEN];
	struct err e = ERR_INIT;
	int r;

	fetch_set_locator(f, index_locate, ix);
	r = record_place_parse(name, &at)
		    ? err_set(&e, EINVAL, "%s: no record", name)
		    : records_load_one(rp, &at, &rec, hash, &e);
	if (!r)
		r = reach_record(re, &rec, &e);
	record_release(&rec);
	index_free(ix);
	fetch_free(f);
	return r ? die(&e) : 0;
}

int
main(int argc, char **argv)
{
	static const struct history_open_options o;
	auto_repository struct repository *rp = NULL;
	struct err e = ERR_INIT;

	if (argc < 3)
		return 2;
	if (repository_open(argv[2], &o, &rp, &e))
		return die(&e);
	if (!strcmp(argv[1], "refs") && argc == 4)
		return refs(rp, argv[3]);
	return put(rp, argv[2], argc - 3, argv + 3);
}
