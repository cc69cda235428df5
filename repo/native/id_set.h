/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sets of object ids: filled, sorted, then asked.  Zeroed is empty. */
#ifndef YORE_NATIVE_ID_SET_H
#define YORE_NATIVE_ID_SET_H

#include <stdbool.h>
#include <stddef.h>
#include "repo/base/auto.h"
#include "repo/crypto/keyring.h"

struct id_set {
	uint8_t (*ids)[OBJECT_ID_LEN];
	size_t n, cap;
};

void id_set_add(struct id_set *s, const uint8_t id[OBJECT_ID_LEN]);
/* Before the first question, and after each change; drops what is there
 * twice. */
void id_set_sort(struct id_set *s);
bool id_set_has(const struct id_set *s, const uint8_t id[OBJECT_ID_LEN]);
void id_set_copy(struct id_set *to, const struct id_set *from);
void id_set_release(struct id_set *s);

#define auto_id_set AUTO(id_set_release)

#endif
