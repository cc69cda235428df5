/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The object `format`: the repository's header in clear text
 * (FORMAT, "Repository header"). */
#ifndef YORE_FORMAT_HEADER_H
#define YORE_FORMAT_HEADER_H

#include <stdbool.h>
#include "repo/base/buf.h"
#include "repo/base/err.h"
#include "repo/crypto/id.h"

#define HEADER_LEN_MAX 4096
#define HEADER_VERSION 1

struct repository_header {
	uint8_t id[REPOSITORY_ID_LEN];
	char created[24]; /* RFC 3339, UTC, seconds */
	uint8_t mac[HASH_LEN];
	size_t mac_covers; /* bytes of the text that the mac is over */
	bool must_write_unknown; /* reading is allowed, writing is not */
};

/* The text up to the mac line. */
void repository_header_encode(const struct repository_header *h,
	struct buf *b);
/* Append the mac line. */
void repository_header_add_mac(struct buf *b, const uint8_t mac[HASH_LEN]);
/* -EUCLEAN not a yore repository, -EPROTONOSUPPORT a newer one. */
int repository_header_decode(const uint8_t *text, size_t len,
	struct repository_header *h, struct err *e);

#endif
