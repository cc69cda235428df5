/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Key slots: objects keys/<id> that unlock the root secret
 * (FORMAT, "Key slots").  Several may exist; each opens the same secret.
 */
#ifndef YORE_CRYPTO_SLOT_H
#define YORE_CRYPTO_SLOT_H

#include <stdbool.h>
#include "repo/base/buf.h"
#include "repo/crypto/keyring.h"

enum slot_type {
	SLOT_OPEN = 0,	  /* no secret: anyone with the store reads it */
	SLOT_SCRYPT = 1,  /* passphrase */
	SLOT_KEYFILE = 2, /* bytes of a file, at least 32 */
};

#define SLOT_LEN 132		/* bytes of a slot object, version 1 */
#define SLOT_MAX 512		/* bytes to read of one of any version */
#define SLOT_LOG_N_DEFAULT 17	/* scrypt N = 2^17, 128 MiB */

/* What a caller can offer; borrowed for the call. */
struct slot_secret {
	enum slot_type type;
	const void *bytes; /* passphrase or key file; NULL for open */
	size_t len;
	unsigned log_n; /* scrypt only, when making: 15..20; 0 the default */
};

/*
 * Seal root into a new slot, appended to out.  -EINVAL for an empty
 * passphrase, a key file of less than 32 bytes, log_n out of bounds.
 */
int slot_make(const uint8_t repository_id[REPOSITORY_ID_LEN],
	const uint8_t root[KEY_LEN], const struct slot_secret *secret,
	struct buf *out, struct err *e);

/* The type of a slot without opening it; -EUCLEAN when it is none,
 * -EPROTONOSUPPORT when its version is newer than this program. */
int slot_type(const uint8_t *slot, size_t len, enum slot_type *type,
	struct err *e);

/*
 * Open a slot.  -EKEYREJECTED when the secret is of the other type or does not
 * fit (or the slot is damaged: the two cannot be told apart); -EUCLEAN,
 * -EPROTONOSUPPORT as in slot_type, -EUCLEAN also for parameters out of bounds (checked before any allocation).
 */
int slot_open(const uint8_t repository_id[REPOSITORY_ID_LEN],
	const uint8_t *slot, size_t len, const struct slot_secret *secret,
	uint8_t root[KEY_LEN], struct err *e);

#endif
