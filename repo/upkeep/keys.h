/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Managing the key slots of a repository (FORMAT, "Key slots", "Paper keys").
 *
 * Every slot opens the same root secret, so that no data is touched when a
 * passphrase changes; and nothing here makes a secret that leaked harmless:
 * who kept a copy of a slot opens it with its old passphrase for ever, and who
 * has the root secret needs no slot.  Then a new repository is needed, to which
 * `yore copy` brings what this one has.
 *
 * Slots are written once under random names, so that changes made at the same
 * time do not meet.  What is asked goes past the disk cache.
 */
#ifndef YORE_UPKEEP_KEYS_H
#define YORE_UPKEEP_KEYS_H

#include "repo/base/auto.h"
#include "repo/crypto/slot.h"
#include "repo/format/paper.h"
#include "repo/open.h"

#define KEYS_ID_LEN 32

struct keys_slot {
	char id[KEYS_ID_LEN + 1];
	enum slot_type type;
	bool damaged;	  /* or of a newer yore: type says nothing */
	bool opened;	  /* the one that opened the repository here */
	int64_t made_ns;  /* by the store's clock, or STORE_TIME_UNKNOWN */
};

struct keys;

/* Unlock a repository to manage its keys; *k is given.  Errors as
 * history_open_repository, -EROFS as writer_open. */
int keys_open(const char *repo, const struct history_open_options *o,
	struct keys **k, struct err *e);
void keys_free(struct keys *k);

/* All slots, by id; borrowed until the next call. */
const struct keys_slot *keys_slots(const struct keys *k, size_t *n);
/*
 * From now on the slot that this secret opens counts as the one that opened the
 * repository (which needs none when there is an open slot).  -EKEYREJECTED.
 */
int keys_prefer(struct keys *k, const struct slot_secret *secret,
	struct err *e);

/*
 * Make a slot; when this returns 0 it is in the store and has been opened from
 * there.  -ENOSPC there are as many slots as there may be.
 */
int keys_add(struct keys *k, const struct slot_secret *secret,
	char id[KEYS_ID_LEN + 1], struct err *e);
/*
 * Remove the slot whose id begins so (id: which that was).  -ENOENT, -ENOTUNIQ;
 * -EBUSY it is the one that opened the repository, and own is false; -EPERM no
 * other slot would be left that could be opened.
 */
int keys_remove(struct keys *k, const char *prefix, bool own,
	char id[KEYS_ID_LEN + 1], struct err *e);
/* Add a slot, then remove the one that opened the repository: whatever
 * interrupts this, the old secret or the new one opens it. */
int keys_change(struct keys *k, const struct slot_secret *secret,
	char id[KEYS_ID_LEN + 1], struct err *e);

/* The root secret, to be kept on paper; sealed under a secret unless that is
 * NULL.  p lies in locked memory. */
int keys_export(struct keys *k, const struct slot_secret *seal,
	struct paper *p, struct err *e);
/*
 * Make a slot from a paper key, for when no other opens any more, and `format`
 * too if that is not what it should be.  o->secret
 * opens the paper if that is sealed.  -EKEYREJECTED wrong secret, -EINVAL it is
 * of another repository.
 */
int keys_import(const char *repo, const struct history_open_options *o,
	const struct paper *p, const struct slot_secret *secret,
	char id[KEYS_ID_LEN + 1], struct err *e);

#define auto_keys AUTO(keys_auto_)
static inline void
keys_auto_(struct keys **k)
{
	keys_free(*k);
}

#endif
