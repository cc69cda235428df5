/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How the process's malloc behaves. */
#ifndef YORE_BASE_MEMORY_H
#define YORE_BASE_MEMORY_H

/*
 * To be called first in main() of a program that allocates and frees buffers
 * of some hundred KiB all the time, from several threads: keeps freed ones for
 * the next instead of giving them back to the kernel, which would fault every
 * page in again, and shares them among threads.
 */
void memory_keep_buffers(void);

#endif
