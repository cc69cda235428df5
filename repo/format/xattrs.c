/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include "repo/format/entry.h"

void
xattrs_encode(struct buf *b, const char *const *names,
	const void *const *values, const size_t *value_lens, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		buf_bytes(b, names[i], strlen(names[i]));
		buf_bytes(b, values[i], value_lens[i]);
	}
}

int
xattrs_next(const uint8_t *data, size_t len, size_t *pos, const uint8_t **name,
	size_t *name_len, const uint8_t **value, size_t *value_len)
{
	struct reader r;

	if (*pos >= len)
		return 0;
	r = reader_of(data + *pos, len - *pos);
	*name = read_blob(&r, 255, name_len);
	*value = read_blob(&r, XATTRS_LEN_MAX, value_len);
	if (r.bad || *name_len == 0 || memchr(*name, 0, *name_len))
		return -EUCLEAN;
	*pos = (size_t)(r.p - data);
	return 1;
}
