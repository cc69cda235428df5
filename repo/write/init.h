/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Making an empty repository. */
#ifndef YORE_WRITE_INIT_H
#define YORE_WRITE_INIT_H

#include "repo/crypto/slot.h"

/*
 * Make a repository at repo, a directory that does not exist or is empty, with
 * one key slot.  -EEXIST there is a repository or something else.  id_text
 * (33 bytes) receives the repository id.
 */
int repository_init(const char *repo, const struct slot_secret *secret,
	char id_text[33], struct err *e);

#endif
