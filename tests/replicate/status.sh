#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What yore status and yore sync say and exit with: all is well, the store takes
# nothing for a while, all is well again, a database that nobody replicates.
. "${top_srcdir:-.}/tests/lib.sh"
. "$top_srcdir/tests/replicate/lib.sh"
make_repository

for option in '' '--state-dir there'; do
	# shellcheck disable=SC2086
	run_status 1 yore status $option
	one_line err
	says err 'no replicator runs'
done
run_status 1 yore replicate --host h --once --state-dir "$state" app.db
one_line err
mkdir none
run_status 1 yore replicate --host h --once --state-dir "$state" \
	--pattern '*.db' none
says err 'none: no database there matches'

sqlite3 app.db 'PRAGMA journal_mode=WAL; CREATE TABLE t(a)' >out
start_replicator --sync-interval 0.1
stored
sqlite3 -cmd '.timeout 5000' app.db 'INSERT INTO t VALUES(0)'
stored
run_status 0 yore status --state-dir "$state"
says out 'app.db: replicating; stored 20.*, captured 20.*, lag 0s, queue 0 B$'
run_status 1 yore status --state-dir "$state" app.db other.db
says out 'app.db: replicating'
says err 'other.db is not replicated'
run_status 1 yore sync --wait --state-dir "$state" app.db other.db
says err 'other.db is not replicated'

# the store takes no delta: what is committed is captured all the same
mv repo/db db && : >repo/db
sqlite3 -cmd '.timeout 5000' app.db 'INSERT INTO t VALUES(1)'
for _ in $(seq 100); do
	yore status --state-dir "$state" >out || break
	sleep 0.05
done
run_status 1 yore status --state-dir "$state" --max-lag 1h
says out 'lag [0-9]+s, queue [1-9].*; .*db.*'
run_status 0 yore sync --state-dir "$state"
run_status 1 yore sync --wait --state-dir "$state"
says err 'db '

rm repo/db && mv db repo/db
for _ in $(seq 100); do
	stored 2>err && break
	sleep 0.1
done
run_status 0 yore status --state-dir "$state"
says out 'lag 0s, queue [0-9].*; last error 20.*: .*db'
run_status 0 yore status --json --state-dir "$state"
says out '"failing":false,"last_error":".*","last_error_time":"20'
stop_replicator
