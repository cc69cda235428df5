/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <malloc.h>
#include "repo/base/memory.h"

void
memory_keep_buffers(void)
{
	mallopt(M_MMAP_THRESHOLD, 32 << 20);
	mallopt(M_TRIM_THRESHOLD, 32 << 20);
	mallopt(M_ARENA_MAX, 2);
}

void
memory_return_buffers(void)
{
	/* set, so that they do not grow with what was freed last */
	mallopt(M_MMAP_THRESHOLD, 1280 << 10);
	mallopt(M_TRIM_THRESHOLD, 4 << 20);
	mallopt(M_ARENA_MAX, 1);
}
