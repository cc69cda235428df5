/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lower-case hexadecimal. */
#ifndef YORE_BASE_HEX_H
#define YORE_BASE_HEX_H

#include <stddef.h>
#include <stdint.h>

/* Write 2 * n digits and a terminator to out; returns out. */
char *hex_encode(char *out, const void *data, size_t n);
/* Read exactly n bytes from 2 * n digits; 0, or -EINVAL (also upper case). */
int hex_decode(void *out, size_t n, const char *digits);

#endif
