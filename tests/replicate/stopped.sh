#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The replicator does not run while the application commits and checkpoints k
# times: it goes on where it stopped, or begins a new generation; no point is
# ever wrong, and the last commit is always there.
. "${top_srcdir:-.}/tests/lib.sh"
. "$top_srcdir/tests/replicate/lib.sh"
need_fuse
make_repository

count() {
	yore snapshots --json h/app.db | grep -c '"snapshot"' || :
}

ledger run app.db ledger 0.2 200 >run
start_replicator
stored
before=$(count)
for k in 0 1 2 3 4 5; do
	stop_replicator
	# autocheckpoint off: only what is done here
	ledger run app.db ledger 0.2 100 0 >run &
	app=$!
	for _ in $(seq $k); do
		sleep 0.02
		ledger checkpoint app.db 0.01 >>checkpoints
	done
	wait $app
	start_replicator
	ledger run app.db ledger 0.2 100 0 >run
	stored
done
[ "$(count)" -gt "$before" ] || fail 'no checkpoint was noticed'
check_points

# the same state in another place: a restore goes on without a new snapshot
stop_replicator
before=$(count)
rm app.db*
yore restore h/app.db app.db
start_replicator
stored
[ "$(count)" = "$before" ] || fail "a restored database was stored again"
ledger run app.db ledger 0.3 100 >run
stored
[ "$(count)" = "$before" ] || fail "a restored database was stored again"
yore umount mnt
check_points
