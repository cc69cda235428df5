/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/base/zstd.h"

static struct zstd_functions functions;
static struct library library =
	LIBRARY_OF(functions, ZSTD_LIBRARY, ZSTD_FUNCTIONS);

const struct zstd_functions *
zstd_functions(void)
{
	library_need(&library);
	return &functions;
}
