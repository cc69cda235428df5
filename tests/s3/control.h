/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How tests tell a running server what to do: a second port that takes one
 * line a connection and answers "ok", with more lines behind it, or "error".
 */
#ifndef YORE_TESTS_S3_CONTROL_H
#define YORE_TESTS_S3_CONTROL_H

#include <stdbool.h>
#include "repo/base/buf.h"

/*
 * Serve commands in a thread.  A handler gets the line, which it may cut, and
 * appends what is to be answered; false when it does not understand the line.
 * Prints "port=PORT control=PORT", which tells whoever started the program that
 * it is ready, and closes standard output.
 */
void control_start(int port, bool (*handle)(char *line, struct buf *reply));

#endif
