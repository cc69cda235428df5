/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The two clocks.  Order never comes from either. */
#ifndef YORE_BASE_CLOCK_H
#define YORE_BASE_CLOCK_H

#include <stdint.h>

#define NS_PER_S 1000000000LL

/* Wall clock, nanoseconds since 1970-01-01 UTC; for display and at/. */
int64_t clock_wall_ns(void);
/* Monotonic nanoseconds; for durations and timeouts. */
int64_t clock_mono_ns(void);

#endif
