/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tags as directory names: '/' is written %2F, '%' %25, and the dots of "."
 * and ".." %2E.
 */
#ifndef YORE_FS_TAG_NAME_H
#define YORE_FS_TAG_NAME_H

#include <stdbool.h>

#define TAG_NAME_SIZE 256

/* False when the tag is empty or its name would be longer than 255 bytes. */
bool tag_name_of(const char *tag, char name[TAG_NAME_SIZE]);
/* And back; false when no tag is written so. */
bool tag_name_parse(const char *name, char tag[TAG_NAME_SIZE]);

#endif
