#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Replicator and application are killed again and again: every point equals a
# commit of the ledger, and what the replicator acknowledged is never lost.
# `kill.sh ROUNDS` does so more often.
. "${top_srcdir:-.}/tests/lib.sh"
. "$top_srcdir/tests/replicate/lib.sh"
need_fuse
make_repository
rounds=${1:-8}

ledger run app.db ledger 0.2 100 >run
for i in $(seq "$rounds"); do
	start_replicator --sync-interval 0.1
	ledger run app.db ledger 5 200 2>/dev/null >run &
	app=$!
	sleep "0.$((RANDOM % 900 + 100))"
	# asked while the application goes on, and only sometimes answered in time
	acked=$(sed -n 's/^done \([0-9]*\) .*/\1/p' ledger | tail -n 1)
	timeout 2 yore sync --wait --state-dir "$state" 2>/dev/null ||
		acked=0
	case $((i % 3)) in
	0) kill -KILL $app ;;
	1) stop_replicator KILL; sleep 0.2; kill -KILL $app ;;
	2) kill -KILL $app; stop_replicator KILL ;;
	esac
	wait $app || :
	[ $((i % 3)) != 0 ] || stop_replicator KILL
	# nothing of ours runs now: what was acknowledged is in the store
	yore cat "h/app.db:app.db" >copy
	stored=$(ledger check ledger copy | sed 's/ of .*//')
	[ "$stored" -ge "$acked" ] ||
		fail "commit $acked was acknowledged, $stored is stored"
done
start_replicator
ledger run app.db ledger 0.5 100 >run
stored
check_points
stop_replicator
ls mnt/sources/h/app.db/generations
