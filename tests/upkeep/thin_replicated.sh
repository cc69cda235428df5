#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A database is thinned again and again, often killed over it, while an
# application commits and a replicator follows, making snapshots: every point is
# one of the ledger's at any time, the last commit is there, replication goes on.
. "${top_srcdir:-.}/tests/lib.sh"
. "$top_srcdir/tests/replicate/lib.sh"
need_fuse
make_repository

ledger run app.db ledger 0.3 100 >run
start_replicator --sync-interval 0.1 --snapshot-interval 1.5
stored
mkdir mnt
mount_yore -o refresh=1 mnt
ledger run app.db ledger 14 60 >run &
application=$!
servers+=("$application")
thinned=0 killed=0
while kill -0 $application 2>/dev/null; do
	status=0
	timeout -s KILL "0.$((RANDOM % 40 + 10))" \
		yore forget --thin=1s:all >out 2>err || status=$?
	case $status in
	0) ! grep -q ' stay (' out || thinned=$((thinned + 1)) ;;
	137) killed=$((killed + 1)) ;;
	*) fail "forget --thin: $(cat err)" ;;
	esac
	# what a mount shows now, whichever epochs there are
	find mnt/sources/h/app.db/generations -path '*/points/*/app.db' |
		shuf -n 5 >some
	xargs ledger check ledger <some >judged ||
		fail "a point is not the ledger's: $(grep -v ' of ' judged)"
done
wait $application
stored
says run .
run_status 0 yore forget --thin=1s:all
yore umount mnt
check_points
stop_replicator
! grep -i 'altered\|another' replicate.log err || fail 'the chain is broken'
yore snapshots h/app.db >out 2>err
! grep . err || fail 'listing snapshots warns'
# one a second of what is thinned, and each snapshot
n=$(wc -l <points)
bases=$(grep -c h/app.db out)
[ "$bases" -ge 5 ] || fail "$bases snapshots"
[ "$n" -lt $((3 * bases + 40)) ] || fail "$n points with $bases snapshots"
[ $thinned -ge 1 ] || fail "thinned $thinned times, killed $killed times"
echo "thinned $thinned times, killed $killed times; $n points, $bases snapshots"
