/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A state of pruning with something in every list. */
#ifndef YORE_TESTS_GC_STATES_H
#define YORE_TESTS_GC_STATES_H

#include <string.h>
#include "repo/format/gc.h"

/* n packs condemned, of which every third is sentenced; as many gone, half as
 * many frames lost.  Not sorted. */
static inline void
make_gc_state(struct gc_state *s, uint32_t n)
{
	*s = (struct gc_state){ .n = 42, .time_ns = -1763000000123456789 };
	memset(s->previous, 0x5a, HASH_LEN);
	for (uint32_t i = n; i-- > 0;) {
		enum object_type object = i % 2 ? OBJECT_META : OBJECT_DATA;
		uint8_t id[OBJECT_ID_LEN] = { (uint8_t)(i * 37), (uint8_t)i,
			(uint8_t)(i >> 8), (uint8_t)(i >> 16) };
		struct frame_place at = { .object = (uint8_t)object,
			.off = i % 4 ? 64 + i * 1000ULL : 0, .len = 100 + i };

		gc_packs_add(&s->condemned, object, id, 1 + i % 42);
		if (i % 3 == 0)
			gc_packs_add(&s->sentenced, object, id, 0);
		memcpy(at.pack, id, OBJECT_ID_LEN);
		if (i % 2)
			gc_frames_add(&s->lost, &at);
		id[15] = 1;
		gc_packs_add(&s->gone, object, id, 0);
	}
}

#endif
