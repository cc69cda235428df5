/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "repo/base/auto.h"
#include "repo/base/hex.h"
#include "repo/write/catalogs.h"
#include "repo/write/sealed.h"

/* Records a tail may have before a full catalog is written: this, or the
 * sixteenth part of all. */
#define TAIL_MAX 64
#define CATALOG_FRAME (4u << 20)

struct names {
	char full[STORE_NAME_MAX + 1], tail[STORE_NAME_MAX + 1];
};

/* Names come in ascending order: the last of each kind is the newest. */
static bool
keep_newest(void *ctx, const char *name, uint64_t size)
{
	struct names *n = ctx;
	const char *kind = strchr(name, '-');

	(void)size;
	if (kind && !strncmp(kind, "-f-", 3))
		snprintf(n->full, sizeof(n->full), "%s", name);
	else if (kind && !strncmp(kind, "-t-", 3))
		snprintf(n->tail, sizeof(n->tail), "%s", name);
	return true;
}

static uint64_t
count_of(const char *name)
{
	return *name ? strtoull(name + 4, NULL, 10) : 0;
}

static int
load(struct repository *rp, const char *name, struct catalog *c, struct err *e)
{
	auto_free uint8_t *plain = NULL;
	size_t len;
	int r;

	memset(c, 0, sizeof(*c));
	if (!*name)
		return 0;
	r = repository_load(rp, name, OBJECT_CATALOG, NULL, CATALOG_LEN_MAX,
		&plain, &len, NULL, e);
	return r ? r : catalog_decode(plain, len, c, e);
}

static int
put(struct repository *rp, struct sink *sink, const struct catalog *c,
	char kind, uint64_t n, struct err *e)
{
	auto_sealed struct sealed s = { .packer = NULL };
	auto_buf struct buf plain = BUF_INIT;
	char name[96], hex[OBJECT_ID_LEN * 2 + 1];
	int r = 0;

	sealed_init(&s, rp->keys, OBJECT_CATALOG);
	catalog_encode(c, &plain);
	for (size_t off = 0; off < plain.len && !r; off += CATALOG_FRAME) {
		size_t left = plain.len - off;

		r = sealed_add(&s, FRAME_CATALOG, plain.data + off,
			left < CATALOG_FRAME ? left : CATALOG_FRAME, e);
	}
	if (r)
		return r;
	snprintf(name, sizeof(name), "cat/%012" PRIu64 "-%c-%s", n, kind,
		hex_encode(hex, s.id, OBJECT_ID_LEN));
	return sink_put(sink, name, s.bytes.data, s.bytes.len, e);
}

/* A copy through its own encoding: what the catalog keeps of a record. */
static int
add_copy(struct catalog *c, const struct record *rec,
	const uint8_t hash[HASH_LEN], struct err *e)
{
	auto_buf struct buf b = BUF_INIT;
	struct record copy;
	int r;

	record_encode(rec, false, &b);
	r = record_decode(b.data, b.len, &copy, e);
	if (r)
		return r;
	memcpy(copy.id, rec->id, OBJECT_ID_LEN);
	catalog_add(c, &copy, hash);
	return 0;
}

static bool
has(const struct catalog *c, const uint8_t id[OBJECT_ID_LEN])
{
	for (size_t i = 0; i < c->n; i++) {
		if (!memcmp(c->records[i].id, id, OBJECT_ID_LEN))
			return true;
	}
	return false;
}

/* Join the tail's records with the full catalog's and write a new full one. */
static int
put_full(struct repository *rp, struct sink *sink, const char *full_name,
	struct catalog *tail, struct err *e)
{
	struct catalog all;
	int r = load(rp, full_name, &all, e);

	for (size_t i = 0; i < tail->n && !r; i++) {
		if (!has(&all, tail->records[i].id))
			r = add_copy(&all, &tail->records[i], tail->hashes[i],
				e);
	}
	if (!r)
		r = put(rp, sink, &all, 'f', all.n, e);
	catalog_release(&all);
	return r;
}

int
catalogs_add(struct repository *rp, struct sink *sink,
	const struct record *rec, const uint8_t hash[HASH_LEN], struct err *e)
{
	struct names names = { "", "" };
	struct catalog tail = { .n = 0 };
	uint64_t full;
	int r = store_list_names(rp->store, "cat/", "", keep_newest, &names, e);

	full = count_of(names.full);
	/* a tail that a full catalog was made of starts anew */
	if (!r && count_of(names.tail) > full)
		r = load(rp, names.tail, &tail, e);
	if (!r)
		r = add_copy(&tail, rec, hash, e);
	if (!r && tail.n >= TAIL_MAX && tail.n >= full / 16)
		r = put_full(rp, sink, names.full, &tail, e);
	else if (!r)
		r = put(rp, sink, &tail, 't', full + tail.n, e);
	catalog_release(&tail);
	return r;
}
