/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An unlocked repository: its store, its header, its keys; and the loading of
 * small sealed objects.  Never writes.
 */
#ifndef YORE_NATIVE_REPOSITORY_H
#define YORE_NATIVE_REPOSITORY_H

#include "repo/crypto/keyring.h"
#include "repo/crypto/seal.h"
#include "repo/format/header.h"
#include "repo/open.h"
#include "repo/store/store.h"

struct early; /* what was fetched before it was asked for; early.h */

struct repository {
	struct store *store;
	struct early *early; /* or NULL */
	struct keyring *keys;
	struct repository_header header;
	char id_text[REPOSITORY_ID_LEN * 2 + 1];
	bool sealed; /* it took a secret to unlock it */
	char slot[STORE_NAME_MAX + 1]; /* the key slot that did it */
};

/* Open the store, read and check `format`, unlock.  *rp is given.
 * Errors as history_open_repository. */
int repository_open(const char *repo, const struct history_open_options *o,
	struct repository **rp, struct err *e);
/* The same for who is about to list the snapshots: of a remote repository the
 * newest catalogs are fetched while the key slots are, a local one is listed
 * while OpenSSL is set up (rp->early). */
int repository_open_early(const char *repo,
	const struct history_open_options *o, struct repository **rp,
	struct err *e);
/* repository_open of a store that is open; takes it over, also when it fails. */
int repository_open_on(struct store *s, const struct history_open_options *o,
	struct repository **rp, struct err *e);
void repository_free(struct repository *rp);

/*
 * Load an object that consists of a header and frames of one type: a record
 * or a catalog.  *plain (given) is the frames' plaintexts joined, at most max
 * bytes.  Checks that the header's type, repository and (if id is not NULL) id
 * are as expected.  hash (may be NULL) is the SHA-256 of the sealed object.
 */
int repository_load(struct repository *rp, const char *name,
	enum object_type type, const uint8_t id[OBJECT_ID_LEN], size_t max,
	uint8_t **plain, size_t *len, uint8_t hash[32], struct err *e);

/* The same of an object that is at hand, in n bytes of data, which it may
 * spoil. */
int repository_unseal(struct repository *rp, uint8_t *data, size_t n,
	enum object_type type, const uint8_t id[OBJECT_ID_LEN], size_t max,
	uint8_t **plain, size_t *len, struct err *e);

#define auto_repository AUTO(repository_auto_)
static inline void
repository_auto_(struct repository **rp)
{
	repository_free(*rp);
}

#endif
