/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What yore remembers of a user: ${XDG_STATE_HOME:-~/.local/state}/yore. */
#ifndef YORE_BASE_STATE_DIR_H
#define YORE_BASE_STATE_DIR_H

/* That directory, '/', and `below`; "" when neither variable is an absolute
 * path.  Given. */
char *state_dir(const char *below);
/* Make (0700) every directory that the path lies in. */
void state_dir_make(const char *path);

#endif
