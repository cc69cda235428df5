/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A repository's root secret as text, to be printed and typed in again
 * (FORMAT, "Paper keys"): in clear, or as a key slot that takes a secret.
 * Encode and decode only.
 */
#ifndef YORE_FORMAT_PAPER_H
#define YORE_FORMAT_PAPER_H

#include <stdbool.h>
#include "repo/base/err.h"
#include "repo/crypto/slot.h"

#define PAPER_TEXT_MAX 4096

/* Holds a secret: belongs into locked memory. */
struct paper {
	uint8_t repository_id[REPOSITORY_ID_LEN];
	bool sealed;
	uint8_t bytes[SLOT_LEN]; /* sealed: a key slot; else the root secret,
				  * KEY_LEN bytes */
};

/* Write the text, terminated; returns its length. */
size_t paper_encode(const struct paper *p, char out[PAPER_TEXT_MAX]);

/*
 * Read it, as typed: upper case and spaces do not matter, lines that begin with
 * '#' are skipped.  -EINVAL names the line that is wrong; *p is zeros then.
 */
int paper_decode(const char *text, size_t len, struct paper *p, struct err *e);

#endif
