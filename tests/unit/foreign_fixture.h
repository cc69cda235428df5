/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A replica in a directory of its own: made, read through views, damaged. */
#ifndef YORE_TESTS_FOREIGN_FIXTURE_H
#define YORE_TESTS_FOREIGN_FIXTURE_H

#include "tests/unit/unit.h"
#include "tests/unit/sanitized.h"
#include "repo/base/buf.h"
#include "repo/foreign/stem.h"
#include "repo/history.h"

/* Absolute path of the directory; empty outside of a test. */
extern char fixture_dir[64];

int fixture_set_up(void **state);
int fixture_tear_down(void **state);

/* Write a file below it, with the directories above; modified at a second. */
void fixture_put(const char *name, const void *data, size_t len);
void fixture_put_text(const char *name, const char *text);
void fixture_touch(const char *name, int64_t seconds);
void fixture_remove(const char *name);

/* Open the replica below a folder ("", or ends in '/') of the directory as a
 * format's; its source is called name.  0 and *h, or the error. */
int fixture_history(const struct foreign_format *f, const char *prefix,
	const char *name, struct history **h);

/* Content of a file of a view: 0 and out, or the error. */
int fixture_read(struct view *v, const char *path, struct buf *out);
/* Value of an attribute, "" for none. */
const char *fixture_xattr(struct view *v, const char *path, const char *name);
/* "a/b=content;" of every file, content "!" where it cannot be read, in order
 * of the walk; terminated. */
void fixture_walk(struct view *v, struct buf *out);
/* The snapshot of a source with this id, opened; NULL: none, or it fails. */
struct view *fixture_open(
	struct history *h, const char *source, const char *id);

enum fixture_damage { CUT_OFF, BIT_FLIPPED, EXCHANGED, REMOVED };

/*
 * Damage every file below the directory in turn: cut off at 16 places, a bit
 * flipped in each 64 bytes, exchanged with the next one, removed; call check
 * after each.  Restores all.  Under a sanitizer only some are cut off and
 * flipped, one in FIXTURE_DAMAGE_STEP.
 */
#define FIXTURE_DAMAGE_STEP sanitized_step(7)
void fixture_damage(
	void (*check)(void *ctx, const char *name, enum fixture_damage how),
	void *ctx);

#define IN_FIXTURE(test) \
	cmocka_unit_test_setup_teardown(test, fixture_set_up, fixture_tear_down)

#endif
