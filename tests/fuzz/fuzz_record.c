/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whatever decodes as a record has what a record must have, encodes to a
 * record that decodes and encodes to the same bytes; and a name that parses as
 * a record's is told again by what was parsed.
 */
#include <assert.h>
#include <stdio.h>
#include <sys/stat.h>
#include "repo/base/hex.h"
#include "repo/format/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len);

static void
check_name(const uint8_t *in, size_t len)
{
	char name[201] = { 0 }, start[32], end[OBJECT_ID_LEN * 2 + 1];
	uint8_t id[OBJECT_ID_LEN];
	uint64_t seq;

	memcpy(name, in, len < 200 ? len : 200);
	if (record_name_parse(name, &seq, id))
		return;
	assert(seq > 0 && seq < 1000000000000);
	snprintf(start, sizeof(start), "/%012llu-", (unsigned long long)seq);
	hex_encode(end, id, sizeof(id));
	assert(!strncmp(name, "snap/", 5) && strstr(name, start));
	assert(!strcmp(name + strlen(name) - strlen(end), end));
}

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	auto_buf struct buf b = BUF_INIT, again = BUF_INIT;
	struct record r, back;

	check_name(in, len);
	if (record_decode(in, len, &r, NULL))
		return 0;
	assert(*r.host && *r.name && r.seq && r.generation <= r.seq);
	assert(S_ISDIR(r.root.mode) && r.n_tags <= RECORD_TAGS_MAX);
	record_encode(&r, true, &b);
	assert(record_decode(b.data, b.len, &back, NULL) == 0);
	record_encode(&back, true, &again);
	assert(b.len == again.len && !memcmp(b.data, again.data, b.len));
	record_release(&back);
	b.len = 0;
	record_encode(&r, false, &b);
	assert(record_decode(b.data, b.len, &back, NULL) == 0);
	assert(!back.root_page);
	record_release(&back);
	record_release(&r);
	return 0;
}
