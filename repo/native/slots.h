/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The key slots of a repository: which there are, and opening one. */
#ifndef YORE_NATIVE_SLOTS_H
#define YORE_NATIVE_SLOTS_H

#include "repo/crypto/slot.h"
#include "repo/native/repository.h"

#define SLOTS_MAX 32

struct slots {
	struct {
		char name[STORE_NAME_MAX + 1];
		uint8_t *bytes; /* NULL: not read, or error */
		size_t len;
		struct err error; /* code 0: none */
	} slot[SLOTS_MAX];
	size_t n;
};

/* List keys/; no more than SLOTS_MAX are looked at. */
int slots_list(struct store *s, struct slots *slots, struct err *e);
/* Whether one of them is called as slots are. */
bool slots_any(const struct slots *slots);
/* Read slot i unless it has been read; what fails is told by slots_unlock.
 * From several threads, each for other slots. */
void slots_read(struct store *s, struct slots *slots, size_t i);
/* Find the root secret and set rp's keys; errors as repository_open. */
int slots_unlock(struct slots *slots, struct repository *rp,
	const struct history_open_options *o, struct err *e);
/* Keep their names in the cache before the store, instead of those there. */
void slots_keep(struct store *s, const struct slots *slots);
void slots_free(struct slots *slots);

#define auto_slots AUTO(slots_auto_)
static inline void
slots_auto_(struct slots **s)
{
	slots_free(*s);
}

#endif
