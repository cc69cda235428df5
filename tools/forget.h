/* SPDX-License-Identifier: GPL-2.0-or-later */
/* yore forget, in parts: rules and names (forget.c), --undo (forget_undo.c),
 * --thin (forget_thin.c), what is printed (forget_print.c). */
#ifndef YORE_TOOLS_FORGET_H
#define YORE_TOOLS_FORGET_H

#include "repo/upkeep/forget.h"
#include "repo/upkeep/thin.h"
#include "repo/upkeep/undo.h"
#include "repo/write/writer.h"
#include "tools/options.h"

enum forget_mode {
	FORGET_DECIDE, /* by rules, or what is named */
	FORGET_UNDO,
	FORGET_PIN,
	FORGET_UNPIN,
	FORGET_ALL, /* whole sources */
};

struct forget_command {
	struct options o;
	struct upkeep u;
	enum forget_mode mode;
	struct forget_rules rules;
	const char **tags; /* of rules */
	const char *host;  /* only of this one */
	bool dry_run;
	bool yes, key_withdrawn; /* of FORGET_ALL */
	bool thin; /* databases, by these: */
	struct thin_rules thin_rules;
	struct writer *w; /* then */
};

/* Each is what the command is for then; returns the exit status. */
int forget_undo(struct forget_command *c);
int forget_sources(struct forget_command *c);
/* Sources that f has and the arguments name, or all. */
int forget_thin(struct forget_command *c, const struct forget *f);

/* What an argument names: a whole source (*point is HISTORY_NONE) or one of its
 * snapshots.  -ENOENT. */
int forget_find(const struct forget_command *c,
	const struct history_listing *l, const char *text, size_t *source,
	size_t *point, struct err *e);
/* Whether an argument that names a snapshot may name this record. */
bool forget_names(const struct forget_command *c, const char *text,
	const struct record_place *p);

/* -- What is printed ---------------------------------------------------- */

void forget_print_source(const struct history_source *s);
/* Everything that was decided, with reasons; a line a source. */
void forget_print(const struct forget_command *c, const struct forget *f);
void forget_print_undo(const struct forget_command *c, const struct undo *x);
/* Snapshots that are pinned. */
void forget_print_pins(const struct forget_command *c, const struct forget *f);

#endif
