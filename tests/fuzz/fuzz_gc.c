/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whatever decodes as a state of pruning encodes to the same lists, and all
 * that it names is avoided. */
#include <assert.h>
#include <string.h>
#include "repo/format/gc.h"

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len);

static void
avoided(const struct gc_state *s, const struct gc_packs *list)
{
	for (size_t i = 0; i < list->n; i++) {
		struct frame_place at = { .object = list->p[i].object,
			.off = 64 };

		memcpy(at.pack, list->p[i].id, OBJECT_ID_LEN);
		assert(gc_state_avoids(s, &at));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	auto_buf struct buf b = BUF_INIT, again = BUF_INIT;
	auto_gc_state struct gc_state s = { .n = 0 }, back = { .n = 0 };

	if (len == GC_NAME_LEN) {
		char name[GC_NAME_LEN + 1] = "", own[GC_NAME_LEN + 1];
		uint64_t n;

		memcpy(name, in, len);
		n = gc_name_parse(name);
		gc_name(own, n);
		assert(n == 0 || strcmp(name, own) == 0);
	}
	if (gc_state_decode(in, len, &s, NULL))
		return 0;
	assert(s.condemned.n + s.sentenced.n + s.gone.n + s.lost.n <= len / 17);
	assert(gc_state_encode(&s, &b, NULL) == 0);
	assert(gc_state_decode(b.data, b.len, &back, NULL) == 0);
	assert(gc_state_encode(&back, &again, NULL) == 0);
	assert(b.len == again.len && !memcmp(b.data, again.data, b.len));
	avoided(&back, &s.condemned);
	avoided(&back, &s.sentenced);
	avoided(&back, &s.gone);
	return 0;
}
