/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls of a store that need not wait for each other. */
#ifndef YORE_FETCH_TOGETHER_H
#define YORE_FETCH_TOGETHER_H

#include <stdbool.h>
#include <stddef.h>

#define TOGETHER_MAX 8 /* at the same time */

/*
 * Call run(ctx, i) for each i below n: in threads, the caller's among them, or
 * (not parallel) one after the other.  All have returned, and no thread is
 * left, when this does: a mount may fork then.
 */
void together_run(
	size_t n, bool parallel, void (*run)(void *ctx, size_t i), void *ctx);

#endif
