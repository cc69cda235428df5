/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A name is taken apart leniently and put together again: what does not come
 * out the same was none.
 */
#include "repo/foreign/litestream03/name.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "repo/base/auto.h"

static const struct {
	const char *folder;
	unsigned index_digits, off_digits;
	char between; /* index and offset; 0: no offset */
	const char *ending;
} kinds[] = {
	[LS03_SNAPSHOT] = { "snapshots/", 8, 0, 0, ".snapshot.lz4" },
	[LS03_SNAPSHOT_16] = { "snapshots/", 16, 0, 0, ".snapshot.lz4" },
	[LS03_SEGMENT] = { "wal/", 8, 8, '_', ".wal.lz4" },
	[LS03_SEGMENT_8] = { "wal/", 8, 8, '/', ".wal.lz4" },
	[LS03_SEGMENT_16] = { "wal/", 16, 16, '/', ".wal.lz4" },
	[LS03_WHOLE] = { "wal/", 8, 0, 0, ".wal.lz4" },
	[LS03_LIVE] = { "wal/", 8, 0, 0, ".wal" },
};

static bool
is_digit(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

bool
ls03_name_is_generation(const char *text)
{
	for (int i = 0; i < LS03_GENERATION_LEN; i++)
		if (!is_digit(text[i]))
			return false;
	return text[LS03_GENERATION_LEN] == '\0' ||
	       text[LS03_GENERATION_LEN] == '/';
}

void
ls03_name_print(char out[LS03_NAME_MAX], const struct ls03_name *n)
{
	int len = snprintf(out, LS03_NAME_MAX, "%s/%s%0*" PRIx32, n->generation,
		kinds[n->kind].folder, (int)kinds[n->kind].index_digits,
		n->index);

	if (kinds[n->kind].between)
		len += snprintf(out + len, LS03_NAME_MAX - (size_t)len,
			"%c%0*" PRIx64, kinds[n->kind].between,
			(int)kinds[n->kind].off_digits, n->off);
	snprintf(out + len, LS03_NAME_MAX - (size_t)len, "%s",
		kinds[n->kind].ending);
}

/* At most 16 digits at *p, which moves behind them. */
static uint64_t
take_number(const char **p)
{
	uint64_t n = 0;

	for (int i = 0; i < 16 && is_digit(**p); i++, ++*p)
		n = n * 16 +
		    (uint64_t)(**p <= '9' ? **p - '0' : **p - 'a' + 10);
	return n;
}

static bool
is_kind(const char *name, enum ls03_kind kind, struct ls03_name *n)
{
	const char *p = name + LS03_GENERATION_LEN + 1;
	size_t folder = strlen(kinds[kind].folder);
	char again[LS03_NAME_MAX];
	uint64_t index;

	if (strncmp(p, kinds[kind].folder, folder) != 0)
		return false;
	p += folder;
	index = take_number(&p);
	if (index > LS03_INDEX_MAX)
		return false;
	n->kind = kind;
	n->index = (uint32_t)index;
	n->off = 0;
	if (kinds[kind].between && *p == kinds[kind].between) {
		p++;
		n->off = take_number(&p);
	}
	ls03_name_print(again, n);
	return n->off <= INT64_MAX && strcmp(again, name) == 0;
}

bool
ls03_name_parse(const char *name, struct ls03_name *n)
{
	if (!ls03_name_is_generation(name) || !name[LS03_GENERATION_LEN])
		return false;
	memcpy(n->generation, name, LS03_GENERATION_LEN);
	n->generation[LS03_GENERATION_LEN] = '\0';
	for (size_t i = 0; i < n_elements(kinds); i++)
		if (is_kind(name, (enum ls03_kind)i, n))
			return true;
	return false;
}
