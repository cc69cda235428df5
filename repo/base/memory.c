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
