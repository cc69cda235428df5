/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Values on command lines. */
#ifndef YORE_TOOLS_PARSE_H
#define YORE_TOOLS_PARSE_H

#include <stdint.h>

/* 0, 1, 4096, 10k, 1.5M, 2G, 3T (powers of 1024); -EINVAL for others. */
int parse_size(const char *text, uint64_t *size);
/* A whole number within min..max; -EINVAL. */
int parse_number(const char *text, uint64_t min, uint64_t max, uint64_t *v);
/* A time that passes, up to 100 years: 1, 0.5s, 10m, 24h, 7d, 4w, 1y (of 365
 * days); -EINVAL. */
int parse_duration(const char *text, int64_t *ns);

#endif
