#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Hundreds of databases in a directory, new ones found when they appear; while
# nothing happens, next to no time, memory or requests.
. "${top_srcdir:-.}/tests/lib.sh"
. "$top_srcdir/tests/replicate/lib.sh"
make_repository

mkdir dbs
sqlite3 dbs/0.db 'PRAGMA journal_mode=WAL; CREATE TABLE t(a)' >out
for i in $(seq 399); do
	cp dbs/0.db "dbs/$i.db"
done
touch dbs/empty.db dbs/other.txt
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

sleep 6 # let go of
ticks() {
	awk '{ print $14 + $15 }' "/proc/$replicator/stat"
}
before=$(ticks) objects=$(find repo -type f | wc -l)
sleep 5
used=$(($(ticks) - before))
kib=$(awk '/^VmRSS/ { print $2 }' "/proc/$replicator/status")
echo "$used ticks in 5 s, $kib KiB"
[ $used -le 10 ] || fail "$used ticks of a core in 5 s"
[ "$kib" -le 150000 ] || fail "$kib KiB"
[ "$(find repo -type f | wc -l)" = "$objects" ] || fail 'something was stored'
sqlite3 dbs/77.db 'INSERT INTO t VALUES(77)'
yore sync --wait --state-dir "$state" dbs/77.db
yore cat h/77.db:77.db >copy
[ "$(sqlite3 copy 'SELECT a FROM t')" = 77 ] || fail 'the commit is missing'
kill $replicator
wait $replicator
