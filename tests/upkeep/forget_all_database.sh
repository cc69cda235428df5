#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A database is forgotten as a whole while a replicator follows it: that ends and
# says why; undone, every point is back; the next one begins a new generation.
. "${top_srcdir:-.}/tests/lib.sh"
. "$top_srcdir/tests/replicate/lib.sh"
need_fuse
make_repository
mkdir t && echo t >t/t
yore backup -q --host h --source t t

ledger run app.db ledger 0.5 50 >run
start_replicator --sync-interval 0.1
stored
check_points >n
run_status 0 yore forget --all --yes h/app.db
says out '(was|were) forgotten, with the points'
run_status 0 yore snapshots
! grep app.db out || fail 'it is there'
ledger run app.db ledger 0.5 50 >run
status=0
wait "$replicator" || status=$?
[ $status = 1 ] || fail "the replicator exited with $status"
says replicate.log 'h/app.db: was forgotten as a whole .*; this replicator stops'
yore umount mnt

run_status 0 yore forget --undo
run_status 0 yore check --read-data
[ "$(points | wc -l)" = "$(cat n)" ] || fail "$(points | wc -l) points are back"
yore umount mnt

# gone again, by a host's name; whoever starts it anew goes on
run_status 0 yore forget --all --yes --host h
start_replicator --sync-interval 0.1
stored
ledger run app.db ledger 0.3 50 >run
stored
check_points
[ "$(points | sed 's,/points/.*,,' | sort -u | wc -l)" = 1 ] || fail 'generations'
stop_replicator
yore snapshots --json | jq .sequence | grep -qx 2 || fail 'its number'
run_status 0 yore check --read-data
