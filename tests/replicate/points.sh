#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Every point of a database that is written, checkpointed in every mode and
# vacuumed meanwhile equals a commit of its ledger, and no commit is missing.
. "${top_srcdir:-.}/tests/lib.sh"
. "$top_srcdir/tests/replicate/lib.sh"
need_fuse
make_repository

ledger run app.db ledger 0.3 100 >run
start_replicator --sync-interval 0.2
ledger run app.db ledger 6 300 >run &
app=$!
ledger checkpoint app.db 5 >checkpoints &
checkpointer=$!
wait $app $checkpointer
stored
yore status --state-dir "$state" >status
says status 'app.db: replicating; stored 20.*, lag 0s, queue 0 B'
cat run checkpoints status

n=$(check_points)
[ "$n" -ge 20 ] || fail "only $n points"
# ours never holds the lock for long, and lets others' checkpoints succeed
made=$(($(grep -Eo '(passive|full|restart|truncate) [0-9]+' checkpoints |
	sed 's/.* /+/')))
busy=$(sed 's/.*busy \([0-9]*\).*/\1/' checkpoints)
[ "$((busy * 2))" -lt "$made" ] || fail "$busy busy for $made that were made"
yore status --json --state-dir "$state" >status
locked=$(sed 's/.*"locked_microseconds_max":\([0-9]*\).*/\1/' status)
[ "$locked" -lt 1000000 ] || fail "the writer's lock was held for $locked us"

# one generation: nothing was ever uncertain
[ "$(ls mnt/sources/h/app.db/generations | wc -l)" = 1 ] ||
	fail "$(cat replicate.log)"
stop_replicator
# everything is found where it stopped: no second snapshot
start_replicator
ledger run app.db ledger 0.5 50 >run
stop_replicator
yore umount mnt
check_points >n
[ "$(ls mnt/sources/h/app.db/snapshots | wc -l)" = 1 ] ||
	fail "$(cat replicate.log)"
