/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files of the user's state that are written while the program goes on: a mount
 * need not wait for the disk of ~/.local/state.
 */
#ifndef YORE_NATIVE_STATE_LATER_H
#define YORE_NATIVE_STATE_LATER_H

#include "repo/base/buf.h"

/* As state_write, in another thread: b is taken over.  What is asked first is
 * written first, and all of it before the program exits.  Until then the file is
 * what it was.  A fork waits for all of it. */
void state_later(const char *path, struct buf *b);
/* Wait until what was asked for this path (NULL: for any) is written. */
void state_later_wait(const char *path);

#endif
