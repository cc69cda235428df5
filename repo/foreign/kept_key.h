/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The key that kept.h seals with; private to it. */
#ifndef YORE_FOREIGN_KEPT_KEY_H
#define YORE_FOREIGN_KEPT_KEY_H

#include "repo/crypto/keyring.h"

/*
 * The user's key, made if there is none.  false: none can be kept (no home, a
 * file that is not ours alone, a full disk); key is random then.
 */
bool kept_key_load(uint8_t key[KEY_LEN]);

#endif
