#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A store that fails now and then: no point is wrong, and when it is over all is
# stored.
. "${top_srcdir:-.}/tests/lib.sh"
. "$top_srcdir/tests/replicate/lib.sh"
need_fuse
make_repository
yore snapshots -q -r "fault:eio@9999:$YORE_REPOSITORY" 2>err ||
	{ echo "needs --enable-faults"; exit 77; }

faults=$(seq -s, -f 'eio@%.0f' 40 37 330)
ledger run app.db ledger 0.2 100 >run
start_replicator --sync-interval 0.1 -r "fault:$faults:$YORE_REPOSITORY"
ledger run app.db ledger 5 100 >run
cat run
yore status --state-dir "$state" >status || :
# it goes on by itself, at growing distances
patience=240
until stored 2>err; do
	[ $((patience--)) -gt 0 ] || fail "not stored: $(cat err)"
	sleep 0.5
done
stop_replicator
grep -q 'fault' replicate.log || fail 'no fault was met'
check_points
