/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between stores that tell names and sizes, and who asks for objects. */
#ifndef YORE_STORE_OBJECTS_H
#define YORE_STORE_OBJECTS_H

#include "repo/store/store.h"

/* For a store that tells objects: its list in terms of its list_objects. */
struct objects_plain {
	bool (*each)(void *ctx, const char *name, uint64_t size);
	void *ctx;
};
bool objects_tell_plain(void *plain, const struct store_object *o);

/* For a store that does not: list_objects in terms of its list. */
int objects_of_list(struct store *s, const struct store_query *q,
	bool (*each)(void *ctx, const struct store_object *o), void *ctx,
	struct err *e);

#endif
