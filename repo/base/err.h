/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An error is a code and one sentence.  It lives on the caller's stack and
 * never allocates.  Functions that touch disk, network or foreign bytes take
 * a struct err * last and return 0 or -errno.
 *
 * Codes with a fixed meaning throughout yore:
 *   EBADMSG   bytes do not verify (authentication, checksum, length)
 *   EUCLEAN   bytes verify but contradict themselves or the format
 *   EIO       the store gave up
 *   ENOENT    the named thing does not exist
 *   EPROTONOSUPPORT  the repository needs a feature this program lacks
 *   EKEYREJECTED     wrong passphrase or key
 *   ESTALE    removed while in use
 */
#ifndef YORE_BASE_ERR_H
#define YORE_BASE_ERR_H

#include <stdbool.h>
#include <stddef.h>

#define ERR_TEXT_MAX 480

struct err {
	int code;		 /* positive errno, 0 when unset */
	char text[ERR_TEXT_MAX]; /* one sentence without a final full stop */
};

#define ERR_INIT { .code = 0, .text = "" }

/*
 * Set e (which may be NULL) to code and the formatted sentence; returns -code.
 * Bytes of names that a terminal would interpret are escaped as \xNN; a
 * sentence too long is cut and ends in "...".
 */
int err_set(struct err *e, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Like err_set with ": strerror(code)" appended, which is never cut. */
int err_sys(struct err *e, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Put "prefix: " before the sentence e already has; returns -e->code (-EIO
 * when e is NULL, so callers that may have none return the code they hold).
 */
int err_prefix(struct err *e, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * Copy at most size - 1 bytes of the name (len bytes, any bytes) to out with
 * control characters and broken UTF-8 escaped as \xNN.  Always terminates.
 * Returns out.
 */
char *err_escape(char *out, size_t size, const char *name, size_t len);

#endif
