/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Asking the user before what should not happen by mistake. */
#ifndef YORE_TOOLS_AGREE_H
#define YORE_TOOLS_AGREE_H

#include <stdbool.h>

/* Whether a person at the terminal, not whatever standard input is, agrees. */
bool agree_ask(const char *question);

#endif
