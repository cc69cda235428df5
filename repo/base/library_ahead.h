/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Libraries read before they are loaded. */
#ifndef YORE_BASE_LIBRARY_AHEAD_H
#define YORE_BASE_LIBRARY_AHEAD_H

/* Have the kernel read a library (libz.so.1) that lies beside the C library: at
 * once, in the order the loader needs it.  Only advice: what is not there is not
 * read.  Without it the loader's first look at a file's end brings the whole
 * file before it. */
void library_ahead(const char *file);

#endif
