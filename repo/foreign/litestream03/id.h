/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ids of states (history.h has what they look like), and other numbers that
 * stand for them. */
#ifndef YORE_FOREIGN_LITESTREAM03_ID_H
#define YORE_FOREIGN_LITESTREAM03_ID_H

#include "repo/foreign/litestream03/timeline.h"
#include "repo/history.h"

struct ls03_id {
	char generation[LS03_GENERATION_LEN + 1];
	uint32_t index;
	bool is_snapshot;
	bool has_off;
	uint64_t off;
};

/* False: it is none. */
bool ls03_id_parse(const char *text, struct ls03_id *id);
/* Among the first n states of its generation. */
bool ls03_id_find(const struct ls03_timeline *t, size_t n,
	const struct ls03_id *id, size_t *state);

void ls03_id_snapshot(char out[HISTORY_ID_MAX + 1], const char *generation,
	const struct ls03_object *o);
void ls03_id_print(char out[HISTORY_ID_MAX + 1], const struct ls03_timeline *t,
	size_t state);

/* Ascends with the states of a generation, and stays. */
uint64_t ls03_id_seq(const struct ls03_timeline *t, size_t state);
/* 48 bits, of no other state of the source and of no snapshot in a listing;
 * slot: the generation's number. */
uint64_t ls03_id_key(
	const struct ls03_timeline *t, size_t state, unsigned slot);

#endif
