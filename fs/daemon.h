/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Going into the background: the command returns when the mount is ready, and
 * its exit status says whether it is.
 */
#ifndef YORE_FS_DAEMON_H
#define YORE_FS_DAEMON_H

/*
 * Fork.  The parent never returns from here: it exits with what the child
 * reports, or with 1 when the child dies without a word.  The child returns
 * the descriptor to report on, or -1 when it could not fork.  It still has
 * the terminal, so that it can ask for a passphrase and say what is wrong; of
 * what it inherited it keeps, besides, only the descriptor `keep` (or -1): a
 * lock or a pipe of whoever started it must not live as long as the mount.
 */
int daemon_fork(int keep);
/* The mount is ready: let the parent exit with 0, leave terminal and working
 * directory, log to syslog. */
void daemon_ready(int report);
/* It is not: let the parent exit with this status. */
void daemon_failed(int report, int status);

/*
 * Have the kernel's table of descriptors as long as it may become, before there
 * are threads.  With threads the kernel waits for a grace period of RCU when it
 * makes the table longer, 5 to 10 ms: at the 64th descriptor, the 128th, ...
 */
void daemon_reserve_descriptors(void);

/* Tell a service manager ($NOTIFY_SOCKET, sd_notify(3)); nothing without. */
void daemon_notify(const char *state);

#endif
