/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The options that name a secret beside the one that opens the repository. */
#ifndef YORE_TOOLS_NEW_SECRET_H
#define YORE_TOOLS_NEW_SECRET_H

#include "repo/unlock.h"

/* For a table of long options: --new-password-file and its like. */
#define NEW_SECRET_OPTIONS(first) \
	{ "new-password-file", required_argument, NULL, first }, \
	{ "new-password-command", required_argument, NULL, first + 1 }, \
	{ "new-password-fd", required_argument, NULL, first + 2 }, \
	{ "new-key-file", required_argument, NULL, first + 3 }, \
	{ "open", no_argument, NULL, first + 4 }
#define NEW_SECRET_N 5
#define NEW_SECRET_HELP \
	"      --new-password-file F, --new-password-command C,\n" \
	"      --new-password-fd N, --new-key-file F\n" \
	"                             where the new secret is; else it is " \
	"asked for\n" \
	"      --open                 no secret: readable by whoever has " \
	"the store\n"

/* Take option number i (optarg its argument); 0 or STATUS_USAGE. */
int new_secret_take(struct unlock *u, int i);
/* Whether one of them was given. */
bool new_secret_is_named(const struct unlock *u);

#endif
