/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>
#include "repo/base/bytes.h"
#include "repo/sqlite/header.h"

static const char magic[16] = "SQLite format 3";

/*
 * The number of pages counts only if it was written with the last change:
 * versions before 3.7 do not know the field and leave it as it is.
 */
static uint32_t
pages_of(const uint8_t *in)
{
	return get_be32(in + 24) == get_be32(in + 92) ? get_be32(in + 28) : 0;
}

int
sqlite_header_decode(const uint8_t in[SQLITE_HEADER_LEN],
	struct sqlite_header *h, struct err *e)
{
	uint32_t size = get_be16(in + 16);
	uint8_t write = in[SQLITE_HEADER_VERSIONS_AT];
	uint8_t read = in[SQLITE_HEADER_VERSIONS_AT + 1];

	memset(h, 0, sizeof(*h));
	if (memcmp(in, magic, sizeof(magic)))
		return err_set(e, EUCLEAN, "not an SQLite database");
	if (size == 1)
		size = 65536;
	if (size < 512 || (size & (size - 1)))
		return err_set(e, EUCLEAN,
			"an SQLite database with pages of %u bytes", size);
	if (read < 1 || read > 2 || write < 1 || write > 2)
		return err_set(e, EUCLEAN,
			"an SQLite database of an unknown version, %u/%u",
			write, read);
	*h = (struct sqlite_header){
		.page_size = size,
		.wal = read == 2 && write == 2,
		.changes = get_be32(in + 24),
		.pages = pages_of(in),
	};
	return 0;
}
