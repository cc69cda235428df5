/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A slot opens when it is a known one, bit for bit, and never otherwise.
 *
 * Input: which of two known slots; then either what to flip in it, or a slot
 * of its own.  Passphrase slots are refused by the type of the secret, after
 * their parameters were looked at: stretching is too slow for this.
 */
#include <assert.h>
#include <string.h>
#include "repo/base/auto.h"
#include "repo/crypto/slot.h"
#include "tests/unit/crypto_vectors.h"

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len);

static const struct slot_secret secrets[] = {
	{ .type = SLOT_OPEN },
	{ .type = SLOT_KEYFILE,
		.bytes = vector_key_file,
		.len = sizeof(vector_key_file) },
};
static const uint8_t *const known[] = { vector_slot_open, vector_slot_keyfile };

static void
check(const uint8_t *slot, size_t len, unsigned which)
{
	bool good = len == SLOT_LEN && memcmp(slot, known[which], len) == 0;
	uint8_t root[KEY_LEN] = { 0 };
	struct err e = ERR_INIT;
	enum slot_type type;
	int r = slot_open(
		vector_repository_id, slot, len, &secrets[which], root, &e);

	assert((r == 0) == good && r == -e.code);
	assert(!good || memcmp(root, vector_root, KEY_LEN) == 0);
	if (slot_type(slot, len, &type, NULL) == 0)
		assert(len == SLOT_LEN && type <= SLOT_KEYFILE);
}

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	uint8_t slot[SLOT_LEN];

	if (len < 1)
		return 0;
	unsigned which = in[0] & 1;

	if (in[0] & 2) {
		check(in + 1, len - 1, which);
		return 0;
	}
	memcpy(slot, known[which], SLOT_LEN);
	for (size_t i = 0; i < len - 1 && i < SLOT_LEN; i++)
		slot[i] ^= in[1 + i];
	check(slot, SLOT_LEN, which);
	return 0;
}
