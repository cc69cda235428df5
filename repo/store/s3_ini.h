/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files of sections and settings, as AWS's tools keep them. */
#ifndef YORE_STORE_S3_INI_H
#define YORE_STORE_S3_INI_H

#include <stddef.h>

#define S3_INI_MAX (1u << 20)

/*
 * The value of a key in [section], else in [profile section], of a text; given,
 * NULL when there is none.  Blanks around names and values go; lines that begin
 * with a blank belong to a setting before and are skipped, as are those that
 * begin with # or ;.
 */
char *s3_ini_value(
	const char *text, size_t len, const char *section, const char *key);

/* The same of a file; it may not exist. */
char *s3_ini_file(const char *path, const char *section, const char *key);

#endif
