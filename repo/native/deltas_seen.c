/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/native/deltas_seen.h"

#include <inttypes.h>
#include <stdio.h>
#include "repo/base/hex.h"
#include "repo/base/log.h"
#include "repo/base/state_dir.h"
#include "repo/native/state.h"

static uint64_t
read_mark(const char *path)
{
	auto_fclose FILE *f = fopen(path, "re");
	uint64_t n = 0;

	return f && fscanf(f, "%" SCNu64, &n) == 1 ? n : 0;
}

static char *
path_of(const struct repository *rp, const struct delta_base *base)
{
	char id[OBJECT_ID_LEN * 2 + 1];
	auto_free char *below = xasprintf("%s/deltas/%s", rp->id_text,
		hex_encode(id, base->id, OBJECT_ID_LEN));

	return state_dir(below);
}

uint64_t
deltas_seen_before(const struct repository *rp, const struct delta_base *base)
{
	auto_free char *path = path_of(rp, base);

	return read_mark(path);
}

void
deltas_seen(const struct repository *rp, const struct delta_base *base,
	const char *label, uint64_t n)
{
	auto_free char *path = path_of(rp, base);
	uint64_t before = read_mark(path);
	auto_buf struct buf b = BUF_INIT;

	if (n < before)
		log_warn("%s: %s has %" PRIu64 " deltas of its snapshot number "
			 "%" PRIu64 ", %" PRIu64 " were here before: the store "
			 "was put back",
			rp->store->name, label, n, base->seq, before);
	if (n <= before)
		return;
	buf_printf(&b, "%" PRIu64 "\n", n);
	state_write(path, &b);
}
