/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <time.h>
#include "repo/base/clock.h"
#include "repo/base/hex.h"
#include "repo/base/log.h"
#include "repo/native/records.h"
#include "repo/fetch/together.h"

/* More than this many of a local store are loaded by several threads. */
#define ALONE_MAX 32

/* -- Names -------------------------------------------------------------- */

int
record_place_parse(const char *name, struct record_place *p)
{
	char source[SOURCE_KEY_LEN * 2 + 1];
	size_t len = strlen(name);

	if (len > RECORD_NAME_LEN_MAX || strncmp(name, "snap/", 5) ||
		strcspn(name + 5, "/") != SOURCE_KEY_LEN * 2)
		return -EINVAL;
	memcpy(source, name + 5, sizeof(source) - 1);
	source[sizeof(source) - 1] = '\0';
	if (hex_decode(p->source, SOURCE_KEY_LEN, source))
		return -EINVAL;
	memcpy(p->name, name, len + 1);
	return record_name_parse(name, &p->seq, p->id);
}

void
record_place_below(const uint8_t source[SOURCE_KEY_LEN], const struct record *r,
	struct record_place *p)
{
	char name[OBJECT_NAME_MAX * 2];

	memcpy(p->id, r->id, OBJECT_ID_LEN);
	memcpy(p->source, source, SOURCE_KEY_LEN);
	p->seq = r->seq;
	record_name(name, p->source, r);
	name[RECORD_NAME_LEN_MAX] = '\0';
	memcpy(p->name, name, strlen(name) + 1);
}

void
record_place_of(const struct repository *rp, const struct record *r,
	struct record_place *p)
{
	uint8_t source[SOURCE_KEY_LEN];

	source_key(rp->keys, r->host, r->name, source);
	record_place_below(source, r, p);
}

int64_t
record_place_time(const struct record_place *p)
{
	const char *at = strchr(strrchr(p->name, '/'), '-') + 1;
	struct tm tm = { .tm_isdst = 0 };

	if (!strptime(at, "%Y%m%dT%H%M%SZ-", &tm))
		return 0;
	return (int64_t)timegm(&tm) * NS_PER_S;
}

void
record_places_add(struct record_places *all, const struct record_place *p)
{
	if (all->n == all->cap) {
		all->cap = all->cap ? all->cap * 2 : 64;
		all->p = xrealloc(all->p, all->cap * sizeof(*all->p));
	}
	all->p[all->n++] = *p;
}

static bool
add_place(void *ctx, const char *name, uint64_t size)
{
	struct record_place p;

	(void)size;
	if (record_place_parse(name, &p) == 0)
		record_places_add(ctx, &p);
	else
		log_debug("%s: not the name of a record", name);
	return true;
}

int
records_list(struct repository *rp, const char *prefix,
	struct record_places *all, struct err *e)
{
	return store_list_names(rp->store, prefix, "", add_place, all, e);
}

void
record_places_release(struct record_places *all)
{
	free(all->p);
	*all = (struct record_places){ .n = 0 };
}

/* -- One record --------------------------------------------------------- */

/* Whether a record says of itself what its name says. */
static bool
fits(struct repository *rp, const struct record_place *p,
	const struct record *r)
{
	struct record_place own;

	record_place_of(rp, r, &own);
	return strcmp(own.name, p->name) == 0;
}

int
records_load_one(struct repository *rp, const struct record_place *p,
	struct record *r, uint8_t hash[HASH_LEN], struct err *e)
{
	auto_free uint8_t *plain = NULL;
	size_t len;
	int rc = repository_load(rp, p->name, OBJECT_RECORD, p->id,
		RECORD_LEN_MAX, &plain, &len, hash, e);

	if (rc)
		return rc;
	rc = record_decode(plain, len, r, e);
	if (rc) {
		if (e)
			err_prefix(e, "%s", p->name);
		return rc;
	}
	memcpy(r->id, p->id, OBJECT_ID_LEN);
	if (fits(rp, p, r))
		return 0;
	record_release(r);
	return err_set(e, EBADMSG, "%s: the record is of another snapshot",
		p->name);
}

static void
load(struct repository *rp, struct loaded_record *r)
{
	struct err e = ERR_INIT;
	int rc = records_load_one(rp, r->place, &r->record, r->hash, &e);

	switch (rc) {
	case 0:
		r->state = RECORD_LOADED;
		return;
	case -ENOENT:
		r->state = RECORD_GONE;
		return;
	case -EBADMSG:
	case -EUCLEAN:
	case -EPROTONOSUPPORT:
		r->state = RECORD_DAMAGED;
		break;
	default:
		r->state = RECORD_FAILED;
	}
	log_warn("%s: snapshot left out: %s", rp->store->name, e.text);
}

/* -- Many records ------------------------------------------------------- */

struct loading {
	struct repository *rp;
	struct loaded_record *const *r;
};

static void
load_ith(void *ctx, size_t i)
{
	struct loading *l = ctx;

	if (l->r[i]->state == RECORD_UNKNOWN)
		load(l->rp, l->r[i]);
}

void
records_load(struct repository *rp, struct loaded_record *const *r, size_t n)
{
	struct loading l = { .rp = rp, .r = r };
	bool parallel = n > (rp->store->local_path ? ALONE_MAX : 1);

	together_run(n, parallel, load_ith, &l);
}
