/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/base/zeros.h"

/* A constant one would be in the file, and mounts wait for files. */
static uint8_t room[ZEROS_LEN];

const uint8_t *const zeros = room;
