/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <time.h>
#include "repo/base/hex.h"
#include "repo/format/header.h"
#include "repo/native/slots_seen.h"
#include "repo/native/state.h"
#include "repo/store/store.h"
#include "repo/write/init.h"
#include "repo/write/stash.h"

/* What is put there. */
struct new_repository {
	struct repository_header header;
	struct keyring *keys;
	struct buf text, slot;
	char slot_name[64];
	bool sealed;
};

static void
new_release(struct new_repository *n)
{
	keyring_free(n->keys);
	buf_release(&n->text);
	buf_release(&n->slot);
}

static int
make_slot(struct new_repository *n, const uint8_t *root,
	const struct slot_secret *secret, struct err *e)
{
	char hex[33];
	uint8_t id[16];

	random_bytes(id, sizeof(id));
	snprintf(n->slot_name, sizeof(n->slot_name), "keys/%s",
		hex_encode(hex, id, 16));
	n->sealed = secret->type != SLOT_OPEN;
	return slot_make(n->header.id, root, secret, &n->slot, e);
}

static void
make_header(struct new_repository *n, const uint8_t *root)
{
	uint8_t mac[HASH_LEN];

	n->keys = keyring_new(n->header.id, root);
	repository_header_encode(&n->header, &n->text);
	header_mac(n->keys, n->text.data, n->text.len, mac);
	repository_header_add_mac(&n->text, mac);
}

/* The header is put last: before it is there, there is no repository. */
static int
put_both(struct sink *sink, const struct new_repository *n, struct err *e)
{
	int r = sink_put(sink, n->slot_name, n->slot.data, n->slot.len, e);

	return r ? r : sink_put(sink, "format", n->text.data, n->text.len, e);
}

/* A key that only writes may be all that backups will have. */
static void
keep(const char *repo, const struct new_repository *n)
{
	struct repository rp = { .keys = n->keys,
		.header = n->header,
		.sealed = n->sealed };

	state_pin_forget(repo);
	hex_encode(rp.id_text, n->header.id, sizeof(n->header.id));
	slots_seen_first(&rp, n->slot_name, n->slot.data, n->slot.len);
	if (store_open(repo, &rp.store, NULL))
		return;
	if (!rp.store->local_path && !state_pin(&rp, NULL))
		stash_made(&rp, &n->text, n->slot_name, &n->slot);
	store_free(rp.store);
}

static bool
stop_at_first(void *ctx, const char *name, uint64_t size)
{
	(void)name;
	(void)size;
	*(bool *)ctx = true;
	return false;
}

/* -EEXIST when anything lies at repo already. */
static int
check_empty(const char *repo, struct err *e)
{
	auto_store struct store *store = NULL;
	bool found = false;
	uint64_t size;
	int r = store_open(repo, &store, e);

	if (r == -ENOENT)
		return 0;
	if (r)
		return r;
	if (!store_size(store, "format", &size, NULL))
		return err_set(e, EEXIST, "%s: there is a yore repository already",
			store->name);
	r = store_list(store, "", "", stop_at_first, &found, e);
	if (!r && found)
		return err_set(e, EEXIST,
			"%s: not empty; a repository needs a directory of its own",
			store->name);
	return r;
}

int
repository_init(const char *repo, const struct slot_secret *secret,
	char id_text[33], struct err *e)
{
	auto_sink struct sink *sink = NULL;
	struct new_repository n = { .sealed = false };
	uint8_t *root;
	time_t now = time(NULL);
	struct tm tm;
	int r = check_empty(repo, e);

	if (!r)
		r = sink_open(repo, true, &sink, e);
	if (r)
		return r;
	random_bytes(n.header.id, sizeof(n.header.id));
	gmtime_r(&now, &tm);
	strftime(n.header.created, sizeof(n.header.created),
		"%Y-%m-%dT%H:%M:%SZ", &tm);
	root = secret_alloc(KEY_LEN);
	random_bytes(root, KEY_LEN);
	r = make_slot(&n, root, secret, e);
	if (!r)
		make_header(&n, root);
	secret_free(root, KEY_LEN);
	if (!r)
		r = put_both(sink, &n, e);
	if (!r)
		keep(repo, &n);
	hex_encode(id_text, n.header.id, sizeof(n.header.id));
	new_release(&n);
	return r;
}
