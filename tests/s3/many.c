/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * many REPOSITORY N: make N more snapshots of what the newest one of the only
 * source has, a minute apart, and catalogs of them as backups do.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "repo/base/clock.h"
#include "repo/native/records.h"
#include "repo/write/catalogs.h"
#include "repo/write/sealed.h"

static void
done(int r, const struct err *e)
{
	if (!r)
		return;
	fprintf(stderr, "many: %s\n", e->text);
	exit(1);
}

static int
put(struct repository *rp, struct sink *sink, struct record *r,
	uint8_t hash[HASH_LEN], struct err *e)
{
	auto_sealed struct sealed s = { .packer = NULL };
	auto_buf struct buf plain = BUF_INIT;
	struct record_place p;
	int rc;

	sealed_init(&s, rp->keys, OBJECT_RECORD);
	memcpy(r->id, s.id, OBJECT_ID_LEN);
	record_encode(r, true, &plain);
	rc = sealed_add(&s, FRAME_RECORD, plain.data, plain.len, e);
	if (rc)
		return rc;
	record_place_of(rp, r, &p);
	sha256(s.bytes.data, s.bytes.len, hash);
	return sink_put(sink, p.name, s.bytes.data, s.bytes.len, e);
}

int
main(int argc, char **argv)
{
	auto_repository struct repository *rp = NULL;
	auto_sink struct sink *sink = NULL;
	struct record_places all = { .n = 0 };
	struct err e = ERR_INIT;
	uint8_t hash[HASH_LEN];
	struct record r;
	uint64_t last;

	if (argc != 3)
		return 2;
	done(repository_open(argv[1], NULL, &rp, &e), &e);
	done(sink_open(argv[1], false, &sink, &e), &e);
	done(records_list(rp, "snap/", &all, &e), &e);
	done(records_load_one(rp, &all.p[all.n - 1], &r, hash, &e), &e);
	for (last = r.seq + strtoull(argv[2], NULL, 10); r.seq < last;) {
		r.seq++;
		r.time_ns += 60 * NS_PER_S + random() % 1000000;
		memcpy(r.previous, hash, HASH_LEN);
		done(put(rp, sink, &r, hash, &e), &e);
		done(catalogs_add(rp, sink, &r, hash, &e), &e);
	}
	record_release(&r);
	record_places_release(&all);
	return 0;
}
