/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a build under a sanitizer, several times slower, does otherwise. */
#ifndef YORE_TESTS_SANITIZED_H
#define YORE_TESTS_SANITIZED_H

#include <stddef.h>
#include <stdlib.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

/* How many of many cases of a kind to go on by: 1, all of them; under a
 * sanitizer n, unless YORE_TEST_FULL is set. */
static inline size_t
sanitized_step(size_t n)
{
	return SANITIZED && !getenv("YORE_TEST_FULL") ? n : 1;
}

#endif
