/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Adds a passphrase slot and a key file slot to a repository that has an open
 * one: slots REPO PASSWORD-FILE KEY-FILE
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "repo/base/hex.h"
#include "repo/crypto/slot.h"
#include "repo/native/repository.h"
#include "repo/store/store.h"

static int
add_slot(const struct repository *rp, struct sink *sink, enum slot_type type,
	const char *path, struct err *e)
{
	auto_fclose FILE *f = fopen(path, "rb");
	auto_buf struct buf slot = BUF_INIT;
	char bytes[4096], name[64], hex[33];
	uint8_t id[16];
	struct slot_secret secret = { .type = type,
		.bytes = bytes,
		.log_n = type == SLOT_SCRYPT ? 15 : 0 };
	int r;

	if (!f)
		return err_set(e, errno, "%s: cannot open", path);
	secret.len = fread(bytes, 1, sizeof(bytes), f);
	if (type == SLOT_SCRYPT && secret.len && bytes[secret.len - 1] == '\n')
		secret.len--;
	r = slot_make(rp->header.id, rp->keys->root, &secret, &slot, e);
	random_bytes(id, sizeof(id));
	snprintf(name, sizeof(name), "keys/%s", hex_encode(hex, id, 16));
	return r ? r : sink_put(sink, name, slot.data, slot.len, e);
}

int
main(int argc, char **argv)
{
	auto_repository struct repository *rp = NULL;
	auto_sink struct sink *sink = NULL;
	struct err e = ERR_INIT;

	if (argc != 4) {
		fprintf(stderr, "usage: slots REPO PASSWORD-FILE KEY-FILE\n");
		return 2;
	}
	if (repository_open(argv[1], NULL, &rp, &e) ||
		sink_open(argv[1], false, &sink, &e) ||
		add_slot(rp, sink, SLOT_SCRYPT, argv[2], &e) ||
		add_slot(rp, sink, SLOT_KEYFILE, argv[3], &e)) {
		fprintf(stderr, "slots: %s\n", e.text);
		return 1;
	}
	return 0;
}
