/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All formats.  One that contains another comes before it: a root with both
 * generations of Litestream is one history.
 */
#include "repo/foreign/alopex.h"
#include "repo/foreign/foreign.h"
#include "repo/foreign/litestream03/history.h"
#include "repo/foreign/litestream05.h"
#include "repo/foreign/tito.h"
#include "repo/foreign/zlayer.h"

const struct foreign_format *const foreign_formats[] = {
	&litestream05_format,
	&litestream03,
	&alopex_format,
	&tito_format,
	&zlayer_format,
	NULL,
};
