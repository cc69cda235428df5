#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Two replicators of one source: one wins, the other says why and ends.
. "${top_srcdir:-.}/tests/lib.sh"
. "$top_srcdir/tests/replicate/lib.sh"
need_fuse
make_repository

ledger run app.db ledger 0.3 100 >run
start_replicator --sync-interval 0.2
first=$replicator
stored # what only it has begun
# the same state directory: it does not begin
run_status 1 yore replicate --host h --state-dir "$state" app.db
one_line err
says err 'in use by another process'

state=$work/state2
start_replicator --sync-interval 0.2
stored
ledger run app.db ledger 1.5 50 >run
status=0
wait "$first" || status=$?
[ $status = 1 ] || fail "the one that lost exited with $status"
says replicate.log 'app.db: another replicator writes it; this one stops'
stored
check_points
stop_replicator
