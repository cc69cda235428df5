/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Snapshots that were forgotten and can be brought back.  What a fault touches
 * of them is told as such: nothing that exists is lost by it.  Most of their
 * pages have been looked at for others.
 */
#include "repo/upkeep/check_private.h"

#include <errno.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/native/id_set.h"
#include "repo/upkeep/trash.h"

static bool
add(void *ctx, const char *name, uint64_t size)
{
	struct check *c = ctx;
	struct record_place p;

	(void)size;
	/* as the record was called, behind gc/ */
	if (record_place_parse(name + strlen("gc/"), &p) == 0)
		record_places_add(&c->trash, &p);
	return true;
}

int
check_trash_list(struct check *c, struct err *e)
{
	return store_list_names(
		c->rp->store, TRASH_PREFIX, "", add, c, e);
}

static int
load(struct check *c, const struct record_place *p, struct record *rec,
	uint8_t hash[HASH_LEN], struct err *e)
{
	auto_free uint8_t *plain = NULL;
	char name[STORE_NAME_MAX + 1];
	size_t len;
	int r;

	trash_name(name, p);
	r = repository_load(c->rp, name, OBJECT_RECORD, p->id, RECORD_LEN_MAX,
		&plain, &len, hash, e);
	if (!r)
		r = record_decode(plain, len, rec, e);
	if (!r)
		memcpy(rec->id, p->id, OBJECT_ID_LEN);
	return r;
}

static int
check_one(struct check *c, const struct record_place *p, struct err *e)
{
	char name[STORE_NAME_MAX + 1];
	uint8_t hash[HASH_LEN];
	struct record rec;
	struct err why = ERR_INIT;
	int r = load(c, p, &rec, hash, &why);

	if (!r) {
		c->res->forgotten++;
		r = check_tree(c, &rec, e);
		if (!r && rec.is_database)
			r = check_deltas(c, &rec, p, hash, e);
		record_release(&rec);
		return r;
	}
	if (!check_is_fault(r)) {
		*e = why;
		return r;
	}
	trash_name(name, p);
	if (r != -ENOENT) /* pruned, or brought back, meanwhile */
		check_fault(c, CHECK_DAMAGED, CHECK_FORGOTTEN, name,
			"%s; the snapshot cannot be had back",
			check_reason(name, &why));
	return 0;
}

int
check_trash(struct check *c, struct err *e)
{
	auto_id_set struct id_set there = { .n = 0 };
	int r = 0;

	for (size_t i = 0; i < c->places.n; i++)
		id_set_add(&there, c->places.p[i].id);
	id_set_sort(&there);
	c->forgotten = true;
	for (size_t i = 0; i < c->trash.n && !r; i++) {
		/* what is below snap/ exists, whatever the trash says */
		if (!id_set_has(&there, c->trash.p[i].id))
			r = check_one(c, &c->trash.p[i], e);
	}
	c->forgotten = false;
	return r;
}
