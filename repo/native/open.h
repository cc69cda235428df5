/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef YORE_NATIVE_OPEN_H
#define YORE_NATIVE_OPEN_H

#include "repo/open.h"

/* A yore repository as a history; as history_open_repository. */
int history_open_native(const char *repo, const struct history_open_options *o,
	struct history **h, struct err *e);

#endif
