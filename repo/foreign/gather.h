/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Several histories shown as one: the sources of all.  What is asked about a
 * source is handed on to the history it belongs to.
 */
#ifndef YORE_FOREIGN_GATHER_H
#define YORE_FOREIGN_GATHER_H

#include "repo/foreign/place.h"

/* Of n histories (at least one), which are taken over; the array is not.  Of
 * two sources with one name the later one is left out. */
struct history *gather_new(
	struct foreign_place *p, struct history *const *histories, size_t n);

#endif
