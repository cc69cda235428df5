/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What this user has seen of repositories before, kept below
 * ${XDG_STATE_HOME:-~/.local/state}/yore so that a store that goes back in
 * time, or is another one, is noticed.  Where nothing can be kept nothing is
 * said: it is a second pair of eyes, not a condition.
 *
 *   <repository id>/sources   of each source the highest snapshot seen:
 *                             "<source key> <seq> <hash> <host/name>" lines
 *   <repository id>/deltas/<id>   repo/native/deltas_seen.h
 *   <repository id>/slots     repo/native/slots_seen.h
 *   pins/<hash of address>    which repository was last there:
 *                             "<id> <commitment> sealed|open", the address
 *   <repository id>/stash/<hash of address>   what writers keep
 *                             (repo/write/stash.h)
 */
#ifndef YORE_NATIVE_STATE_H
#define YORE_NATIVE_STATE_H

#include "repo/native/listing.h"

/*
 * Compare a listing with the marks of its repository: one warning for each
 * source whose newest snapshot is older than one seen before, or not the same
 * (one that was forgotten as a whole, repo/native/ended.h, is no longer marked).
 * Nothing is said again that held for the listing before (NULL: there is none)
 * too.  Then raise the marks.
 */
void state_check(const struct repository *rp, const struct native_listing *nl,
	const struct native_listing *before);

/* The newest snapshot of a source that is there. */
struct state_newest {
	uint8_t source[SOURCE_KEY_LEN];
	uint64_t seq;		/* 0: there is none */
	uint8_t hash[HASH_LEN]; /* record_link; zeros: it cannot be read */
	const char *label;	/* host/name; NULL: not known */
};

/* What this user has seen newer, or otherwise. */
struct state_behind {
	const uint8_t *source;
	const char *label;    /* printable */
	uint64_t seq, before; /* what there is (0: nothing), what there was */
	const char *text;     /* a sentence */
	const char *path;     /* where it is remembered */
};
typedef void state_told(void *ctx, const struct state_behind *b);

/* As state_check, for who has no listing: told of each source that is behind,
 * then the marks are raised. */
void state_compare(const struct repository *rp,
	const struct state_newest *newest, size_t n, state_told *told,
	void *ctx);
/* The same of one source, and with a warning. */
void state_compare_one(
	const struct repository *rp, const struct state_newest *now);

/* Whether a listing lacks the highest snapshot that was seen of a source, and
 * the one before did not lack it already. */
bool state_is_behind(const struct repository *rp,
	const struct native_listing *nl, const struct native_listing *before);

/*
 * Compare an unlocked repository with the one that was last at its address.
 * -EBADMSG when it has the same id and other keys, or was sealed and now needs
 * no secret: the store may have swapped it.  Another repository in an open
 * one's place, or one that the user's own secret has just unlocked, is a
 * warning.  Then remember it.
 */
int state_pin(const struct repository *rp, struct err *e);
/* The id of the repository that was last at a store's address, from one small
 * file: before anything is asked of the store, and no proof of what is there
 * now.  -ENOENT when none was. */
int state_last_id(const struct store *s, char id[REPOSITORY_ID_LEN * 2 + 1]);
/* 32 digits that stand for a store's address. */
void state_address(const struct store *s, char hex[33]);
/* Forget what was at an address: a repository has just been made there. */
void state_pin_forget(const char *repo);

/* Replace a file below repo/base/state_dir.h as a whole, durably (0600,
 * directories 0700). */
int state_write(const char *path, const struct buf *b);

#endif
