/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The view of one log of a zlayer replica as it lies in the store. */
#ifndef YORE_FOREIGN_ZLAYER_RAW_H
#define YORE_FOREIGN_ZLAYER_RAW_H

#include "repo/foreign/stem.h"
#include "repo/foreign/zlayer_roll.h"

/* Log w; stem is kept until the view is gone, label is copied. */
void zlayer_raw_open(struct stem *stem, const struct zlayer_roll *r, size_t w,
	const char *label, struct view **view);

#endif
