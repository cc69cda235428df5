#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# With a snapshot of a database go the points that build on it, and no others;
# they are back, with every byte, when it is.
. "${top_srcdir:-.}/tests/upkeep/prune_lib.sh" || exit 1

export YORE_REPOSITORY=$work/repo
golden=$top_builddir/tests/golden
"$golden/databases" repo big
points() { "$golden/points" repo | awk '{ print $1, $2, $4, $5, $6 }'; }
points >before
bases=$(yore snapshots --json | wc -l)
[ "$bases" -ge 2 ] || fail "$bases snapshots"

run_status 0 yore forget --keep-last 1
says out ' forgotten, with the points up to the next snapshot$'
points >after
[ "$(wc -l <after)" -lt "$(wc -l <before)" ] || fail 'no point went'
[ -z "$(comm -13 <(sort before) <(sort after))" ] || fail 'points are new'
[ "$(wc -l <after)" -gt 1 ] || fail 'the newest went, too'

# its deltas are there as long as the trash is, whatever prune does
find repo -type f -exec touch -d '30 days ago' {} +
find repo/gc/snap -type f -exec touch {} +
yore prune -q
run_status 0 yore forget --undo
points | cmp before -

# and gone with it
run_status 0 yore forget --keep-last 1
deltas=$(find repo/db -type f | wc -l)
for i in 1 2 3; do prune -q; done
[ "$(find repo/db -type f | wc -l)" -lt "$deltas" ] || fail 'deltas are left'
points | cmp after -
