/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names of objects, ids of states and what is kept of logs (the first byte says
 * which): what is taken comes out again as it went in, and is within bounds.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "repo/foreign/litestream03/id.h"
#include "repo/foreign/litestream03/log_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len);

static void
check_name(const char *text)
{
	struct ls03_name n;
	char again[LS03_NAME_MAX];

	if (!ls03_name_parse(text, &n))
		return;
	assert(n.index <= LS03_INDEX_MAX && n.off <= INT64_MAX);
	assert(ls03_name_is_generation(n.generation));
	ls03_name_print(again, &n);
	assert(strcmp(again, text) == 0);
}

static void
check_id(const char *text)
{
	struct ls03_id id;

	if (!ls03_id_parse(text, &id))
		return;
	assert(ls03_name_is_generation(id.generation));
	assert(id.index <= LS03_INDEX_MAX);
	assert(!id.is_snapshot || !id.has_off);
	assert(strncmp(text, id.generation, LS03_GENERATION_LEN) == 0);
}

static void
check_record(const uint8_t *in, size_t len)
{
	auto_ls03_log struct ls03_log log = { .first = 0 };
	auto_buf struct buf out = BUF_INIT;
	int r = ls03_log_record_decode(in, len, &log);

	if (r < 0)
		return;
	assert(log.n_segments > 0 && log.n_frames <= LS03_FRAMES_MAX);
	assert(log.segments[log.n_segments - 1].end == log.n_frames);
	for (size_t i = 0; i < log.n_frames; i++)
		assert(ls03_log_segment(&log, i) < log.n_segments);
	ls03_log_record_encode(&log, &out);
	assert(out.len == len);
}

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	auto_free char *text = NULL;

	if (len == 0)
		return 0;
	text = strndup((const char *)in + 1, len - 1);
	if (in[0] % 3 == 0)
		check_name(text);
	else if (in[0] % 3 == 1)
		check_id(text);
	else
		check_record(in + 1, len - 1);
	return 0;
}
