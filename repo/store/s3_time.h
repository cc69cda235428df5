/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Moments as services write them. */
#ifndef YORE_STORE_S3_TIME_H
#define YORE_STORE_S3_TIME_H

#include <stdint.h>

#define S3_TIME_MAX 40		  /* longer ones are none */
#define S3_TIME_UNKNOWN INT64_MIN /* STORE_TIME_UNKNOWN */

/* 2026-11-20T10:32:15Z, with any fraction (RFC 3339 in UTC), as ns since 1970,
 * cut to whole ones.  S3_TIME_UNKNOWN: it is none from 1970 to 2261. */
int64_t s3_time_parse(const char *text);

#endif
