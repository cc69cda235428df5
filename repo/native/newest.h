/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The newest catalogs of a repository (FORMAT, "Catalogs"): their names, which
 * are at the beginning of what cat/ lists, and what is in them.
 */
#ifndef YORE_NATIVE_NEWEST_H
#define YORE_NATIVE_NEWEST_H

#include "repo/format/record.h"
#include "repo/native/repository.h"

#define NEWEST_NAME_LEN 51 /* cat/<12 digits>-<kind>-<32 digits> */
#define NEWEST_MAX 8	   /* more than one of a kind: writers raced */
#define NEWEST_NUMBER_MAX 999999999999
#define NEWEST_SEALED_MAX (CATALOG_LEN_MAX + (1u << 20))

/* The catalogs that say together which records there are: each full one of the
 * highest number of all full ones, each tail of the highest number of all. */
struct newest {
	char names[NEWEST_MAX][NEWEST_NAME_LEN + 1];
	unsigned n;
	uint64_t number; /* the highest; 0: there are none */
	uint64_t full;	 /* that of the full ones; 0: there are none */
	bool marked; /* catalogs lack snapshots of those who cannot read */
};

/* What marks a source whose snapshots no catalog needs to have. */
void newest_mark_name(char *out, const uint8_t source[SOURCE_KEY_LEN]);

/* List cat/, as far as it has to be: one page. */
int newest_list(struct store *s, struct newest *nw, struct err *e);
bool newest_same(const struct newest *a, const struct newest *b);
bool newest_is_full(const char *name);

/* Load one, record by record or whole; errors as repository_load and
 * catalog_each. */
int newest_each(struct repository *rp, const char *name, catalog_record *found,
	void *ctx, struct err *e);
int newest_load(struct repository *rp, const char *name, struct catalog *c,
	struct err *e);

#endif
