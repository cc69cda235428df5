/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Zeros to copy, send and hash from: memory that no program's file contains. */
#ifndef YORE_BASE_ZEROS_H
#define YORE_BASE_ZEROS_H

#include <stdint.h>

#define ZEROS_LEN (128u << 10)

extern const uint8_t *const zeros;

#endif
