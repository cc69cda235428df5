/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The little XML of S3, for the test server. */
#ifndef YORE_TESTS_S3_XML_H
#define YORE_TESTS_S3_XML_H

#include "repo/base/buf.h"

/* Append text with the characters escaped that XML gives a meaning. */
void xml_text(struct buf *b, const char *text);

/*
 * The content of the next element of this name at or behind *p, which goes
 * behind it: given, entities replaced only when it holds no elements.  NULL
 * when there is none.
 */
char *xml_next(const char **p, const char *name);

#endif
