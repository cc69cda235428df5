/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/base/sqlite.h"

struct sqlite_functions sqlite_functions;
static struct library sqlite =
	LIBRARY_OF(sqlite_functions, SQLITE_LIBRARY, SQLITE_FUNCTIONS);

int
sqlite_load(struct err *e)
{
	return library_load(&sqlite, e);
}
