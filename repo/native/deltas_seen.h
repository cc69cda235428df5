/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The newest delta of each base that this user has seen, kept beside the marks
 * of repo/native/state.h (<repository id>/deltas/<id of the base>: its number), so
 * that a store which goes back in time is noticed in the middle of a base, too.
 */
#ifndef YORE_NATIVE_DELTAS_SEEN_H
#define YORE_NATIVE_DELTAS_SEEN_H

#include "repo/native/deltas.h"

/* The newest delta is number n now (0: there is none): a warning when it was a
 * later one before, else that is remembered. */
void deltas_seen(const struct repository *rp, const struct delta_base *base,
	const char *label, uint64_t n);

/* The highest number that was ever seen; 0: none, or it is not known. */
uint64_t deltas_seen_before(
	const struct repository *rp, const struct delta_base *base);

#endif
