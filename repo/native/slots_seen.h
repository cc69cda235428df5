/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What key slots looked like when this user saw them first, kept beside the
 * marks of repo/native/state.h (<repository id>/slots: "<id> <SHA-256>" lines).
 * A slot is written once, so that one which looks different is damaged: all
 * that can be said of it without the secret that it takes.
 */
#ifndef YORE_NATIVE_SLOTS_SEEN_H
#define YORE_NATIVE_SLOTS_SEEN_H

#include "repo/native/slots.h"

/* Whether each of the slots that have been read is another one than it was;
 * those that were not known are remembered, those that are gone forgotten. */
void slots_seen(const struct repository *rp, const struct slots *slots,
	bool changed[SLOTS_MAX]);
/* List, read and remember all. */
void slots_seen_all(const struct repository *rp);
/* Remember the first one of a repository. */
void slots_seen_first(const struct repository *rp, const char *name,
	const uint8_t *bytes, size_t len);

#endif
