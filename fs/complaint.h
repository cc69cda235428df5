/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The log line for a request that failed: the path below the mountpoint and
 * the reason.  The same complaint about the same node is made once in a
 * minute, and no more than COMPLAINTS_A_MINUTE altogether; then a line says
 * how many were left out.
 */
#ifndef YORE_FS_COMPLAINT_H
#define YORE_FS_COMPLAINT_H

#include "fs/call.h"

#define COMPLAINTS_A_MINUTE 100

/* c->e has the reason, if there is one beyond the code. */
void complaint_log(struct call *c, int code);

#endif
