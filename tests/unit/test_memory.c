/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/base/memory.h"
#include "tests/unit/unit.h"

#define GETS 8
#define FRAMES 256
#define FRAME (64u << 10)
#define GET (2u << 20)

static void *
touched(size_t len)
{
	return memset(xmalloc(len), 1, len);
}

/* What gets bring is kept for long; what they came into, as mount and disk
 * cache have it, is not. */
static void
a_buffer_that_is_freed_leaves_no_hole_among_those_that_are_kept(void **state)
{
	void *kept[FRAMES], *gets[GETS];

	(void)state;
	memory_return_buffers();
	kept[0] = touched(FRAME);
	free(kept[0]);
	if (mallinfo2().arena == 0)
		skip(); /* it is a sanitizer's malloc */
	free(touched(GET)); /* malloc would think that there will be more */
	for (size_t i = 0; i < FRAMES; i++) {
		if (i % (FRAMES / GETS) == 0)
			gets[i / (FRAMES / GETS)] = touched(GET);
		kept[i] = touched(FRAME);
	}
	for (size_t i = 0; i < GETS; i++)
		free(gets[i]);
	assert_in_range(
		mallinfo2().arena, FRAMES * FRAME, FRAMES * FRAME + GET);
	for (size_t i = 0; i < FRAMES; i++)
		free(kept[i]);
	assert_in_range(mallinfo2().arena, 0, 3 * GET);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_buffer_that_is_freed_leaves_no_hole_among_those_that_are_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
