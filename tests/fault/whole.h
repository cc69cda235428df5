/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether what has a final name in a repository is whole. */
#ifndef YORE_TESTS_WHOLE_H
#define YORE_TESTS_WHOLE_H

#include "repo/base/err.h"

/*
 * Unseal every frame of every object from its header to its end, without
 * regard to what refers to it.  -EBADMSG or -EUCLEAN names the object.
 */
int whole_objects(const char *repo, struct err *e);

#endif
