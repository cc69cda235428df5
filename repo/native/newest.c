/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/native/newest.h"

#include <errno.h>
#include <string.h>
#include "repo/base/hex.h"

#define NUMBER_AT 4
#define NUMBER_LEN 12
#define KIND_AT (NUMBER_AT + NUMBER_LEN + 1)
#define ID_AT (KIND_AT + 2)

/* The number of a catalog, or 0: not a catalog's name. */
static uint64_t
number_of(const char *name)
{
	const char *kind = name + KIND_AT;

	if (strlen(name) != NEWEST_NAME_LEN ||
		strspn(name + NUMBER_AT, "0123456789") != NUMBER_LEN ||
		kind[-1] != '-' || kind[1] != '-' ||
		(kind[0] != 'f' && kind[0] != 't') ||
		strspn(name + ID_AT, "0123456789abcdef") != OBJECT_ID_LEN * 2)
		return 0;
	return NEWEST_NUMBER_MAX - strtoull(name + NUMBER_AT, NULL, 10);
}

/* -- Marks: before all catalogs in the order of names ------------------- */

#define MARK "cat/000000000000-s-"

void
newest_mark_name(char *out, const uint8_t source[SOURCE_KEY_LEN])
{
	hex_encode(stpcpy(out, MARK), source, SOURCE_KEY_LEN);
}

static bool
is_mark(const char *name)
{
	return !strncmp(name, MARK, strlen(MARK)) &&
	       strspn(name + strlen(MARK), "0123456789abcdef") ==
		       SOURCE_KEY_LEN * 2 &&
	       strlen(name) == strlen(MARK) + SOURCE_KEY_LEN * 2;
}

/* -- Catalogs ----------------------------------------------------------- */

bool
newest_is_full(const char *name)
{
	return name[KIND_AT] == 'f';
}

/* Names come in the order of falling numbers; of one number, the full first. */
static bool
note(void *ctx, const char *name, uint64_t size)
{
	struct newest *nw = ctx;
	uint64_t number = number_of(name);
	bool full = number && newest_is_full(name);

	(void)size;
	nw->marked |= is_mark(name);
	if (!number)
		return true;
	if (!nw->number)
		nw->number = number;
	if (nw->full && number < nw->full)
		return false;
	if (full && !nw->full)
		nw->full = number;
	if ((full || number == nw->number) && nw->n < NEWEST_MAX)
		memcpy(nw->names[nw->n++], name, NEWEST_NAME_LEN + 1);
	return true;
}

int
newest_list(struct store *s, struct newest *nw, struct err *e)
{
	*nw = (struct newest){ .n = 0 };
	/* a directory has all of them read anyway */
	if (s->local_path)
		return store_list_few(s, "cat/", note, nw, e);
	return store_list_names(s, "cat/", "", note, nw, e);
}

bool
newest_same(const struct newest *a, const struct newest *b)
{
	for (unsigned i = 0; i < a->n && i < b->n; i++) {
		if (strcmp(a->names[i], b->names[i]))
			return false;
	}
	return a->n == b->n;
}

int
newest_each(struct repository *rp, const char *name, catalog_record *found,
	void *ctx, struct err *e)
{
	auto_free uint8_t *plain = NULL;
	uint8_t id[OBJECT_ID_LEN];
	size_t len;
	int r;

	if (hex_decode(id, OBJECT_ID_LEN, name + ID_AT))
		return err_set(e, EUCLEAN, "%s: not a catalog's name", name);
	r = repository_load(rp, name, OBJECT_CATALOG, id, CATALOG_LEN_MAX,
		&plain, &len, NULL, e);
	if (r)
		return r;
	r = catalog_each(plain, len, found, ctx, e);
	if (r && e)
		err_prefix(e, "%s", name);
	return r;
}

int
newest_load(struct repository *rp, const char *name, struct catalog *c,
	struct err *e)
{
	int r;

	*c = (struct catalog){ .n = 0 };
	r = newest_each(rp, name, catalog_collect, c, e);
	if (r)
		catalog_release(c);
	return r;
}
