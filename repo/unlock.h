/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a repository's secret comes from.  In this order, the first that is
 * there wins:
 *
 *   1. what the command line names: a key file, a passphrase file, a command
 *      whose output it is, a descriptor it can be read from
 *   2. YORE_PASSWORD (wiped from the environment once read)
 *   3. YORE_PASSWORD_FILE
 *   4. YORE_PASSWORD_COMMAND
 *   5. $CREDENTIALS_DIRECTORY/yore.password (systemd)
 *   6. the terminal, without echo
 *
 * Never from argv, never into a log.  A passphrase is the bytes up to the end
 * of the file or output without one final newline; a key file is taken whole.
 */
#ifndef YORE_UNLOCK_H
#define YORE_UNLOCK_H

#include <stdbool.h>
#include "repo/crypto/slot.h"

#define UNLOCK_PASSPHRASE_MAX 4096
#define UNLOCK_KEY_FILE_MIN 32
#define UNLOCK_KEY_FILE_MAX (1u << 20)

/* Strings are borrowed; NULL where nothing was said. */
struct unlock {
	const char *key_file;
	const char *password_file;
	const char *password_command; /* run by /bin/sh -c */
	int password_fd;	      /* -1: none; read to its end, once */
	bool no_passphrase;	      /* explicitly the open slot */
	bool no_prompt;		      /* never ask on the terminal */
	/* A secret that is to be made, besides the one that is there: what the
	 * environment has is the other one, and the prompt says which it is. */
	bool is_new;
	const char *what;	      /* what the prompt names; NULL: nothing */
};

#define UNLOCK_INIT               \
	{                         \
		.password_fd = -1 \
	}

/*
 * Find the secret.  confirm asks twice when it comes from the terminal (for a
 * new slot).  *out is given: its bytes lie in locked memory and the caller
 * owes unlock_release.  -ENOKEY when no secret is to be had (also: the file
 * cannot be opened), -EKEYREJECTED
 * when two typed passphrases differ, -EINVAL for an empty or unusable one,
 * other -errno of the file, command or terminal; -EINTR when interrupted at
 * the prompt.
 */
int unlock_secret(const struct unlock *u, bool confirm, struct slot_secret *out,
	struct err *e);

/* Wipe and free what unlock_secret gave. */
void unlock_release(struct slot_secret *s);

/* The secret outlives the callback that found it, until the open is done; then
 * the caller owes unlock_release(&asker.secret). */
struct unlock_asker {
	const struct unlock *unlock;
	struct slot_secret secret;
};

/* The secret of history_open_options; ctx is a struct unlock_asker. */
int unlock_ask(void *ctx, struct slot_secret *out, struct err *e);

#define auto_secret AUTO(unlock_release)

#endif
