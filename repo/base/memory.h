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

/*
 * The same of one that stays, and reads: many threads share what malloc holds
 * back, and gives buffers that are longer than a frame to the kernel as soon as
 * they are freed.  Among frames that are kept for long they would leave holes,
 * as much memory again as is in use.
 */
void memory_return_buffers(void);

#endif
