/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdatomic.h>
#include <time.h>
#include "repo/base/clock.h"
#include "repo/base/hex.h"
#include "repo/base/log.h"
#include "repo/native/records.h"

/* More than this many are loaded by several threads. */
#define ALONE_MAX 32
#define THREADS_MAX 8

/* -- Names ------------------------------------------------------------------- */

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

int64_t
record_place_time(const struct record_place *p)
{
	const char *at = strchr(strrchr(p->name, '/'), '-') + 1;
	struct tm tm = { .tm_isdst = 0 };

	if (!strptime(at, "%Y%m%dT%H%M%SZ-", &tm))
		return 0;
	return (int64_t)timegm(&tm) * NS_PER_S;
}

static bool
add_place(void *ctx, const char *name, uint64_t size)
{
	struct record_places *all = ctx;

	(void)size;
	if (all->n == all->cap) {
		all->cap = all->cap ? all->cap * 2 : 64;
		all->p = xrealloc(all->p, all->cap * sizeof(*all->p));
	}
	if (record_place_parse(name, &all->p[all->n]) == 0)
		all->n++;
	else
		log_debug("%s: not the name of a record", name);
	return true;
}

int
records_list(struct repository *rp, struct record_places *all, struct err *e)
{
	return store_list_names(rp->store, "snap/", "", add_place, all, e);
}

void
record_places_release(struct record_places *all)
{
	free(all->p);
	*all = (struct record_places){ .n = 0 };
}

/* -- One record ---------------------------------------------------------------- */

/* Whether a record says of itself what its name says. */
static bool
fits(struct repository *rp, const struct record_place *p,
	const struct record *r)
{
	uint8_t source[SOURCE_KEY_LEN];
	char name[OBJECT_NAME_MAX * 2];

	source_key(rp->keys, r->host, r->name, source);
	record_name(name, source, r);
	return strcmp(name, p->name) == 0;
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

/* -- Many records ---------------------------------------------------------------- */

struct loading {
	struct repository *rp;
	struct loaded_record *r;
	size_t n;
	_Atomic size_t next;
};

static void *
load_some(void *arg)
{
	struct loading *l = arg;
	size_t i;

	while ((i = l->next++) < l->n) {
		if (l->r[i].state == RECORD_UNKNOWN)
			load(l->rp, &l->r[i]);
	}
	return NULL;
}

static size_t
count_unknown(const struct loaded_record *r, size_t n)
{
	size_t unknown = 0;

	for (size_t i = 0; i < n; i++)
		unknown += r[i].state == RECORD_UNKNOWN;
	return unknown;
}

/* All threads have ended when this returns: a mount may fork then. */
void
records_load(struct repository *rp, struct loaded_record *r, size_t n)
{
	struct loading l = { .rp = rp, .r = r, .n = n };
	pthread_t threads[THREADS_MAX - 1];
	size_t more = count_unknown(r, n) > ALONE_MAX ? THREADS_MAX - 1 : 0;
	size_t started = 0;

	while (started < more &&
		!pthread_create(&threads[started], NULL, load_some, &l))
		started++;
	load_some(&l);
	while (started > 0)
		pthread_join(threads[--started], NULL);
}

/* -- Catalogs ---------------------------------------------------------------------- */

/* The newest full catalog and the newest tail: each has in its name how many
 * records there were then. */
struct catalog_names {
	char full[STORE_NAME_MAX + 1];
	char tail[STORE_NAME_MAX + 1];
};

#define CATALOG_KIND_AT 17 /* cat/<12 digits>-f-<id> */
#define CATALOG_ID_AT 19

static bool
note_catalog(void *ctx, const char *name, uint64_t size)
{
	struct catalog_names *c = ctx;

	(void)size;
	if (strlen(name) != CATALOG_ID_AT + OBJECT_ID_LEN * 2 ||
		strspn(name + 4, "0123456789") != 12 ||
		name[CATALOG_KIND_AT - 1] != '-' ||
		name[CATALOG_KIND_AT + 1] != '-')
		return true;
	/* They come in ascending order. */
	if (name[CATALOG_KIND_AT] == 'f')
		memcpy(c->full, name, strlen(name) + 1);
	else if (name[CATALOG_KIND_AT] == 't')
		memcpy(c->tail, name, strlen(name) + 1);
	return true;
}

static int
load_catalog(struct repository *rp, const char *name, struct catalog *c,
	struct err *e)
{
	auto_free uint8_t *plain = NULL;
	uint8_t id[OBJECT_ID_LEN];
	size_t len;
	int r;

	if (hex_decode(id, OBJECT_ID_LEN, name + CATALOG_ID_AT))
		return err_set(e, EUCLEAN, "%s: not a catalog's name", name);
	r = repository_load(rp, name, OBJECT_CATALOG, id, CATALOG_LEN_MAX,
		&plain, &len, NULL, e);
	if (r)
		return r;
	r = catalog_decode(plain, len, c, e);
	if (r && e)
		err_prefix(e, "%s", name);
	return r;
}

static int
compare_ids(const void *a, const void *b)
{
	const struct loaded_record *const *x = a, *const *y = b;

	return memcmp((*x)->place->id, (*y)->place->id, OBJECT_ID_LEN);
}

static int
compare_to_id(const void *id, const void *slot)
{
	const struct loaded_record *const *r = slot;

	return memcmp(id, (*r)->place->id, OBJECT_ID_LEN);
}

/* Give the catalog's records to those in by_id that lack them. */
static void
take_from(struct repository *rp, struct catalog *c,
	struct loaded_record **by_id, size_t n)
{
	for (size_t i = 0; i < c->n; i++) {
		struct record *r = &c->records[i];
		struct loaded_record **found = bsearch(r->id, by_id, n,
			sizeof(*by_id), compare_to_id);

		if (!found || (*found)->state != RECORD_UNKNOWN ||
			!fits(rp, (*found)->place, r))
			continue;
		(*found)->record = *r;
		memset(r, 0, sizeof(*r));
		memcpy((*found)->hash, c->hashes[i], HASH_LEN);
		(*found)->state = RECORD_LOADED;
	}
}

static void
use_catalog(struct repository *rp, const char *name,
	struct loaded_record **by_id, size_t n)
{
	struct catalog c = { .n = 0 };
	struct err e = ERR_INIT;

	if (!*name)
		return;
	if (load_catalog(rp, name, &c, &e)) {
		log_warn("%s: catalog left out: %s", rp->store->name, e.text);
		return;
	}
	take_from(rp, &c, by_id, n);
	catalog_release(&c);
}

void
records_from_catalogs(struct repository *rp, struct loaded_record *r, size_t n)
{
	auto_free struct loaded_record **by_id = xcalloc(n + 1, sizeof(*by_id));
	struct catalog_names names = { .full = "" };
	struct err e = ERR_INIT;

	if (store_list_names(rp->store, "cat/", "", note_catalog, &names, &e)) {
		log_warn("%s: catalogs left out: %s", rp->store->name, e.text);
		return;
	}
	for (size_t i = 0; i < n; i++)
		by_id[i] = &r[i];
	qsort(by_id, n, sizeof(*by_id), compare_ids);
	use_catalog(rp, names.full, by_id, n);
	if (strncmp(names.tail, names.full, 4 + 12) > 0)
		use_catalog(rp, names.tail, by_id, n);
}
