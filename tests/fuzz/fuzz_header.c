/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whatever decodes as a repository header ends in its mac line, names one id,
 * and says the same when it is written anew.
 */
#include <assert.h>
#include <string.h>
#include "repo/format/header.h"

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	struct repository_header h, back;
	auto_buf struct buf b = BUF_INIT;

	if (repository_header_decode(in, len, &h, NULL))
		return 0;
	assert(len <= HEADER_LEN_MAX);
	assert(h.mac_covers + strlen("mac ") + 2 * HASH_LEN + 1 == len);
	assert(!memcmp(in + h.mac_covers, "mac ", 4));
	assert(memchr(h.created, 0, sizeof(h.created)));
	repository_header_encode(&h, &b);
	assert(repository_header_decode(b.data, b.len, &back, NULL) < 0);
	repository_header_add_mac(&b, h.mac);
	assert(repository_header_decode(b.data, b.len, &back, NULL) == 0);
	assert(!memcmp(h.id, back.id, sizeof(h.id)));
	assert(!memcmp(h.mac, back.mac, sizeof(h.mac)));
	assert(!strcmp(h.created, back.created));
	return 0;
}
