/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/base/jansson.h"

static struct jansson_functions functions;
static struct library library =
	LIBRARY_OF(functions, JANSSON_LIBRARY, JANSSON_FUNCTIONS);

const struct jansson_functions *
jansson_functions(void)
{
	library_need(&library);
	return &functions;
}

void
jansson_drop(json_t *json)
{
	/* what jansson never frees has all bits set */
	if (json && json->refcount != (size_t)-1 &&
		!__atomic_sub_fetch(&json->refcount, 1, __ATOMIC_ACQ_REL))
		json_delete(json);
}
