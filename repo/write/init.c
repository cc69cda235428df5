/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <time.h>
#include "repo/base/hex.h"
#include "repo/format/header.h"
#include "repo/native/state.h"
#include "repo/store/store.h"
#include "repo/write/init.h"

static int
put_slot(struct sink *sink, const struct repository_header *h,
	const uint8_t *root, const struct slot_secret *secret, struct err *e)
{
	auto_buf struct buf slot = BUF_INIT;
	char name[64], hex[33];
	uint8_t id[16];
	int r = slot_make(h->id, root, secret, &slot, e);

	if (r)
		return r;
	random_bytes(id, sizeof(id));
	snprintf(name, sizeof(name), "keys/%s", hex_encode(hex, id, 16));
	return sink_put(sink, name, slot.data, slot.len, e);
}

static int
put_header(struct sink *sink, const struct repository_header *h,
	const uint8_t *root, struct err *e)
{
	struct keyring *keys = keyring_new(h->id, root);
	auto_buf struct buf text = BUF_INIT;
	uint8_t mac[HASH_LEN];

	repository_header_encode(h, &text);
	header_mac(keys, text.data, text.len, mac);
	repository_header_add_mac(&text, mac);
	keyring_free(keys);
	return sink_put(sink, "format", text.data, text.len, e);
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

/* The header is written last: before it is there, there is no repository. */
int
repository_init(const char *repo, const struct slot_secret *secret,
	char id_text[33], struct err *e)
{
	auto_sink struct sink *sink = NULL;
	struct repository_header h = { .mac_covers = 0 };
	uint8_t *root;
	time_t now = time(NULL);
	struct tm tm;
	int r = check_empty(repo, e);

	if (!r)
		r = sink_open(repo, true, &sink, e);
	if (r)
		return r;
	random_bytes(h.id, sizeof(h.id));
	gmtime_r(&now, &tm);
	strftime(h.created, sizeof(h.created), "%Y-%m-%dT%H:%M:%SZ", &tm);
	root = secret_alloc(KEY_LEN);
	random_bytes(root, KEY_LEN);
	r = put_slot(sink, &h, root, secret, e);
	if (!r)
		r = put_header(sink, &h, root, e);
	secret_free(root, KEY_LEN);
	if (!r)
		state_pin_forget(repo);
	hex_encode(id_text, h.id, sizeof(h.id));
	return r;
}
