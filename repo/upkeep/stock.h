/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a repository consists of by what its store lists, looked at twice: names
 * that are not in order, or there twice, are a listing that cannot be believed.
 * Never writes.
 */
#ifndef YORE_UPKEEP_STOCK_H
#define YORE_UPKEEP_STOCK_H

#include <stdbool.h>
#include "repo/crypto/keyring.h"
#include "repo/native/records.h"
#include "repo/store/store.h"

/* What is found out about a pack. */
enum stock_flags {
	STOCK_LIVE = 1,	  /* a snapshot uses it */
	STOCK_PINNED = 2, /* one uses it that must find it where it is */
	STOCK_TRASH = 4,  /* a snapshot in the trash uses it */
	STOCK_CONDEMNED = 16,
	STOCK_SENTENCED = 32,
	STOCK_DUE = 64,	 /* condemned for long enough */
	STOCK_HEIR = 128, /* has what snapshots look for in one that is due */
	STOCK_COPY = 256, /* what is live in it is to be copied */
	STOCK_KEEP = 512, /* must not be condemned */
	STOCK_ODD = 1024, /* references contradict its size or table */
	STOCK_HINTED = 8, /* the hint of a snapshot names it, of any use or
			   * none; not of one in the trash */
	STOCK_DELETED = 2048,
};

struct stock_pack {
	uint8_t id[OBJECT_ID_LEN];
	uint8_t object; /* OBJECT_DATA or OBJECT_META */
	uint16_t flags; /* enum stock_flags */
	uint64_t size;
	int64_t modified_ns;
	uint64_t live; /* sealed bytes of it that are in use, about */
};

struct stock_object {
	char *name;
	uint64_t size;
	int64_t modified_ns;
};

struct stock_objects {
	struct stock_object *o;
	size_t n, cap;
};

struct stock {
	struct stock_pack *packs; /* by object, then id */
	size_t n_packs, cap_packs;
	struct stock_objects segments, catalogs, states, trash;
	struct record_places records, trashed; /* trashed[i] is trash.o[i] */
};

/*
 * List records, then the trash (a record is put there before it is removed), the
 * states, catalogs and segments; then packs, so that what those name is listed
 * if it is there.  -EUCLEAN: the listing contradicts itself.
 */
int stock_take(struct store *store, struct stock *s, struct err *e);
int stock_take_packs(struct store *store, struct stock *s, struct err *e);
void stock_release(struct stock *s);

/* The number of a pack, or STOCK_NONE. */
#define STOCK_NONE UINT32_MAX
uint32_t stock_find(const struct stock *s, uint8_t object,
	const uint8_t id[OBJECT_ID_LEN]);
/* List records (again): those below snap/, ascending, are added. */
int stock_records(struct store *store, struct record_places *all,
	struct err *e);
/* List what is below a prefix, checked likewise. */
int stock_list(struct store *store, const char *prefix,
	struct stock_objects *list, struct err *e);
void stock_objects_release(struct stock_objects *list);

#define auto_stock AUTO(stock_release)

#endif
