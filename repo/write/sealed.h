/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Small sealed objects: records, catalogs, index segments, in memory. */
#ifndef YORE_WRITE_SEALED_H
#define YORE_WRITE_SEALED_H

#include "repo/base/buf.h"
#include "repo/crypto/keyring.h"
#include "repo/crypto/seal.h"

struct sealed {
	struct buf bytes; /* header and frames so far */
	uint8_t id[OBJECT_ID_LEN];
	struct object_key key;
	struct packer *packer;
};

/* A header with a new random id. */
void sealed_init(struct sealed *s, const struct keyring *keys,
	enum object_type type);
void sealed_release(struct sealed *s);
/* Append a frame; its offset is the length before. */
int sealed_add(struct sealed *s, enum frame_type type, const void *plain,
	size_t len, struct err *e);

#define auto_sealed AUTO(sealed_release)

#endif
