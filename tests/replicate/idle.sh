#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Hundreds of databases in a directory, half of them in use, new ones found when
# they appear; while nothing is committed no request, hardly a thread that wakes
# up, next to no time and memory.
. "${top_srcdir:-.}/tests/s3/lib.sh" || exit 1
. "$top_srcdir/tests/replicate/lib.sh"

start_server
export YORE_REPOSITORY=s3://yore/r
yore init -q --no-passphrase

mkdir dbs
sqlite3 dbs/0.db 'PRAGMA journal_mode=WAL; CREATE TABLE t(a)' >out
for i in $(seq 399); do
	cp dbs/0.db "dbs/$i.db"
done
touch dbs/empty.db dbs/other.txt
python3 -c '
import sqlite3, signal
used = [sqlite3.connect(f"dbs/{i}.db") for i in range(200)]
[db.execute("SELECT * FROM t").fetchall() for db in used]
open("in_use", "w")
signal.pause()' &
servers+=($!)
yore replicate --host h --state-dir "$state" --pattern '*.db' dbs \
	2>replicate.log &
replicator=$!
servers+=($replicator)
n=0
for _ in $(seq 400); do
	yore status --state-dir "$state" >status 2>err || :
	n=$(grep -c ': replicating; stored 20' status) || :
	[ "$n" != 400 ] || break
	sleep 0.2
done
[ "$n" = 400 ] || fail "$n are replicated: $(grep -v replicating status)"

# one that appears later
sqlite3 dbs/new.db 'PRAGMA journal_mode=WAL; CREATE TABLE t(a)' >out
for _ in $(seq 100); do
	yore sync --wait --state-dir "$state" dbs/new.db 2>err && break
	sleep 0.1
done
yore sync --wait --state-dir "$state" dbs/new.db

[ -e in_use ] || fail 'none is in use'
sleep 6 # let go of
switches() {
	cat "/proc/$replicator"/task/*/status |
		awk '/^voluntary/ { n += $2 } END { print n }'
}
woken=$(switches)
mark
sleep 5
woken=$(($(switches) - woken))
kib=$(awk '/^VmRSS/ { print $2 }' "/proc/$replicator/status")
echo "$woken times awake in 5 s, $kib KiB"
[ "$(asked)" = 0 ] || fail "$(asked) requests"
[ $woken -le 100 ] || fail "$woken times awake in 5 s"
[ "$kib" -le 150000 ] || fail "$kib KiB"
sqlite3 dbs/77.db 'INSERT INTO t VALUES(77)'
yore sync --wait --state-dir "$state" dbs/77.db
yore cat h/77.db:77.db >copy
[ "$(sqlite3 copy 'SELECT a FROM t')" = 77 ] || fail 'the commit is missing'
kill $replicator
wait $replicator
