/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What cmocka.h needs before it, and cmocka.h. */
#ifndef YORE_TESTS_UNIT_H
#define YORE_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "repo/base/auto.h"

#endif
